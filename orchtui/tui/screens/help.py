"""All keys, the filter language and the `:` commands; the keys of the place one came from stand first."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from orchtui.engine import Capability
from orchtui.tui import typed
from orchtui.tui.keymap import GROUPS, TITLES, Context, keys_in
from orchtui.tui.layout import Line, hanging, line_width, pad
from orchtui.tui.safety import plain
from orchtui.tui.screens.dialog import Dialog
from orchtui.tui.textview import TextView

Block = list[Line]
# All key blocks align; only longer names make a wider column.
_LEFT = 11

FILTERS = (
    ("web db", "rows with both words"),
    ("!old", "rows without it"),
    ("state:unhealthy", "or stack: service: image:"),
    ("label:tier=front", "a label; also -l tier=front"),
)
MOUSE = (
    ("click", "focus, pick, press a key below"),
    ("double click", "go into the row"),
    ("wheel", "scroll"),
    ("header click", "sort by the column"),
    ("shift-drag", "select text in most terminals"),
)


class HelpScreen(Dialog[None]):
    """Leaves with `esc`, `q` or `?`."""

    AUTO_FOCUS: ClassVar[str | None] = "TextView"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,question_mark,enter", "cancel", show=False)]
    CHROME: ClassVar[int] = 4

    DEFAULT_CSS = """
    HelpScreen .frame { max-width: 156; }
    """

    def __init__(self, context: Context, capabilities: frozenset[Capability] = frozenset(Capability)) -> None:
        super().__init__()
        self._where: Context = context
        self._capabilities = capabilities

    def compose(self) -> ComposeResult:
        view = TextView(lambda width: help_lines(self._where, self._capabilities, width), id="help")
        frame = self.frame(f"Keys: {TITLES[self._where]}", view)
        frame.border_subtitle = plain("esc leaves")
        yield frame


def help_lines(context: Context, capabilities: frozenset[Capability], width: int) -> list[Line]:
    """Blocks in as many columns as fit, read down each column."""
    count = 3 if width >= 150 else 2 if width >= 100 else 1
    column = (width - 3 * (count - 1)) // count
    return _flow(_blocks(context, capabilities, column), count, column)


def _blocks(context: Context, capabilities: frozenset[Capability], width: int) -> list[Block]:
    groups: dict[str, list[tuple[str, str]]] = {}
    seen: set[str] = set()
    for key in keys_in(context, capabilities):
        # `1` goes to a pane, so there is no need to learn alt-1 as well.
        if key.action not in seen:
            groups.setdefault(key.group, []).append((key.displays, key.help))
        seen.add(key.action)
    order = sorted(groups, key=GROUPS.index)
    blocks = [_block(group, groups[group], width) for group in order]
    blocks.append(_block("filter, after /", FILTERS, width))
    blocks.append(_block("commands, after :", [(spec.usage, spec.help) for spec in typed.SPECS], width))
    blocks.append(_block("mouse", MOUSE, width))
    return blocks


def _block(title: str, rows: list[tuple[str, str]] | tuple[tuple[str, str], ...], width: int) -> Block:
    left = min(max(_LEFT, *(cell_len(name) for name, _ in rows)), width * 3 // 7)
    lines: Block = [((title, "heading"),)]
    for name, text in rows:
        if cell_len(name) <= left:
            lines += hanging(((pad(name, left + 2), "key"),), text, "", width)
        else:
            lines += [((name, "key"),), *hanging(((" " * (left + 2), ""),), text, "", width)]
    return lines


def _flow(blocks: list[Block], count: int, width: int) -> list[Line]:
    """Blocks spread over `count` columns of about the same height."""
    height = sum(len(block) + 1 for block in blocks)
    columns: list[Block] = [[]]
    for block in blocks:
        if len(columns) < count and len(columns[-1]) + len(block) // 2 > height / count:
            columns.append([])
        if columns[-1]:
            columns[-1].append(())
        columns[-1].extend(block)
    lines: list[Line] = []
    for row in range(max(map(len, columns))):
        line: Line = ()
        for place, column in enumerate(columns):
            cells = column[row] if row < len(column) else ()
            gap = place * (width + 3) - line_width(line)
            line = (*line, (" " * gap, ""), *cells) if cells else line
        lines.append(line)
    return lines
