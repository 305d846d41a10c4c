"""The building blocks of the schema: a check takes a value and returns its canonical form, or reports a problem."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from orchtui.compose import quantities, scalars
from orchtui.compose.nodes import Node, Timestamp, describe
from orchtui.compose.problems import Malformed, Report, quoted

_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
MAX_PORTS = 10_000
_TRUE = ("1", "t", "y", "yes", "on")
_FALSE = ("0", "f", "n", "no", "off")


@dataclass(slots=True)
class Scope:
    """What a check needs besides the value: where problems go, and whether variables were replaced.

    Without replacement (`config --no-interpolate`) text that holds a `$` is passed on as it is, wherever it stands.
    `ports_left` bounds what port ranges may expand to over all files.
    """

    report: Report
    literal: bool = False
    ports_left: int = field(default=MAX_PORTS)

    def passes(self, node: Node) -> bool:
        return self.literal and isinstance(node.value, str) and "$" in node.value

    def wrong_type(self, node: Node, where: str, wanted: str, hint: str = "") -> None:
        self.report.error(node.at, f"{where} has to be {wanted}, not {describe(node)}", hint)


Check = Callable[[Scope, Node, str], Node | None]


def text(scope: Scope, node: Node, where: str) -> Node | None:
    if isinstance(node.value, str):
        return Node(node.value, node.at)
    scalar = isinstance(node.value, bool | int | float | Timestamp)
    scope.wrong_type(node, where, "text", "put it in quotes" if scalar else "")
    return None


def boolean(scope: Scope, node: Node, where: str) -> Node | None:
    """true or false; the words of YAML 1.1 (`yes`, `off`) are taken with a warning, as Compose does."""
    value = node.value
    if isinstance(value, bool) or scope.passes(node):
        return Node(value, node.at)
    if isinstance(value, str):
        word = value.lower()
        if word in ("true", "false"):
            return Node(word == "true", node.at)
        if word in _TRUE or word in _FALSE:
            meant = "true" if word in _TRUE else "false"
            scope.report.warning(node.at, f"{where}: {quoted(value)} is no boolean in YAML 1.2", f"write {meant}")
            return Node(word in _TRUE, node.at)
    scope.wrong_type(node, where, "true or false")
    return None


def integer(minimum: int = 0, maximum: int = 2**31 - 1) -> Check:
    """A whole number, also as text (which is what a variable gives)."""

    def check(scope: Scope, node: Node, where: str) -> Node | None:
        value = node.value
        if scope.passes(node):
            return node
        if isinstance(value, str) and re.fullmatch(r"[-+]?[0-9]{1,19}", value):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            scope.wrong_type(node, where, "a whole number")
            return None
        if not minimum <= value <= maximum:
            bound = f"at least {minimum}" if value < minimum else f"at most {maximum}"
            scope.report.error(node.at, f"{where} has to be {bound}, not {value}")
            return None
        return Node(value, node.at)

    return check


def number(scope: Scope, node: Node, where: str) -> Node | None:
    """A number that is not negative, also as text; integers stay integers (`1.0` is 1)."""
    value = node.value
    if scope.passes(node):
        return node
    if isinstance(value, str) and len(value) < 40 and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        scope.wrong_type(node, where, "a number")
        return None
    if value < 0:
        scope.report.error(node.at, f"{where} cannot be negative")
        return None
    return Node(int(value) if float(value).is_integer() else value, node.at)


def choice(*words: str) -> Check:
    def check(scope: Scope, node: Node, where: str) -> Node | None:
        if scope.passes(node) or (isinstance(node.value, str) and node.value in words):
            return Node(node.value, node.at)
        hint = f"use {' or '.join((', '.join(words[:-1]), words[-1])) if len(words) > 1 else words[0]}"
        if isinstance(node.value, str):
            hint = scope.report.suggestion(node.value, words) or hint
        scope.report.error(node.at, f"{where} cannot be {describe(node)}", hint)
        return None

    return check


def duration(minimum: int = 0) -> Check:
    """A length of time in Go's canonical form; `minimum` in nanoseconds binds all but zero."""

    def check(scope: Scope, node: Node, where: str) -> Node | None:
        if scope.passes(node):
            return node
        if not isinstance(node.value, str):
            unit = isinstance(node.value, int | float)
            scope.wrong_type(node, where, "a length of time", 'add the unit: "10s", "1m30s"' if unit else "")
            return None
        try:
            length = quantities.parse_duration(node.value)
        except Malformed as problem:
            scope.report.malformed(node.at, where, problem)
            return None
        if 0 < length < minimum:
            least = quantities.duration_text(minimum)
            scope.report.error(node.at, f"{where} is below {least}, the shortest that Docker takes")
            return None
        return Node(quantities.duration_text(length), node.at)

    return check


