"""PyYAML's stream of parse events, reading tabs and escapes as go-yaml (and so Compose) reads them.

Only the pure Python scanner and parser: deep nesting crashes the C one (research/feasibility.md 6), and these do not
recurse.
"""

from __future__ import annotations

from typing import cast

from yaml.events import Event
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner, ScannerError

_BREAKS = "\r\n\x85\u2028\u2029"


class Events(Reader, Scanner, Parser):
    """The events of a text that is already in memory. PyYAML's errors come out of next()."""

    ESCAPE_REPLACEMENTS = {k: v for k, v in Scanner.ESCAPE_REPLACEMENTS.items() if k != "/"}  # type: ignore[misc]  # noqa: RUF012

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)

    def next(self) -> Event:
        return cast("Event", self.get_event())  # type: ignore[no-untyped-call]

    def scan_to_next_token(self) -> None:
        # go-yaml scannerc.go, yaml_parser_scan_to_next_token: a tab is white space except where indentation could be.
        while True:
            while self.peek() == " " or (self.peek() == "\t" and (self.flow_level or not self.allow_simple_key)):
                self.forward()
            if self.peek() == "#":
                while self.peek() not in f"\0{_BREAKS}":
                    self.forward()
            if not self._line_break():
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def scan_plain_spaces(self, indent: int, start_mark: object) -> list[str] | None:
        """White space inside unquoted text, where a tab is as good as a blank; None at the end of a document."""
        length = 0
        while self.peek(length) in " \t":
            length += 1
        blanks = self.prefix(length)
        self.forward(length)
        if self.peek() not in _BREAKS:
            return [blanks] if blanks else []
        line_break = self._line_break()
        self.allow_simple_key = True
        breaks: list[str] = []
        while True:
            if self.column == 0 and self.prefix(3) in ("---", "...") and self.peek(3) in f"\0 \t{_BREAKS}":
                return None
            if self.peek() == " " or (self.peek() == "\t" and self.column >= indent):
                self.forward()
            elif self.peek() == "\t" and not self.flow_level:
                raise ScannerError(None, None, "found character '\\t' that violates indentation", self.get_mark())
            elif self.peek() in _BREAKS:
                breaks.append(self._line_break())
            else:
                break
        if line_break != "\n":
            return [line_break, *breaks]
        return breaks or [" "]

    def _line_break(self) -> str:
        return str(self.scan_line_break())  # type: ignore[no-untyped-call]
