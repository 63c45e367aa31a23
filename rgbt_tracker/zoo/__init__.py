"""Weights by name: ``resolve`` finds them on this machine, ``get`` fetches them, ``add`` adopts a file."""

from rgbt_tracker.zoo.entries import Entry, table
from rgbt_tracker.zoo.store import add, get, resolve

__all__ = ["Entry", "add", "get", "resolve", "table"]