def memory(*, numbers: bool) -> Check:
    """An amount of memory as the text of its bytes; a bare number only where Compose takes one."""

    def check(scope: Scope, node: Node, where: str) -> Node | None:
        value = node.value
        if scope.passes(node):
            return node
        if numbers and isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return Node(str(value), node.at)
        if not isinstance(value, str):
            scope.wrong_type(node, where, "an amount of memory", 'write "64m" or "1.5g"')
            return None
        try:
            return Node(str(quantities.parse_bytes(value)), node.at)
        except Malformed as problem:
            scope.report.malformed(node.at, where, problem)
            return None

    return check


def each(item: Check) -> Check:
    """A list, every item checked."""

    def check(scope: Scope, node: Node, where: str) -> Node | None:
        if not isinstance(node.value, list):
            scope.wrong_type(node, where, "a list")
            return None
        checked = (item(scope, child, f"{where}[{place}]") for place, child in enumerate(node.value))
        return Node([child for child in checked if child is not None], node.at)

    return check


def one_or_many(item: Check) -> Check:
    """One value or a list of them; canonically a list."""
    many = each(item)

    def check(scope: Scope, node: Node, where: str) -> Node | None:
        return many(scope, node if isinstance(node.value, list) else Node([node], node.at), where)

    return check


def pairs(*, empty: str | None) -> Check:
    """`KEY: value` or a list of `KEY=value`; canonically a mapping to text. A key alone means `empty`."""

    def check(scope: Scope, node: Node, where: str) -> Node | None:
        if isinstance(node.value, list):
            return _pair_list(scope, node, where, empty)
        if not isinstance(node.value, dict):
            scope.wrong_type(node, where, "a mapping or a list of KEY=value")
            return None
        entries: dict[str, Node] = {}
        for key, child in node.value.items():
            value = child.value
            if key == "" or "=" in key:
                scope.report.error(node.key_at(key), f"{where}: {quoted(key)} is no name", "write NAME: value")
            elif child.tag == "!reset":
                entries[key] = child
            elif value is None:
                entries[key] = Node(empty, child.at)
            elif isinstance(value, bool | int | float | str):
                entries[key] = Node(scalars.go_text(value), child.at)
            else:
                hint = "put it in quotes" if isinstance(value, Timestamp) else ""
                scope.wrong_type(child, f"{where}.{key}", "text", hint)
        return Node(entries, node.at, node.keys)

    return check


def mapping(table: Mapping[str, Check], *, later: Iterable[str] = (), needs: Iterable[str] = ()) -> Check:
    """A mapping with the keys of `table`. Those of `later` are Compose's, not supported yet; `x-*` is kept."""
    known = [*table, *later]
    required = tuple(needs)

    def check(scope: Scope, node: Node, where: str) -> Node | None:
        if not isinstance(node.value, dict):
            scope.wrong_type(node, where, "a mapping")
            return None
        entries: dict[str, Node] = {}
        for key, child in node.value.items():
            if child.tag == "!reset":
                entries[key] = child
                continue
            inner = table.get(key)
            if inner is not None:
                checked = inner(scope, child, f"{where}.{key}" if where else key)
            elif key.startswith("x-"):
                checked = extension(scope, child, key)
            else:
                checked = None
                _unknown(scope, node, key, where, known)
            if checked is not None:
                entries[key] = Node(checked.value, checked.at, checked.keys, child.tag)
        for key in required:
            if key not in node.value:
                scope.report.error(node.at, f"{where} needs {quoted(key)}")
        return Node(entries, node.at, node.keys)

    return check


