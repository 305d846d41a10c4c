"""LineTable: a table painted line by line. Ten thousand rows cost what forty do, a changed cell costs that cell.

Rows are made only while they are seen (`Listing.make`). Cursor and scroll stick to row keys when rows come and go.
"""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from orchtui.tui.columns import FIXED, GAP, Cell, Listing, Place, Row, fit
from orchtui.tui.paint import cut, flow
from orchtui.tui.theme import Palette, palette_of
from orchtui.tui.words import UNICODE, Glyphs

GUTTER = 2
"""Cells before the first column: the cursor's or the mark's sign and a blank."""


class LineTable(ScrollView, can_focus=True, inherit_bindings=False):
    """A table over a Listing. Its keys are bound by subclasses; its actions are here."""

    DEFAULT_CSS = """
    LineTable { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    """
    HEADER: ClassVar[bool] = True
    glyphs: Glyphs = UNICODE

    class Moved(Message):
        """The cursor is on another row ("" none). `by_person` tells a key or click from rows that went away."""

        def __init__(self, table: LineTable, key: str, by_person: bool) -> None:
            super().__init__()
            self.table = table
            self.key = key
            self.by_person = by_person

    class Activated(Message):
        """A double click: what `enter` does."""

        def __init__(self, table: LineTable, key: str) -> None:
            super().__init__()
            self.table = table
            self.key = key

    class SortAsked(Message):
        """A click on the title of a column that sorts."""

        def __init__(self, table: LineTable, column: str) -> None:
            super().__init__()
            self.table = table
            self.column = column

    class Scrolled(Message):
        """Other rows are visible now."""

        def __init__(self, table: LineTable) -> None:
            super().__init__()
            self.table = table

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.listing = Listing()
        self.marks: frozenset[str] = frozenset()
        self._quiet = False
        self._cursor = -1
        self._key = ""
        self._now = 0.0
        self._places: tuple[Place, ...] = ()
        self._index: dict[str, int] | None = None
        self._painted: dict[int, Row] = {}
        self._message: tuple[Cell, ...] | None = (("…", "muted"),)

    # --- data in ------------------------------------------------------------------------------------------------------

    def show(self, listing: Listing, now: float) -> None:
        """Show `listing`; only what differs from the picture on the screen is painted again."""
        old = self.listing
        top = self._top
        top_key = old.keys[top] if 0 <= top < len(old.keys) else ""
        if old.keys != listing.keys:
            self._index = None
        self.listing = listing
        self._now = now
        self.marks &= frozenset(listing.keys) if self.marks else self.marks
        cleared = self._message is not None
        self._message = None
        moved = self._keep_cursor()
        height = len(listing) + self._header
        if self.virtual_size.height != height:
            self.virtual_size = Size(0, height)
        if top and top_key and old.keys != listing.keys:
            self._keep_top(top, self._find(top_key))
        places = self._fit()
        title = (listing.columns, listing.sort, listing.reverse)
        if cleared or places != self._places or title != (old.columns, old.sort, old.reverse) or not listing.keys:
            self._places = places
            if cleared or listing.keys or old.keys or old.empty != listing.empty:
                self.refresh()
        else:
            self._refresh_changes()
        if moved:
            self.post_message(self.Moved(self, self._key, by_person=False))

    def tick(self, now: float) -> None:
        """Ages move on: paint the cells whose text changed."""
        self._now = now
        if self._message is None:
            self._refresh_changes()

    def say(self, *cells: Cell) -> None:
        """Show a sentence in place of rows: connecting, an error."""
        if self._message != cells:
            self._message = cells
            self.refresh()

    def set_marks(self, marks: frozenset[str]) -> None:
        changed = self.marks ^ marks
        self.marks = marks
        for key in changed:
            self._refresh_row(self._find(key))

    def set_quiet(self, quiet: bool) -> None:
        """A quiet table shows no cursor while it is not focused: its row means nothing to the other panes."""
        if quiet != self._quiet:
            self._quiet = quiet
            self._refresh_row(self._cursor)

    # --- what stands where --------------------------------------------------------------------------------------------

    @property
    def cursor_key(self) -> str:
        """The key of the row under the cursor, "" if there is none."""
        return self._key if self._message is None else ""

    @property
    def visible_keys(self) -> tuple[str, ...]:
        top = self._top
        return self.listing.keys[top : top + max(0, self.size.height - self._header)]

    @property
    def _header(self) -> int:
        return 1 if self.HEADER and self.listing.keys else 0

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    @property
    def _top(self) -> int:
        return int(self.scroll_offset.y)

    def _find(self, key: str) -> int:
        if self._index is None:
            self._index = {each: index for index, each in enumerate(self.listing.keys)}
        return self._index.get(key, -1)

    def _fit(self) -> tuple[Place, ...]:
        return fit(self.listing.columns, self.listing.natural, self._width - GUTTER)

    def _keep_cursor(self) -> bool:
        """Put the cursor back on its key, else on the nearest row that can have it. True when its key changed."""
        found = self._find(self._key) if self._key else -1
        if found < 0:
            found = self._nearest(min(max(self._cursor, 0), len(self.listing) - 1), 1)
        before = self._key
        self._cursor = found
        self._key = self.listing.keys[found] if found >= 0 else ""
        return self._key != before

    def _keep_top(self, old_top: int, new_top: int) -> None:
        target = new_top if new_top >= 0 else old_top
        if target != old_top:
            self.scroll_to(y=target, animate=False, immediate=True)

    def _nearest(self, start: int, step: int) -> int:
        """The first selectable row from `start` in direction `step`, then the other way; -1 if there is none."""
        count = len(self.listing)
        for direction in (step, -step):
            index = start
            while 0 <= index < count:
                if self._selectable(index):
                    return index
                index += direction
        return -1

    def _selectable(self, index: int) -> bool:
        return not self.listing.keys[index].startswith(FIXED)

    # --- painting -----------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self._width
        palette = palette_of(self.app)
        base = self.rich_style
        if self._message is not None:
            segments = flow((("  ", ""), *self._message, ("", "")), width, palette, base) if y == 0 else []
            return Strip(segments).adjust_cell_length(width, base)
        if self._header and y == 0:
            return self._header_strip(width, palette, base)
        index = self._top + y - self._header
        if not self.listing.keys and y == 0:
            segments = flow((("  ", ""), *self.listing.empty, ("", "")), width, palette, base)
            return Strip(segments).adjust_cell_length(width, base)
        if not 0 <= index < len(self.listing):
            return Strip.blank(width, base)
        row = self.listing.make(index, self._now)
        self._painted[index] = row
        is_cursor = index == self._cursor and (self.has_focus or not self._quiet)
        return self._row_strip(row, is_cursor, width, palette, base)

    def _row_strip(self, row: Row, is_cursor: bool, width: int, palette: Palette, base: Style) -> Strip:
        if is_cursor:
            base += palette["cursor" if self.has_focus else "cursor-blurred"]
        marked = row.key in self.marks
        sign = self.glyphs.cursor if is_cursor and self.has_focus else " "
        segments = [
            Segment((self.glyphs.mark if marked else sign) + " ", self._styled(base, palette, "mark", is_cursor))
        ]
        if row.span:
            room = max(0, width - GUTTER)
            spans = flow(row.cells, room, palette, Style())
            segments += [Segment(s.text, self._over(s.style or Style(), base, is_cursor)) for s in spans]
        else:
            for place in self._places:
                text, token = row.cells[place.index]
                right = self.listing.columns[place.index].right
                style = self._styled(base, palette, "mark" if marked and place.index == 0 else token, is_cursor)
                segments.append(Segment(cut(text, place.width, right=right), style))
                segments.append(Segment(" " * GAP, base))
        return Strip(segments).adjust_cell_length(width, base)

    def _styled(self, base: Style, palette: Palette, token: str, is_cursor: bool) -> Style:
        return self._over(palette[token], base, is_cursor)

    def _over(self, style: Style, base: Style, is_cursor: bool) -> Style:
        """A cell's own colour on the line's background; a cursor that names a foreground wins (high contrast)."""
        return base + style if not is_cursor or not self._cursor_inks else style + base

    @property
    def _cursor_inks(self) -> bool:
        return self.has_focus and palette_of(self.app)["cursor"].color is not None

    def _header_strip(self, width: int, palette: Palette, base: Style) -> Strip:
        segments = [Segment(" " * GUTTER, base)]
        for place in self._places:
            column = self.listing.columns[place.index]
            title = column.title
            if column.sort and column.sort == self.listing.sort:
                title += self.glyphs.descending if self.listing.reverse else self.glyphs.ascending
            segments.append(Segment(cut(title, place.width, right=column.right), base + palette["heading"]))
            segments.append(Segment(" " * GAP, base))
        return Strip(segments).adjust_cell_length(width, base)

    def _refresh_changes(self) -> None:
        """Compare what is painted with what should be, and dirty only the cells in between."""
        top = self._top
        bottom = min(len(self.listing), top + max(0, self.size.height - self._header))
        painted = {index: row for index, row in self._painted.items() if top <= index < bottom}
        self._painted = painted
        for index in range(top, bottom):
            new = self.listing.make(index, self._now)
            old = painted.get(index)
            if old == new:
                continue
            if old is None or old.key != new.key or old.span or new.span:
                self._refresh_row(index)
                continue
            y = index - top + self._header
            for place in self._places:
                if old.cells[place.index] != new.cells[place.index]:
                    self.refresh(Region(GUTTER + place.start, y, place.width, 1))
            painted[index] = new
        for index in range(bottom, top + self.size.height):
            if painted.pop(index, None) is not None:
                self._refresh_row(index)

    def _refresh_row(self, index: int) -> None:
        y = index - self._top + self._header
        if index >= 0 and self._header <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    # --- moving -------------------------------------------------------------------------------------------------------

    def move_to(self, index: int, step: int = 1, *, by_person: bool = True) -> None:
        """Put the cursor on the nearest selectable row at or beyond `index`."""
        if self._message is not None or not self.listing.keys:
            return
        target = self._nearest(min(max(index, 0), len(self.listing) - 1), step)
        if target < 0:
            return
        old, self._cursor = self._cursor, target
        self._key = self.listing.keys[target]
        self._refresh_row(old)
        self._refresh_row(target)
        self._reveal(target)
        if old != target or by_person:
            self.post_message(self.Moved(self, self._key, by_person))

    def select(self, key: str, *, by_person: bool = False) -> bool:
        """Put the cursor on a row by its key; False if it is not there."""
        index = self._find(key)
        if index < 0:
            return False
        if key != self._key or by_person:
            self.move_to(index, by_person=by_person)
        return True

    def _reveal(self, index: int) -> None:
        height = max(1, self.size.height - self._header)
        # Headings above the first selectable row come into view with it.
        first = 0 if self._nearest(0, 1) == index else index
        if first < self._top:
            self.scroll_to(y=first, animate=False, immediate=True)
        elif index >= self._top + height:
            self.scroll_to(y=index - height + 1, animate=False, immediate=True)

    def action_cursor_down(self) -> None:
        self.move_to(self._cursor + 1, 1)

    def action_cursor_up(self) -> None:
        self.move_to(self._cursor - 1, -1)

    def action_cursor_top(self) -> None:
        self.move_to(0, 1)

    def action_cursor_bottom(self) -> None:
        self.move_to(len(self.listing) - 1, -1)

    def action_page_down(self) -> None:
        self.move_to(self._cursor + max(1, self.size.height - self._header - 1), 1)

    def action_page_up(self) -> None:
        self.move_to(self._cursor - max(1, self.size.height - self._header - 1), -1)

    # --- events -------------------------------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or self._message is not None:
            return
        if self._header and offset.y == 0:
            for place in self._places:
                column = self.listing.columns[place.index]
                if place.start <= offset.x - GUTTER < place.start + place.width + GAP and column.sort:
                    self.post_message(self.SortAsked(self, column.sort))
            return
        index = self._top + offset.y - self._header
        if not 0 <= index < len(self.listing):
            return
        self.move_to(index, -1)
        if event.chain == 2:
            self.post_message(self.Activated(self, self._key))

    def on_resize(self, event: events.Resize) -> None:
        self._places = self._fit()
        self.refresh()
        if self._cursor >= 0:
            self._reveal(self._cursor)

    def watch_show_vertical_scrollbar(self) -> None:
        """A scrollbar that comes or goes takes or gives a column."""
        self._places = self._fit()
        self.refresh()

    def on_focus(self, event: events.Focus) -> None:
        self._refresh_row(self._cursor)

    def on_blur(self, event: events.Blur) -> None:
        self._refresh_row(self._cursor)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._painted.clear()
            self.post_message(self.Scrolled(self))
