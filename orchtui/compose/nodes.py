"""A stack file's values with their places: what YAML is turned into and what every later step passes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from orchtui.compose.problems import Position, quoted


@dataclass(frozen=True, slots=True)
class Timestamp:
    """An unquoted date: no Compose key takes one, so it is kept apart from text only to be refused clearly."""

    text: str


Scalar: TypeAlias = bool | int | float | str | Timestamp | None
Plain: TypeAlias = "bool | int | float | str | dict[str, Plain] | list[Plain] | None"


@dataclass(frozen=True, slots=True)
class Node:
    """One value and its place. `keys` are the places of a mapping's keys; `tag` is `!reset`, `!override` or empty."""

    value: Scalar | dict[str, Node] | list[Node]
    at: Position
    keys: Mapping[str, Position] = field(default_factory=dict)
    tag: str = ""

    def key_at(self, key: str) -> Position:
        """Where `key` is written; the mapping itself where it was not written by anybody."""
        return self.keys.get(key, self.at)

    def get(self, *path: str) -> Node | None:
        """The node under `path` through mappings, None when there is none."""
        node: Node | None = self
        for key in path:
            if node is None or not isinstance(node.value, dict):
                return None
            node = node.value.get(key)
        return node

    def entries(self, *path: str) -> dict[str, Node]:
        """The entries of the mapping under `path`; none for anything else."""
        node = self.get(*path)
        return node.value if node is not None and isinstance(node.value, dict) else {}

    def items(self, *path: str) -> list[Node]:
        """The items of the list under `path`; none for anything else."""
        node = self.get(*path)
        return node.value if node is not None and isinstance(node.value, list) else []

    def says(self, key: str, value: str | bool) -> bool:
        """Whether the entry `key` is exactly `value`."""
        node = self.get(key)
        return node is not None and type(node.value) is type(value) and node.value == value

    def replace(self, entries: Mapping[str, Node | None]) -> Node:
        """The same mapping with some entries changed, or removed where None."""
        merged: dict[str, Node | None] = {**self.entries(), **entries}
        return Node({k: v for k, v in merged.items() if v is not None}, self.at, self.keys, self.tag)


def wrap(value: Plain, at: Position) -> Node:
    """A computed value as nodes that all stand at the same place."""
    if isinstance(value, dict):
        return Node({key: wrap(child, at) for key, child in value.items()}, at)
    if isinstance(value, list):
        return Node([wrap(child, at) for child in value], at)
    return Node(value, at)


def plain(node: Node) -> Plain:
    """The bare JSON value. A date becomes its text; a float without a fraction an integer, as Go prints it."""
    value = node.value
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, list):
        return [plain(child) for child in value]
    if isinstance(value, Timestamp):
        return value.text
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def describe(node: Node) -> str:
    """What a value is, in a message: `the number 5`, `a list`, `empty`."""
    match node.value:
        case None:
            return "empty"
        case bool(value):
            return f"the boolean {str(value).lower()}"
        case int(value) | float(value):
            return f"the number {value:.20g}" if isinstance(value, float) else f"the number {value}"
        case str(text):
            return quoted(text)
        case Timestamp(text):
            return f"the date {text}"
        case dict():
            return "a mapping"
        case list():
            return "a list"
