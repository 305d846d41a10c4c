"""Several files as one stack, by Compose's rules for `-f a -f b` (compose-go override/merge.go, uncity.go).

Merging works on canonical values, so that a list of `A=1` and a mapping with `A: 1` are the same thing. Mappings merge,
scalars are replaced, lists are joined with duplicates removed; a command, an entrypoint and a health test are replaced.
"""

from __future__ import annotations

from collections.abc import Callable

from orchtui.compose.nodes import Node, describe, plain
from orchtui.compose.problems import Position, Report

Path = tuple[str, ...]

_REPLACED = ("command", "entrypoint")
_REPLACED_IN = (("healthcheck", "test"),)
_OF_SERVICE = 2  # the length of ("services", name)


def merge(base: Node, over: Node, report: Report, path: Path = ()) -> Node:
    """`over` laid on `base`. `!reset` removes what is below, `!override` replaces it."""
    if over.tag == "!override":
        return settle(Node(over.value, over.at, over.keys))
    if over.value is None and not _null_counts(path):
        return base
    if isinstance(base.value, dict) and isinstance(over.value, dict):
        return _mappings(base, over, report, path)
    if isinstance(base.value, list) and isinstance(over.value, list) and not _replaced(path):
        return Node(unique([*base.value, *over.value], path), over.at)
    if _shape(base) != _shape(over) and None not in (base.value, over.value) and not _replaced(path):
        name = ".".join(path)
        report.error(
            over.at,
            f"{name} is {describe(over)} here and {describe(base)} at {base.at}",
            "write both the same way, or put !override before this value",
        )
        return base
    return settle(over)


def settle(node: Node) -> Node:
    """A value that lies on nothing: `!reset` entries go, `!override` has nothing to replace."""
    if isinstance(node.value, dict):
        entries = {key: settle(child) for key, child in node.value.items() if child.tag != "!reset"}
        return Node(entries, node.at, node.keys)
    return Node(node.value, node.at, node.keys)


def unique(items: list[Node], path: Path) -> list[Node]:
    """A list without duplicates: the first place, the last value. Lists Compose has no rule for stay as they are."""
    identity = _IDENTITIES.get(path[-1] if path else "")
    if identity is None or "services" not in path[:1]:
        return items
    found: dict[object, Node] = {}
    for item in items:
        found[identity(item)] = item
    return list(found.values())


def _mappings(base: Node, over: Node, report: Report, path: Path) -> Node:
    entries = dict(base.entries())
    keys: dict[str, Position] = dict(base.keys)
    for key, child in over.entries().items():
        below = entries.get(key)
        if child.tag == "!reset":
            entries.pop(key, None)
            continue
        entries[key] = settle(child) if below is None else merge(below, child, report, (*path, key))
        if below is None or not isinstance(below.value, dict):
            keys[key] = over.key_at(key)
    return Node(entries, over.at, keys)


def _replaced(path: Path) -> bool:
    inner = path[_OF_SERVICE:]
    return path[:1] == ("services",) and (inner in _REPLACED_IN or (len(inner) == 1 and inner[0] in _REPLACED))


def _null_counts(path: Path) -> bool:
    """Where an empty value is a value of its own: a command (the image's own), a variable (the caller's)."""
    return _replaced(path) or path[_OF_SERVICE : _OF_SERVICE + 1] == ("environment",)


def _shape(node: Node) -> type | None:
    return type(node.value) if isinstance(node.value, dict | list) else None


def _port(node: Node) -> object:
    entry = {key: plain(value) for key, value in node.entries().items()}
    if not entry:
        return repr(plain(node))
    return (entry.get("host_ip", "0.0.0.0"), entry.get("published"), entry.get("target"), entry.get("protocol", "tcp"))


def _field(name: str) -> Callable[[Node], object]:
    def identity(node: Node) -> object:
        field = node.get(name)
        return (
            repr(plain(node)) if field is None else field.value if isinstance(field.value, str) else repr(field.value)
        )

    return identity


def _whole(node: Node) -> object:
    return repr(plain(node))


_IDENTITIES: dict[str, Callable[[Node], object]] = {
    "ports": _port,
    "volumes": _field("target"),
    "env_file": _field("path"),
    "tmpfs": _whole,
    "aliases": _whole,
    "profiles": _whole,
}
