"""LogView: a pane over a LogRing. Only lines on the screen are cleaned and painted, at most ten times a second."""

from __future__ import annotations

import re
import time
from bisect import bisect_left
from typing import NamedTuple

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from orchtui.core.text import count
from orchtui.model.logs import LogBatch
from orchtui.tui.columns import Cell
from orchtui.tui.logring import LogLine, LogRing, Search, clean, tags
from orchtui.tui.paint import cut, flow
from orchtui.tui.theme import Palette, palette_of

FRAME = 0.1
"""Seconds between two paintings of a flood."""
STEP = 8
WHEEL = 3
_LEVELS = re.compile(r"\b(?:(?P<bad>FATAL|PANIC|CRIT(?:ICAL)?|ERROR)|(?P<warn>WARN(?:ING)?))\b")


class _Spot(NamedTuple):
    """A line by sequence number and, when wrapped, a row of it."""

    sequence: int
    row: int


class LogView(Widget, can_focus=True):
    """Follows the newest lines until a person scrolls back; `G` or scrolling to the end follows again."""

    DEFAULT_CSS = "LogView { height: 1fr; }"
    stderr_sign = "▌"

    def __init__(self, *, id: str | None = None, classes: str | None = None, ring: LogRing | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.ring = LogRing() if ring is None else ring
        self.follow = True
        self.wrap = False
        self.times = False
        self.search: Search | None = None
        self._top = _Spot(0, 0)
        self._left = 0
        self._match = -1
        self._page: list[_Spot] | None = None
        self._seen_end = 0
        self._painted_at = 0.0
        self._timer_set = False
        self._message: tuple[Cell, ...] = (("select a service or a container to see its logs", "muted"),)
        self._tags: list[str] = []
        self._tag_width = 0

    # --- data in ------------------------------------------------------------------------------------------------------

    def append(self, batch: LogBatch) -> None:
        """Add lines; they are on the screen within a tenth of a second."""
        names = len(self.ring.names)
        self.ring.append(batch)
        if len(self.ring.names) != names:
            self._tags = tags(self.ring.names)
            self._tag_width = min(20, max(map(cell_len, self._tags)))
        self._soon()

    def note(self, text: str) -> None:
        """A line of ours among theirs."""
        self.ring.note(text)
        self._soon()

    def clear(self, *message: Cell) -> None:
        """Forget all lines; `message` stands in their place until one comes."""
        self.ring.clear()
        self._tags, self._tag_width = [], 0
        self.follow, self._left, self._match = True, 0, -1
        self._message = message
        self._changed()

    def say(self, *message: Cell) -> None:
        """What stands there while there are no lines."""
        self._message = message
        if not len(self.ring):
            self._changed()

    def _soon(self) -> None:
        if self._timer_set:
            return
        wait = self._painted_at + FRAME - time.monotonic()
        if wait <= 0:
            self._paint()
        else:
            self._timer_set = True
            self.set_timer(wait, self._paint)

    def _paint(self) -> None:
        self._timer_set = False
        self._painted_at = time.monotonic()
        if self.follow or self._top.sequence < self.ring.first or not self._is_full():
            self._changed()
        else:
            self.refresh(Region(0, self.size.height - 1, self.size.width, 1))

    def _is_full(self) -> bool:
        return self._page is not None and len(self._page) >= self._height

    def _changed(self) -> None:
        self._page = None
        self.refresh()

    # --- what a person sets -------------------------------------------------------------------------------------------

    def toggle_follow(self) -> None:
        if self.follow:
            self._stand_still()
        else:
            self.follow = True
        self._changed()

    def toggle_wrap(self) -> None:
        self.wrap, self._left = not self.wrap, 0
        self._top = _Spot(self._top.sequence, 0)
        self._changed()

    def toggle_times(self) -> None:
        self.times = not self.times
        self._changed()

    def find(self, search: Search | None, *, only_matches: bool = True) -> None:
        """Highlight `search` and, with `only_matches`, hide the other lines. None ends it."""
        self.search = search
        self._match = -1
        self.ring.filter(search.matches if search is not None and only_matches else None)
        self._changed()

    def next_match(self, step: int) -> bool:
        """Go to the next (1) or previous (-1) matching line, round the ends; False when there is none."""
        search, count_ = self.search, len(self.ring)
        if search is None or not count_:
            return False
        start = self._match if self._match >= self.ring.first else (self._spots()[0].sequence - step)
        for distance in range(1, count_ + 1):
            sequence = self.ring.first + (start - self.ring.first + step * distance) % count_
            line = self.ring[sequence]
            if line.source >= 0 and search.matches(clean(line.text)):
                self._match = sequence
                self.follow = False
                self._top = _Spot(sequence, 0)
                self._move(-(self._height // 3))
                return True
        return False

    # --- positions ----------------------------------------------------------------------------------------------------

    @property
    def _height(self) -> int:
        return max(1, self.size.height)

    @property
    def _prefix(self) -> int:
        width = 2
        width += 13 if self.times else 0
        return width + (self._tag_width + 3 if len(self._tags) > 1 else 0)

    def _rows_of(self, sequence: int) -> int:
        if not self.wrap:
            return 1
        return len(self._wrapped(clean(self.ring[sequence].text)))

    def _wrapped(self, text: str) -> list[str]:
        room = max(8, self.size.width - self._prefix)
        if text.isascii():
            return [text[start : start + room] for start in range(0, len(text), room)] or [""]
        return chop_cells(text, room) or [""]

    def _step(self, spot: _Spot, by: int) -> _Spot | None:
        """The spot one row on (1) or back (-1); None beyond the ends."""
        if by > 0:
            if spot.row + 1 < self._rows_of(spot.sequence):
                return _Spot(spot.sequence, spot.row + 1)
            following = self._neighbour(spot.sequence, 1)
            return None if following is None else _Spot(following, 0)
        if spot.row > 0:
            return _Spot(spot.sequence, spot.row - 1)
        before = self._neighbour(spot.sequence, -1)
        return None if before is None else _Spot(before, self._rows_of(before) - 1)

    def _neighbour(self, sequence: int, by: int) -> int | None:
        shown = self.ring.shown
        if shown is None:
            other = sequence + by
        else:
            place = bisect_left(shown, sequence)
            place = place - 1 if by < 0 else place + (place < len(shown) and shown[place] == sequence)
            if not 0 <= place < len(shown):
                return None
            other = shown[place]
        return other if self.ring.first <= other < self.ring.end else None

    def _last(self) -> _Spot | None:
        sequence = self._neighbour(self.ring.end, -1)
        return None if sequence is None else _Spot(sequence, self._rows_of(sequence) - 1)

    def _spots(self) -> list[_Spot]:
        """What stands on each row of the pane, from the top."""
        if self._page is None:
            self._page = self._compute_page()
        return self._page

    def _compute_page(self) -> list[_Spot]:
        page: list[_Spot] = []
        spot: _Spot | None
        if self.follow:
            spot = self._last()
            while spot is not None and len(page) < self._height:
                page.append(spot)
                spot = self._step(spot, -1)
            page.reverse()
            return page
        spot = self._top
        if self._neighbour(spot.sequence - 1, 1) != spot.sequence:
            sequence = self._neighbour(max(spot.sequence, self.ring.first) - 1, 1)
            spot = self._last() if sequence is None else _Spot(sequence, 0)
        while spot is not None and len(page) < self._height:
            page.append(spot)
            spot = self._step(spot, 1)
        if page:
            self._top = page[0]
        return page

    def _stand_still(self) -> None:
        page = self._spots()
        self._top = page[0] if page else _Spot(self.ring.first, 0)
        self._seen_end = self.ring.end
        self.follow = False

    def _move(self, rows: int) -> None:
        """Scroll; reaching the end follows again."""
        page = self._spots()
        if not page:
            return
        if self.follow:
            if rows >= 0:
                return
            self._stand_still()
        spot = self._top
        for _ in range(abs(rows)):
            step = self._step(spot, 1 if rows > 0 else -1)
            if step is None:
                break
            spot = step
        self._top = spot
        self._page = None
        page = self._spots()
        if rows > 0 and (len(page) < self._height or page[-1] == self._last()):
            self.follow = True
        self._changed()

    # --- painting -----------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        palette = palette_of(self.app)
        base = self.rich_style
        spots = self._spots()
        if not spots:
            message = self._message
            if len(self.ring) and self.search is not None:
                message = ((f"none of {count(len(self.ring), 'line')} matches", "muted"),)
            segments = flow((("  ", ""), *message, ("", "")), width, palette, base) if y == 0 else []
            return Strip(segments).adjust_cell_length(width, base)
        if y == self._height - 1 and not self.follow:
            return self._standing(width, palette, base)
        if y >= len(spots):
            return Strip.blank(width, base)
        spot = spots[y]
        line = self.ring[spot.sequence]
        if line.source < 0:
            return Strip([Segment(cut("  " + line.text, width), base + palette["warn"])])
        segments = self._head(line, spot.row, palette, base)
        segments += self._body(line, spot, width - self._prefix, palette, base)
        return Strip(segments).adjust_cell_length(width, base)

    def _standing(self, width: int, palette: Palette, base: Style) -> Strip:
        newer = self.ring.end - self._seen_end
        words = f"{count(newer, 'newer line')} below" if newer > 0 else "standing still"
        cells: tuple[Cell, ...] = ((f"  {words}", "warn"), ("  G or s follows", "muted"), ("", ""))
        return Strip(flow(cells, width, palette, base + palette["cursor-blurred"])).adjust_cell_length(
            width, base + palette["cursor-blurred"]
        )

    def _head(self, line: LogLine, row: int, palette: Palette, base: Style) -> list[Segment]:
        if row:
            return [Segment(" " * self._prefix, base)]
        sign = self.stderr_sign if line.stderr else " "
        segments = [Segment(sign + " ", base + palette["bad"])]
        if self.times:
            segments.append(Segment(_clock(line.at) + " ", base + palette["muted"]))
        if len(self._tags) > 1:
            tag = cut(self._tags[line.source], self._tag_width)
            segments.append(Segment(tag, base + palette.replica(line.source)))
            segments.append(Segment(" │ ", base + palette["muted"]))
        return segments

    def _body(self, line: LogLine, spot: _Spot, room: int, palette: Palette, base: Style) -> list[Segment]:
        text = clean(line.text)
        if self.wrap:
            rows = self._wrapped(text)
            text = rows[spot.row] if spot.row < len(rows) else ""
        else:
            text = text[self._left :]
        if room <= 0:
            return []
        text = text if len(text) <= room and cell_len(text) <= room else cut(text, room)
        spans: list[tuple[int, int, str]] = []
        if self.search is not None and not self.search.inverse:
            token = "match-current" if spot.sequence == self._match else "match"
            spans = [(m.start(), m.end(), token) for m in self.search.pattern.finditer(text) if m.end() > m.start()]
        if not spans:
            spans = [(m.start(), m.end(), m.lastgroup or "") for m in _LEVELS.finditer(text)]
        segments = []
        done = 0
        for start, end, token in spans:
            segments.append(Segment(text[done:start], base))
            segments.append(Segment(text[start:end], base + palette[token]))
            done = end
        segments.append(Segment(text[done:], base))
        return [segment for segment in segments if segment.text]

    def visible_text(self) -> str:
        """The lines on the screen, cleaned, for the clipboard."""
        sequences = dict.fromkeys(spot.sequence for spot in self._spots())
        return "\n".join(clean(self.ring[sequence].text) for sequence in sequences)

    # --- keys and mouse -----------------------------------------------------------------------------------------------

    def action_scroll_down(self) -> None:
        self._move(1)

    def action_scroll_up(self) -> None:
        self._move(-1)

    def action_page_down(self) -> None:
        self._move(max(1, self._height - 1))

    def action_page_up(self) -> None:
        self._move(-max(1, self._height - 1))

    def action_half_page_down(self) -> None:
        self._move(max(1, self._height // 2))

    def action_half_page_up(self) -> None:
        self._move(-max(1, self._height // 2))

    def action_scroll_home(self) -> None:
        self._stand_still()
        self._top = _Spot(self.ring.first, 0)
        self._changed()

    def action_scroll_end(self) -> None:
        self.follow = True
        self._changed()

    def action_scroll_left(self) -> None:
        self._left = max(0, self._left - STEP)
        self._changed()

    def action_scroll_right(self) -> None:
        if not self.wrap:
            self._left += STEP
            self._changed()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._move(WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._move(-WHEEL)

    def on_resize(self, event: events.Resize) -> None:
        self._changed()


def _clock(at: float) -> str:
    """`12:34:56.789` in UTC, as all log times are."""
    parts = time.gmtime(at)
    return f"{parts.tm_hour:02}:{parts.tm_min:02}:{parts.tm_sec:02}.{int(at % 1 * 1000):03}"