def named(entry: Check, what: str, *, nullable: bool = False) -> Check:
    """A mapping from names that the user chooses (services, networks, volumes) to entries of one kind."""

    def check(scope: Scope, node: Node, where: str) -> Node | None:
        if not isinstance(node.value, dict):
            scope.wrong_type(node, where, f"a mapping from {what} names")
            return None
        entries: dict[str, Node] = {}
        for name, child in node.value.items():
            if not re.fullmatch(r"[a-zA-Z0-9._-]+", name):
                scope.report.error(
                    node.key_at(name), f"{quoted(name)} is no name for a {what}", "use letters, digits, . _ and -"
                )
                continue
            if child.tag == "!reset" or (nullable and child.value is None):
                entries[name] = child
                continue
            checked = entry(scope, child, f"{where}.{name}")
            # A wrong entry still defines its name: references to it are not wrong as well.
            found = checked or Node({}, child.at)
            entries[name] = Node(found.value, found.at, found.keys, child.tag)
        return Node(entries, node.at, node.keys)

    return check


def only_empty(scope: Scope, node: Node, where: str) -> Node | None:
    """A key that is not supported yet but that Compose itself prints empty (`ipam: {}`)."""
    if node.value not in (None, {}, []):
        not_yet(scope, node, where)
    return None


def not_yet(scope: Scope, node: Node, where: str, hint: str = "") -> None:
    scope.report.error(node.at, f"{where} is not supported yet", hint or "remove it to run this stack with orchtui")


def extension(scope: Scope, node: Node, where: str) -> Node:
    """An `x-` value, kept; orchtui's own name means something only on a service."""
    if where == "x-orchtui":
        not_yet(scope, node, "x-orchtui in this place", "x-orchtui stands on a service")
    return node


NOT_YET_HINTS: Mapping[str, str] = {
    "build": "build the image first and name it with `image:`",
    "container_name": "containers are named PROJECT-SERVICE-NUMBER so that they can be replaced",
    "extends": "use a YAML anchor and `<<: *anchor`",
    "include": "name the other files on the command line; several files are one stack",
    "restart_policy": "use `restart:` on the service",
    "secrets": "mount a file with `volumes:`",
    "configs": "mount a file with `volumes:`",
}


def _unknown(scope: Scope, node: Node, key: str, where: str, known: list[str]) -> None:
    at = node.key_at(key)
    place = f" in {where}" if where else ""
    if key in known:
        not_yet(scope, Node(None, at), f"{quoted(key)}{place}", NOT_YET_HINTS.get(key, ""))
        return
    hint = scope.report.suggestion(key, known)
    scope.report.error(at, f"unknown key {quoted(key)}{place}", hint or "keys of your own start with x-")


def _pair_list(scope: Scope, node: Node, where: str, empty: str | None) -> Node:
    entries: dict[str, Node] = {}
    keys = {}
    for place, item in enumerate(node.items()):
        if not isinstance(item.value, str):
            scope.wrong_type(item, f"{where}[{place}]", "text KEY=value", "put it in quotes")
            continue
        key, equals, value = item.value.partition("=")
        if not key:
            scope.report.error(item.at, f"{where}[{place}]: {quoted(item.value)} has no name", "write NAME=value")
            continue
        entries[key] = Node(value if equals else empty, item.at)
        keys[key] = item.at
    return Node(entries, node.at, keys)
