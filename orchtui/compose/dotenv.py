"""`.env` and env_file contents, read by Compose's own rules (compose-go dotenv/parser.go)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from orchtui.compose.interpolate import Lookup, Variables, substitute
from orchtui.compose.problems import Malformed, Position, Report, quoted

# What may stand around a key on its line: every space of Unicode's Latin-1 range but the line feed.
_SPACE = " \t\v\f\r\x85\xa0"
_EXPORT = re.compile(r"export[ \t\v\f\r\x85\xa0]+")
_ESCAPE = re.compile(r'\\(?:([abfnrtv"\\])|(\$)|0([0-7]{1,3}))')
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\"}


def parse(text: str, file: str, lookup: Lookup, report: Report, *, raw: bool = False) -> dict[str, str]:
    """The variables of one file, in order; a key without a value takes it from `lookup` or is left out.

    Values may use `lookup`'s variables (which win) and earlier ones of the same file. With `raw` (env_file's `format`)
    nothing is unquoted or replaced. Reading stops at the first line that is not understood, which is reported.
    """
    values: dict[str, str] = {}
    found = Variables(_layered(lookup, values))
    reader = _Reader(text.removeprefix("\ufeff").replace("\r\n", "\n"), found)
    while (start := reader.next_statement()) is not None:
        at = Position(file, *reader.place(start))
        found.unset.clear()
        try:
            key, has_value = reader.key()
            value = (reader.rest_of_line() if raw else reader.value()) if has_value else lookup(key)
        except Malformed as problem:
            report.error(at, problem.message, problem.hint)
            return values
        if value is not None:
            values[key] = value
        for name in found.unset:
            report.warning(at, f"the variable {quoted(name)} is not set: empty text is used", "set it before this line")
    return values


def merged(files: Iterable[tuple[str, str, bool]], lookup: Lookup, report: Report) -> dict[str, str]:
    """Several env files (name, text, raw) as one, a later one winning; a later one can use what an earlier one sets."""
    values: dict[str, str] = {}
    for file, text, raw in files:
        values |= parse(text, file, _layered(lookup, dict(values)), report, raw=raw)
    return values


def _layered(lookup: Lookup, below: Mapping[str, str]) -> Lookup:
    return lambda name: found if (found := lookup(name)) is not None else below.get(name)


class _Reader:
    def __init__(self, text: str, variables: Variables) -> None:
        self._text = text
        self._position = 0
        self._variables = variables
        self._line = 1
        self._counted = 0

    def place(self, position: int) -> tuple[int, int]:
        """Line and column of a position at or after the last one asked for, counted from 1."""
        self._line += self._text.count("\n", self._counted, position)
        self._counted = position
        return self._line, position - self._text.rfind("\n", 0, position)

    def next_statement(self) -> int | None:
        """Move past blank lines and comments; None at the end."""
        text = self._text
        while self._position < len(text):
            if text[self._position].isspace():
                self._position += 1
            elif text[self._position] == "#":
                self._position = self._line_end()
            else:
                return self._position
        return None

    def key(self) -> tuple[str, bool]:
        """The name, and whether a value follows; leaves the position on the value."""
        export = _EXPORT.match(self._text, self._position)
        if export is not None:
            self._position = export.end()
        start = self._position
        while self._position < len(self._text) and (char := self._text[self._position]) not in "=:\n":
            if not (char in _SPACE or char in "_.-[]" or char.isalpha() or char.isnumeric()):
                line = self._text[start : self._line_end()]
                raise Malformed(
                    f"unexpected character {quoted(char)} in the variable name {quoted(line)}", "write NAME=value"
                )
            self._position += 1
        key = self._text[start : self._position].rstrip()
        has_value = self._position < len(self._text) and self._text[self._position] != "\n"
        self._position += 1
        if " " in key or not key:
            raise Malformed(f"{quoted(key)} is no variable name", "write NAME=value, without blanks in the name")
        while has_value and self._position < len(self._text) and self._text[self._position] in _SPACE:
            self._position += 1
        return key, has_value

    def rest_of_line(self) -> str:
        start, self._position = self._position, self._line_end()
        return self._text[start : self._position]

    def value(self) -> str:
        quote = self._text[self._position : self._position + 1]
        if quote not in ("'", '"'):
            line = self.rest_of_line().partition(" #")[0]
            return substitute(line.rstrip(), self._variables)
        body = self._quoted(quote)
        return substitute(_ESCAPE.sub(_unescaped, body), self._variables) if quote == '"' else body

    def _quoted(self, quote: str) -> str:
        """What stands in the quotes, over several lines if need be; a backslash before the quote keeps it."""
        closing = re.compile(rf"([^\\{quote}]*(?:\\.[^\\{quote}]*)*){quote}", re.DOTALL)
        match = closing.match(self._text, self._position + 1)
        if match is None:
            raise Malformed("the value has no closing quote", f"end it with {quote}")
        self._position = match.end()
        return match.group(1).replace(f"\\{quote}", quote) if quote == "'" else match.group(1)

    def _line_end(self) -> int:
        end = self._text.find("\n", self._position)
        return end if end >= 0 else len(self._text)


def _unescaped(match: re.Match[str]) -> str:
    simple, dollar, octal = match.groups()
    if dollar:
        return "$$"  # a dollar sign to the substitution that follows
    return _ESCAPES[simple] if simple else chr(int(octal, 8) & 0xFF)
