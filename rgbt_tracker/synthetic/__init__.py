"""Drawn RGB-thermal sequences with exact boxes and tags (docs/guides/drawn-sequences.md)."""

from rgbt_tracker.synthetic.drawn import DrawnSequence, draw_sequence
from rgbt_tracker.synthetic.scenes import SCENES, Event, Scene, find_scene, split

__all__ = ["SCENES", "DrawnSequence", "Event", "Scene", "draw_sequence", "find_scene", "split"]
