"""LineTable: cursor and scroll stick to keys, and only what changed is painted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.geometry import Region

from orchtui.tui.columns import Cell, Column, Listing, Row
from orchtui.tui.safety import SafeApp
from orchtui.tui.table import LineTable
from tests.support.until import until
from tests.tui.cells import assert_harmless, line_with, lines, text

COLUMNS = (
    Column(key="name", title="NAME", least=10, grow=True, sort="name"),
    Column(key="value", title="VALUE", least=8, right=True),
)


def listing(rows: dict[str, str], *, age: Callable[[float], str] = lambda now: "") -> Listing:
    keys = tuple(rows)

    def make(index: int, now: float) -> Row:
        return Row(keys[index], ((keys[index], ""), (rows[keys[index]] + age(now), "good")))

    return Listing(columns=COLUMNS, keys=keys, natural=(12, 8), make=make, total=len(rows), sort="name")


class Watched(LineTable):
    """Records what it dirties."""

    dirtied: ClassVar[list[Region]] = []

    def _set_dirty(self, *regions: Region) -> None:
        self.dirtied.extend(regions or (Region(0, 0, 999, 999),))
        super()._set_dirty(*regions)


class TableApp(SafeApp[None]):
    def __init__(self) -> None:
        super().__init__()
        self.table = Watched()
        self.moves: list[tuple[str, bool]] = []
        self.other: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_line_table_moved(self, event: LineTable.Moved) -> None:
        self.moves.append((event.key, event.by_person))

    def on_line_table_activated(self, event: LineTable.Activated) -> None:
        self.other.append(f"enter {event.key}")

    def on_line_table_sort_asked(self, event: LineTable.SortAsked) -> None:
        self.other.append(f"sort {event.column}")


def numbered(count: int) -> dict[str, str]:
    return {f"row-{n}": str(n) for n in range(count)}


async def test_a_changed_cell_dirties_that_cell_only() -> None:
    app = TableApp()
    async with app.run_test(size=(40, 10)) as pilot:
        app.table.show(listing(numbered(5)), 0.0)
        await pilot.pause()
        app.table.dirtied.clear()
        app.table.show(listing({**numbered(5), "row-3": "99"}), 0.0)
        assert app.table.dirtied == [Region(2 + 14, 4, 8, 1)]
        await pilot.pause()
        assert "99" in line_with(app, "row-3")
        app.table.dirtied.clear()
        app.table.show(listing({**numbered(5), "row-3": "99"}), 0.0)
        app.table.tick(60.0)
        assert app.table.dirtied == [], "nothing changed, nothing is painted"


async def test_an_age_that_moves_on_is_painted_by_the_tick() -> None:
    app = TableApp()
    async with app.run_test(size=(40, 10)) as pilot:
        app.table.show(listing(numbered(3), age=lambda now: f"+{now:.0f}s"), 0.0)
        await pilot.pause()
        app.table.tick(7.0)
        await pilot.pause()
        assert "1+7s" in line_with(app, "row-1")


async def test_the_cursor_moves_by_two_lines_and_stays_on_its_key() -> None:
    app = TableApp()
    async with app.run_test(size=(40, 10)) as pilot:
        app.table.show(listing(numbered(5)), 0.0)
        app.table.focus()
        await pilot.pause()
        app.table.dirtied.clear()
        app.table.action_cursor_down()
        assert sorted(region.y for region in app.table.dirtied) == [1, 2]
        assert app.table.cursor_key == "row-1"
        app.table.show(listing({"new-a": "", "new-b": "", **numbered(5)}), 0.0)
        assert app.table.cursor_key == "row-1", "rows that came before it do not matter"
        app.table.show(listing({"row-0": "", "row-2": "", "row-3": ""}), 0.0)
        await pilot.pause()
        assert app.table.cursor_key == "row-3", "its row is gone: the next one at its place"
        assert app.moves[-1] == ("row-3", False)
        assert line_with(app, "row-3").startswith("▸")


async def test_scrolling_sticks_to_the_top_row() -> None:
    app = TableApp()
    async with app.run_test(size=(40, 6)) as pilot:
        app.table.show(listing(numbered(100)), 0.0)
        await pilot.pause()
        app.table.move_to(50)
        app.table.move_to(48)
        await pilot.pause()
        top = app.table.visible_keys[0]
        app.table.show(listing({"first": "", "second": "", **numbered(100)}), 0.0)
        await pilot.pause()
        assert app.table.visible_keys[0] == top
        assert app.table.cursor_key == "row-48"


async def test_ten_thousand_rows_make_only_what_is_seen() -> None:
    app = TableApp()
    made: list[int] = []
    whole = listing(numbered(10_000))

    def make(index: int, now: float) -> Row:
        made.append(index)
        return whole.make(index, now)

    async with app.run_test(size=(40, 12)) as pilot:
        app.table.show(replace(whole, make=make), 0.0)
        await pilot.pause()
        app.table.action_cursor_bottom()
        await until(lambda: "row-9999" in text(app))
        assert len(made) < 100


async def test_keys_pages_and_ends() -> None:
    app = TableApp()
    async with app.run_test(size=(40, 11)) as pilot:
        app.table.show(listing(numbered(30)), 0.0)
        await pilot.pause()
        for action, expected in (
            (app.table.action_page_down, "row-9"),
            (app.table.action_page_up, "row-0"),
            (app.table.action_cursor_bottom, "row-29"),
            (app.table.action_cursor_down, "row-29"),
            (app.table.action_cursor_top, "row-0"),
            (app.table.action_cursor_up, "row-0"),
        ):
            action()
            assert app.table.cursor_key == expected
        assert app.moves == [] or all(by_person for _, by_person in app.moves[1:])


async def test_the_cursor_passes_over_fixed_rows() -> None:
    app = TableApp()
    async with app.run_test(size=(40, 11)) as pilot:
        app.table.show(listing({"#head": "", "a": "", "#middle": "", "b": ""}), 0.0)
        await pilot.pause()
        assert app.table.cursor_key == "a"
        app.table.action_cursor_down()
        assert app.table.cursor_key == "b"
        app.table.action_cursor_top()
        assert app.table.cursor_key == "a"


async def test_mouse() -> None:
    app = TableApp()
    async with app.run_test(size=(40, 11)) as pilot:
        app.table.show(listing(numbered(30)), 0.0)
        await pilot.pause()
        await pilot.click(app.table, offset=(5, 4))
        assert app.table.cursor_key == "row-3"
        await pilot.click(app.table, offset=(5, 6), times=2)
        await pilot.click(app.table, offset=(4, 0))
        await pilot.pause()
        assert app.other == ["enter row-5", "sort name"]


async def test_marks_are_kept_by_key_and_shown_by_a_sign() -> None:
    app = TableApp()
    async with app.run_test(size=(40, 11)) as pilot:
        app.table.show(listing(numbered(4)), 0.0)
        app.table.set_marks(frozenset({"row-1", "row-2"}))
        app.table.show(listing({"row-2": "", "row-3": ""}), 0.0)
        await pilot.pause()
        assert app.table.marks == {"row-2"}
        assert line_with(app, "row-2").startswith("◆")


async def test_states_without_rows() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 5)) as pilot:
        app.table.say(("connecting to prod …", "muted"))
        await pilot.pause()
        assert "connecting to prod …" in text(app)
        app.table.show(Listing(columns=COLUMNS, natural=(0, 0), empty=(("no rows", "muted"),)), 0.0)
        await pilot.pause()
        assert "no rows" in text(app)
        assert app.table.cursor_key == ""
        app.table.show(listing(numbered(2)), 0.0)
        await pilot.pause()
        assert "row-1" in text(app)
        assert "no rows" not in text(app)


async def test_rows_that_go_away_leave_nothing_behind() -> None:
    app = TableApp()
    async with app.run_test(size=(40, 8)) as pilot:
        app.table.show(listing(numbered(6)), 0.0)
        await pilot.pause()
        app.table.show(listing(numbered(2)), 0.0)
        await pilot.pause()
        shown = [line for line in lines(app) if "row-" in line]
        assert len(shown) == 2


HOSTILE: Sequence[Cell] = (
    ("\x1b]52;c;aGk=\x07clip", ""),
    ("\x1b[31mred[/red] [bold]markup[/bold]", ""),
    ("\u202egnp.exe\u2066\u200b", ""),
    ("wide 漢字 and \U0001f680 and e\u0301", ""),
    ("new\nline\rreturn\ttab", ""),
)


async def test_hostile_cells_are_shown_not_obeyed() -> None:
    rows = {str(n): Row(str(n), (cell, cell)) for n, cell in enumerate(HOSTILE)}
    evil = Listing(columns=COLUMNS, keys=tuple(rows), natural=(40, 8), make=lambda index, now: rows[str(index)])
    app = TableApp()
    async with app.run_test(size=(70, 8)) as pilot:
        app.table.show(evil, 0.0)
        await pilot.pause()
        assert_harmless(app)
        assert "[bold]markup[/bold]" in text(app)
        assert "␛]52" in text(app)
        assert all(strip.cell_length == 70 for strip in (app.table.render_line(y) for y in range(6)))
