"""What a person or a pipe sees: small colours, tables that fit, JSON. Every string from Docker is made safe here."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from orchtui.core.text import safe

if TYPE_CHECKING:
    from orchtui.errors import OrchtuiError

_TONES = {"good": "32", "warn": "33", "bad": "31", "muted": "2", "strong": "1"}
_ASCII = str.maketrans({"–": "-", "…": "~", "·": "-", "✗": "x", "!": "!", "→": "->", "×": "x"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`least` is the width a column may be cut to (None: never cut); the widest such column gives way first."""

    title: str
    least: int | None = None
    right: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    tone: str = ""


class Output:
    """One output stream and what it can show: colour only on a terminal that wants it, a width only on a terminal."""

    def __init__(self, stream: TextIO, environ: Mapping[str, str]) -> None:
        self.stream = stream
        self.terminal = stream.isatty()
        self.colour = self.terminal and not environ.get("NO_COLOR") and environ.get("TERM", "dumb") != "dumb"
        self.moving = self.terminal and environ.get("TERM", "dumb") != "dumb"
        self.width = _width(stream, environ) if self.terminal else None
        self._unicode = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "").startswith("utf")

    def line(self, text: str = "", tone: str = "") -> None:
        """Write one line of our own words; strings from Docker in it went through `safe` before."""
        self.stream.write(self.paint(text, tone) + "\n")

    def paint(self, text: str, tone: str = "") -> str:
        if not self._unicode:
            text = text.translate(_ASCII)
        if self.colour and tone:
            return f"\x1b[{_TONES[tone]}m{text}\x1b[0m"
        return text

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell | str]], *, indent: str = "") -> None:
        """Columns by display width; on a terminal cut to its width, elsewhere complete. Cells are sanitised here."""
        cells = [[_cell(cell) for cell in row] for row in rows]
        widths = [
            max([display_width(column.title), *(display_width(row[index].text) for row in cells)])
            for index, column in enumerate(columns)
        ]
        if self.width is not None:
            widths = _fit(widths, columns, self.width - display_width(indent))
        self._row([Cell(column.title, "strong") for column in columns], columns, widths, indent)
        for row in cells:
            self._row(row, columns, widths, indent)

    def _row(self, row: Sequence[Cell], columns: Sequence[Column], widths: Sequence[int], indent: str) -> None:
        parts = []
        last = len(row) - 1
        for index, (cell, column, width) in enumerate(zip(row, columns, widths, strict=True)):
            text = cut(cell.text, width)
            gap = " " * (width - display_width(text))
            painted = self.paint(text, cell.tone)
            parts.append(gap + painted if column.right else painted if index == last else painted + gap)
        self.stream.write((indent + "  ".join(parts)).rstrip() + "\n")

    def wrapped(self, text: str, *, indent: str = "", tone: str = "") -> None:
        """A sentence, wrapped at the terminal's width with a hanging indent."""
        if self.width is None:
            self.line(indent + text, tone)
            return
        from textwrap import wrap

        width = max(20, self.width)
        for line in wrap(
            text, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        ):
            self.line(line, tone)

    def json(self, value: object) -> None:
        """Pretty JSON, all ASCII: no byte of it can steer a terminal."""
        import json

        self.stream.write(json.dumps(value, indent=2, ensure_ascii=True) + "\n")


def _cell(cell: Cell | str) -> Cell:
    return Cell(safe(cell)) if isinstance(cell, str) else Cell(safe(cell.text), cell.tone)


def _width(stream: TextIO, environ: Mapping[str, str]) -> int:
    columns = environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def _fit(widths: list[int], columns: Sequence[Column], room: int) -> list[int]:
    """Take from the widest column that may give, until the row fits or nothing gives."""
    room -= 2 * (len(columns) - 1)
    widths = list(widths)
    while (excess := sum(widths) - room) > 0:
        giving = [
            (width, index)
            for index, (width, column) in enumerate(zip(widths, columns, strict=True))
            if column.least is not None and width > column.least
        ]
        if not giving:
            break
        width, index = max(giving)
        least = columns[index].least or 1
        second = max((other for other, at in giving if at != index), default=least)
        widths[index] = max(least, width - excess, min(width - 1, second))
    return widths


def display_width(text: str) -> int:
    """Terminal cells of `text`: wide East Asian characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    return 0 if unicodedata.category(character) in ("Mn", "Me", "Cf") else 1


def cut(text: str, width: int) -> str:
    """`text` in at most `width` cells, ending in `…` where something is missing."""
    if display_width(text) <= width:
        return text
    taken, used = [], 0
    for character in text:
        used += _cells(character)
        if used > width - 1:
            break
        taken.append(character)
    return "".join(taken) + "…"


def stdout() -> Output:
    return Output(sys.stdout, os.environ)


def stderr() -> Output:
    return Output(sys.stderr, os.environ)


def report(error: OrchtuiError) -> None:
    """An error on stderr: every problem it carries, then one sentence what is wrong and one what to do next."""
    out = stderr()
    details: tuple[str, ...] = getattr(error, "details", ())
    for detail in details:
        out.line(safe(detail))
    out.wrapped(f"orchtui: {safe(error.message)}", tone="bad")
    if error.hint:
        out.wrapped(safe(error.hint), indent="  ")


def plain(value: object, omit: Callable[[str], bool] = lambda name: False) -> Any:
    """A frozen value as JSON types: dataclasses become objects, tuples arrays, enums their value."""
    from dataclasses import fields, is_dataclass
    from enum import Enum

    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value) if not omit(each.name)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value
