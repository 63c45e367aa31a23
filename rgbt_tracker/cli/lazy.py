"""A group of commands whose modules are imported when a command is called, and not for the list of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from nestfuse_core.common.commands import Group


class Entry(NamedTuple):
    """A command, or a group of them: ``module:attribute`` of a function or a typer application, and its help's line."""

    home: str
    summary: str

    def load(self) -> Any:
        """Import the module and return the function or application."""
        module, _, attribute = self.home.partition(":")
        return getattr(import_module(module), attribute)


class LazyCommands(Mapping[str, Any]):
    """Name -> command; the command is built when it is asked for."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self.entries = entries

    def __getitem__(self, name: str) -> Any:
        import typer

        from nestfuse_core.common.commands import single

        found = self.entries[name].load()
        command: Any = typer.main.get_command(found if isinstance(found, typer.Typer) else single(found))
        command.name = name
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


def lazy_group(entries: Mapping[str, Entry]) -> type[Group]:
    """Return a class of groups with these commands, in this order; give it to typer as ``cls``."""

    from nestfuse_core.common.commands import Group

    class LazyGroup(Group):
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            self.commands: Any = LazyCommands(entries)

        def list_commands(self, ctx: Any) -> list[str]:
            return list(entries)

        def summaries(self, ctx: Any) -> list[tuple[str, str]]:
            return [(name, entry.summary) for name, entry in entries.items()]

    return LazyGroup
