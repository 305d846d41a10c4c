"""YAML text to nodes with places, reading what go-yaml (and so Compose) reads, within fixed limits.

The limits are counted on PyYAML's stream of events, before anything is built from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml.reader import Reader

from orchtui.compose import scalars
from orchtui.compose.events import Events
from orchtui.compose.nodes import Node, describe
from orchtui.compose.problems import Malformed, Position, Report, quoted

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 10_000
MERGE_TAGS = ("!reset", "!override")

_COLLECTION_TAGS = {"mapping": f"{scalars.CORE}map", "sequence": f"{scalars.CORE}seq"}
_HINTS = (
    ("'\\t'", "indent with spaces, not with tabs"),
    ("mapping values are not allowed", "put quotes around text that holds `: `, or check the indentation"),
    ("could not find expected ':'", "write `key: value`, with a space after the colon"),
    ("expected <block end>", "check the indentation: entries of one mapping or list stand in the same column"),
    ("expected ',' or", "close the bracket, or put a comma between the items"),
    ("found unexpected end of stream", "close the quote"),
    ("undefined alias", "define the anchor with & before the alias that uses it"),
    ("unknown escape character", "double the backslash, or use single quotes"),
    ("cannot start any token", "put quotes around text that starts with a special character"),
)


class _Rejected(Exception):
    """Reading cannot go on; the problem is already formed."""

    def __init__(self, at: Position, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.at, self.message, self.hint = at, message, hint


@dataclass(slots=True)
class _Anchor:
    node: Node
    size: int
    height: int


class _Builder:
    """Builds the nodes of one text from its events."""

    def __init__(self, text: str, file: str, report: Report) -> None:
        self._file = file
        self._report = report
        self._stream = Events(text)
        self._anchors: dict[str, _Anchor] = {}
        self._open: set[str] = set()
        self._count = 0
        self._height = 0

    def documents(self) -> Iterator[Node]:
        while not isinstance(event := self._next(), StreamEndEvent):
            if isinstance(event, DocumentStartEvent):
                if event.version not in (None, (1, 1)):
                    raise _Rejected(self._at(event), "Compose reads YAML 1.1 only", "remove the %YAML line")
                self._anchors.clear()
                yield self._node(self._next(), 1)

    def _next(self) -> Event:
        try:
            return self._stream.next()
        except MarkedYAMLError as error:
            raise _syntax(error, self._file) from None
        except (ValueError, OverflowError):  # chr() of an escape such as "\UFFFFFFFF"
            at = Position(self._file, self._stream.line + 1, self._stream.column + 1)
            raise _Rejected(
                at, "an escape sequence names no character", "use \\uXXXX, or write the character"
            ) from None

    def _at(self, event: Event) -> Position:
        mark = event.start_mark
        assert mark is not None  # the parser gives every event one
        return Position(self._file, mark.line + 1, mark.column + 1)

    def _node(self, event: Event, depth: int) -> Node:
        at = self._at(event)
        if isinstance(event, AliasEvent):
            return self._alias(event, at, depth)
        self._enter(1, depth, at)
        assert isinstance(event, ScalarEvent | CollectionStartEvent)
        anchor: str | None = event.anchor
        before = self._count
        if anchor is not None:
            self._open.add(anchor)
        if isinstance(event, ScalarEvent):
            node, height = self._scalar(event, at), 0
        else:
            outer, self._height = self._height, 0
            node = self._collection(event, at, depth)
            height = self._height
            self._height = outer
        self._height = max(self._height, height + 1)
        if anchor is not None:
            self._open.discard(anchor)
            self._anchors[anchor] = _Anchor(node, self._count - before + 1, height + 1)
        return node

    def _enter(self, size: int, depth: int, at: Position) -> None:
        self._count += size
        if self._count > MAX_NODES:
            raise _Rejected(
                at, f"more than {MAX_NODES:,} values, aliases counted where they are used", "split the file"
            )
        if depth > MAX_DEPTH:
            raise _Rejected(at, f"nested more than {MAX_DEPTH} levels deep", "no Compose file needs that: flatten it")

    def _alias(self, event: AliasEvent, at: Position, depth: int) -> Node:
        name = event.anchor or ""
        if name in self._open:
            raise _Rejected(at, f"*{name} stands inside its own anchor &{name}", "an alias cannot contain itself")
        anchor = self._anchors.get(name)
        if anchor is None:
            raise _Rejected(at, f"undefined alias *{name}", "define it with & before it is used")
        self._enter(anchor.size, depth + anchor.height - 1, at)
        self._height = max(self._height, anchor.height)
        return anchor.node

    def _collection(self, event: Event, at: Position, depth: int) -> Node:
        if isinstance(event, SequenceStartEvent):
            tag = self._tag(event.tag, at, "sequence")
            items = []
            while not isinstance(item := self._next(), SequenceEndEvent):
                node = self._node(item, depth + 1)
                if node.tag:
                    self._report.error(node.at, f"{node.tag} on a list item", f"put {node.tag} on the key of the list")
                items.append(node)
            return Node(items, at, tag=tag)
        assert isinstance(event, MappingStartEvent)
        return self._mapping(event, at, depth)

    def _mapping(self, event: MappingStartEvent, at: Position, depth: int) -> Node:
        tag = self._tag(event.tag, at, "mapping")
        entries: dict[str, Node] = {}
        keys: dict[str, Position] = {}
        merged: Node | None = None
        while not isinstance(key_event := self._next(), MappingEndEvent):
            key = self._node(key_event, depth + 1)
            value = self._node(self._next(), depth + 1)
            merge = key.value == "<<" and isinstance(key_event, ScalarEvent) and key_event.style is None
            name = self._key(key)
            if name is None:
                continue
            if name in keys:
                self._report.error(
                    key.at, f"the key {quoted(name)} is already defined at {keys[name]}", "remove one of the two"
                )
                continue
            keys[name] = key.at
            if merge:
                merged = value
            else:
                entries[name] = value
        if merged is not None:
            del keys["<<"]
            self._merge(merged, entries, keys)
        return Node(entries, at, keys, tag)

    def _key(self, key: Node) -> str | None:
        if not isinstance(key.value, str):
            what = describe(key)
            hint = "put it in quotes" if not isinstance(key.value, dict | list) else "use text as the key"
            self._report.error(key.at, f"a key has to be text, not {what}", hint)
            return None
        return key.value

    def _merge(self, source: Node, entries: dict[str, Node], keys: dict[str, Position]) -> None:
        """`<<`: what the mapping itself says wins over what is merged, an earlier source over a later one."""
        for mapping in source.value if isinstance(source.value, list) else [source]:
            if not isinstance(mapping.value, dict):
                self._report.error(mapping.at, f"<< merges mappings, not {describe(mapping)}", "write `<<: *anchor`")
                continue
            for name, value in mapping.value.items():
                if name not in entries:
                    entries[name] = value
                    keys[name] = mapping.key_at(name)

    def _tag(self, tag: str | None, at: Position, kind: str) -> str:
        if tag is None or tag in ("!", _COLLECTION_TAGS[kind]):
            return ""
        if tag not in MERGE_TAGS:
            self._report.error(at, f"unknown tag {quoted(tag)}", "remove it; Compose knows !reset and !override")
            return ""
        return tag

    def _scalar(self, event: ScalarEvent, at: Position) -> Node:
        text: str = event.value
        if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
            self._report.error(at, "an escape sequence for a character that no text may hold", "remove it")
            return Node("", at)
        tag: str | None = event.tag
        if tag is not None and tag.startswith(scalars.CORE):
            try:
                return Node(scalars.resolve_tagged(text, tag), at)
            except Malformed as problem:
                self._report.error(at, problem.message, problem.hint)
                return Node(text, at)
        value = scalars.resolve(text) if event.style is None and tag != "!" else text
        if tag in MERGE_TAGS:
            return Node(value, at, tag=tag or "")
        if tag not in (None, "!"):
            self._report.error(at, f"unknown tag {quoted(tag or '')}", "remove it; Compose knows !reset and !override")
        return Node(value, at)


def parse(text: str, file: str, report: Report) -> list[Node]:
    """The documents of a stack file, in order. Problems go to `report`; what could not be read is left out."""
    at = Position(file)
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_BYTES:
        report.error(at, "larger than 1 MiB", "split the file; several files are one stack")
        return []
    control = Reader.NON_PRINTABLE.search(text)
    if control is not None:
        line = text.count("\n", 0, control.start()) + 1
        column = control.start() - text.rfind("\n", 0, control.start())
        report.error(
            Position(file, line, column),
            f"a control character (U+{ord(control.group()):04X})",
            "remove it from the file",
        )
        return []
    documents: list[Node] = []
    try:
        documents.extend(_Builder(text, file, report).documents())
    except _Rejected as problem:
        report.error(problem.at, problem.message, problem.hint)
        return []
    except YAMLError as problem:
        report.error(at, f"not readable as YAML: {problem}", "check the file")
        return []
    if not documents:
        report.error(at, "the file is empty", "a stack file needs at least `services:`")
    return documents


def _syntax(error: MarkedYAMLError, file: str) -> _Rejected:
    mark = error.problem_mark or error.context_mark
    at = Position(file, mark.line + 1, mark.column + 1) if mark is not None else Position(file)
    problem = str(error.problem or error.context or "not readable as YAML")
    message = f"YAML syntax: {problem}"
    if error.context and error.context_mark is not None and error.problem:
        message += f" ({error.context}, line {error.context_mark.line + 1})"
    for needle, hint in _HINTS:
        if needle in problem or (needle in message and "unexpected end" in needle):
            return _Rejected(at, message, hint)
    return _Rejected(at, message, "check the indentation and the quotes up to this place")
