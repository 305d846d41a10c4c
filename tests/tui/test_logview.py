"""The ring of log lines and its pane: bounds, following, finding, wrapping, and lines that mean harm."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import ComposeResult

from orchtui.model.logs import LogBatch
from orchtui.tui.logring import MAX_LINE, LogRing, Search, clean, parse_search, tags
from orchtui.tui.logview import LogView
from orchtui.tui.safety import SafeApp
from tests.support.until import until
from tests.support.worlds import log_lines
from tests.tui.cells import UNSAFE, assert_harmless, line_with, lines, text


def numbered(start: int, stop: int) -> LogBatch:
    return log_lines(*(f"line {n}" for n in range(start, stop)))


# --- the ring ---------------------------------------------------------------------------------------------------------


def kept(ring: LogRing) -> list[str]:
    return [ring[sequence].text for sequence in range(ring.first, ring.end)]


def test_the_ring_is_bounded_in_lines() -> None:
    ring = LogRing(max_lines=10)
    for start in range(0, 100, 7):
        ring.append(numbered(start, start + 7))
    assert kept(ring) == [f"line {n}" for n in range(95, 105)]
    assert (ring.first, ring.end) == (95, 105), "sequence numbers go on"


def test_of_a_large_batch_only_the_tail_is_kept() -> None:
    ring = LogRing(max_lines=10)
    ring.append(numbered(0, 5000))
    assert kept(ring) == [f"line {n}" for n in range(4990, 5000)]


def test_the_ring_is_bounded_in_bytes() -> None:
    ring = LogRing(max_lines=1000, max_bytes=100_000)
    for _ in range(50):
        ring.append(log_lines("x" * 10_000))
    assert ring.bytes <= 100_000
    assert 5 <= len(ring) <= 10


def test_one_huge_line_is_cut() -> None:
    ring = LogRing()
    ring.append(log_lines("y" * 1_000_000))
    assert len(ring[0].text) < MAX_LINE + 40
    assert ring[0].text.endswith(f"… (+{1_000_000 - MAX_LINE} characters)")


def test_skipped_lines_and_notes_stand_where_they_belong() -> None:
    ring = LogRing()
    ring.append(log_lines("before"))
    ring.append(LogBatch(names=("a",), times=(1.0,), source=(0,), stderr=(False,), lines=("after",), skipped=312,
                         note="the container ended"))  # fmt: skip
    assert kept(ring) == ["before", "⚠ 312 lines skipped", "after", "the container ended"]


def test_sources_keep_their_number_between_batches() -> None:
    ring = LogRing()
    ring.append(log_lines("1", "2", names=("web-1", "web-2")))
    ring.append(log_lines("3", names=("web-2",)))
    assert [ring[n].source for n in range(3)] == [0, 1, 1]


def test_the_filter_follows_new_lines() -> None:
    ring = LogRing(max_lines=5)
    ring.append(log_lines("keep 1", "drop", "keep 2"))
    ring.filter(lambda line: "keep" in line)
    assert ring.shown == [0, 2]
    ring.append(log_lines("drop", "keep 3"))
    assert ring.shown == [0, 2, 4]
    ring.filter(None)
    assert ring.shown is None


@pytest.mark.parametrize(
    ("written", "line", "expected"),
    [
        ("error", "an ERROR here", True),
        ("Error", "an ERROR here", False),
        ("!health", "GET /health", False),
        ("!health", "GET /cart", True),
        ("/5[0-9]{2}$/", "status 503", True),
        ("/5[0-9]{2}$/", "503 status", False),
        ("a.c", "abc", False),
    ],
)
def test_searches(written: str, line: str, expected: bool) -> None:
    search = parse_search(written)
    assert search is not None
    assert search.matches(line) is expected


def test_an_empty_search_is_none_and_a_wrong_one_says_so() -> None:
    assert parse_search("") is None
    assert parse_search("!") is None
    with pytest.raises(re.error):
        parse_search("/(/")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("\x1b[31mred\x1b[0m plain", "red plain"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]52;c;aGk=\x1b\\text", "text"),
        ("\x1b]8;;http://evil\x07link\x1b]8;;\x07", "link"),
        ("\x1bPdevice\x1b\\text", "text"),
        ("\x9b31mred", "red"),
        ("a\tb", "a       b"),
        ("10%\r50%\r100%", "100%"),
        ("bell\x07 and \x1b", "bell␇ and ␛"),
        ("\u202eright to left", "\\u202eright to left"),
        ("[bold]not markup[/bold]", "[bold]not markup[/bold]"),
    ],
)
def test_cleaning(raw: str, expected: str) -> None:
    assert clean(raw) == expected


@given(st.text(alphabet=st.characters() | st.sampled_from("\x1b[]m;\\\x07\x9b\r\t")))
def test_nothing_unsafe_survives_cleaning(raw: str) -> None:
    assert not UNSAFE.search(clean(raw))


def test_tags_keep_what_tells_sources_apart() -> None:
    assert tags(["shop-web-1", "shop-web-2"]) == ["web-1", "web-2"]
    assert tags(["shop-web-1", "shop-api-1"]) == ["web-1", "api-1"]
    assert tags(["solo"]) == ["solo"]
    assert tags(["a_b.1.x", "a_b.2.y"]) == ["1.x", "2.y"] or tags(["a_b.1.x", "a_b.2.y"]) == ["b.1.x", "b.2.y"]


# --- the pane ---------------------------------------------------------------------------------------------------------


class LogApp(SafeApp[None]):
    def __init__(self, ring: LogRing | None = None) -> None:
        super().__init__()
        self.view = LogView(ring=ring)

    def compose(self) -> ComposeResult:
        yield self.view


def shown(app: LogApp) -> list[str]:
    return [line.strip() for line in lines(app) if line.strip()]


async def test_it_follows_stands_still_and_follows_again() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 6)):
        app.view.append(numbered(0, 50))
        await until(lambda: shown(app) == [f"line {n}" for n in range(44, 50)])
        app.view.action_scroll_up()
        app.view.append(numbered(50, 53))
        await until(lambda: "3 newer lines below" in text(app))
        assert shown(app)[:5] == [f"line {n}" for n in range(43, 48)], "what is read stays where it is"
        app.view.action_scroll_end()
        await until(lambda: shown(app)[-1] == "line 52")


async def test_scrolling_down_to_the_end_follows() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 6)) as pilot:
        app.view.append(numbered(0, 30))
        await until(lambda: "line 29" in text(app))
        app.view.action_page_up()
        await until(lambda: not app.view.follow)
        for _ in range(10):
            app.view.action_page_down()
        await pilot.pause()
        assert app.view.follow
        app.view.action_scroll_home()
        await pilot.pause()
        assert shown(app)[0] == "line 0"


async def test_what_a_person_reads_may_leave_the_ring() -> None:
    app = LogApp(LogRing(max_lines=20))
    async with app.run_test(size=(60, 6)):
        app.view.append(numbered(0, 20))
        app.view.action_scroll_home()
        await until(lambda: "line 0" in text(app))
        app.view.append(numbered(20, 60))
        await until(lambda: shown(app)[0] == "line 40", what="the oldest line that is left")


async def test_a_filter_hides_and_a_search_moves() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 6)) as pilot:
        app.view.append(numbered(0, 100))
        app.view.find(parse_search("line 7"))
        await until(lambda: shown(app) == [f"line 7{n}" for n in range(4, 10)])
        app.view.find(parse_search("!line"))
        await until(lambda: "none of 100 lines matches" in text(app))
        app.view.find(Search(re.compile("line 5$")), only_matches=False)
        assert app.view.next_match(1)
        await pilot.pause()
        assert "line 5" in shown(app)
        assert not app.view.follow
        app.view.find(parse_search("absent"), only_matches=False)
        assert not app.view.next_match(-1)


async def test_wrapping_and_sideways() -> None:
    app = LogApp()
    async with app.run_test(size=(22, 8)) as pilot:
        app.view.append(log_lines("abcdefghij" * 5, "end"))
        await until(lambda: "end" in text(app))
        assert "klm" not in text(app)
        app.view.toggle_wrap()
        await pilot.pause()
        assert shown(app) == ["abcdefghijabcdefghij", "abcdefghijabcdefghij", "abcdefghij", "end"]
        app.view.toggle_wrap()
        app.view.action_scroll_right()
        await pilot.pause()
        assert shown(app)[0].startswith("ijabcdefghij")


async def test_wide_characters_wrap_within_the_width() -> None:
    app = LogApp()
    async with app.run_test(size=(22, 8)) as pilot:
        app.view.append(log_lines("漢字" * 15))
        app.view.toggle_wrap()
        await pilot.pause()
        await until(lambda: len(shown(app)) == 3)
        assert all(app.view.render_line(y).cell_length == 22 for y in range(8))


async def test_several_sources_carry_tags_and_stderr_a_sign() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 8)) as pilot:
        app.view.append(log_lines("one", "two", names=("shop-web-1", "shop-web-2")))
        app.view.append(log_lines("bad", names=("shop-web-2",), stderr=True))
        app.view.toggle_times()
        await pilot.pause()
        await until(lambda: "web-1 │ one" in text(app))
        assert line_with(app, "web-2 │ bad").startswith("▌ 22:13:19.000")


async def test_words_stand_in_place_of_lines() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 8)) as pilot:
        app.view.clear(("waiting for logs of web …", "muted"))
        await pilot.pause()
        assert "waiting for logs of web …" in text(app)
        app.view.say(("no such container", "bad"))
        await pilot.pause()
        assert "no such container" in text(app)
        app.view.append(log_lines("at last"))
        await until(lambda: shown(app) == ["at last"])


async def test_a_flood_is_painted_at_most_ten_times_a_second() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 8)):
        paints = 0
        page = app.view._compute_page

        def counted() -> object:
            nonlocal paints
            paints += 1
            return page()

        app.view._compute_page = counted  # type: ignore[assignment,method-assign]
        for n in range(500):
            app.view.append(numbered(n * 100, n * 100 + 100))
        await until(lambda: "line 49999" in text(app))
        assert paints < 30
        assert len(app.view.ring) == 20_000


HOSTILE = (
    "\x1b]52;c;ZXZpbA==\x07clipboard",
    "\x1b[2J\x1b[H cleared",
    "\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\",
    "[red]markup[/red] [@click=app.quit]press[/]",
    "\u202egnp.exe \u2066isolate\u2069 zero\u200bwidth",
    "nul\x00 bell\x07 c1\x85\x9b31m",
)


@pytest.mark.parametrize("wrap", [False, True])
async def test_hostile_lines_are_shown_not_obeyed(wrap: bool) -> None:
    app = LogApp()
    async with app.run_test(size=(70, 12)) as pilot:
        app.view.append(log_lines(*HOSTILE, names=("\x1b]0;name\x07-1", "\u202eeman-2")))
        if wrap:
            app.view.toggle_wrap()
        await pilot.pause()
        await until(lambda: "markup" in text(app))
        assert_harmless(app)
        assert "[red]markup[/red] [@click=app.quit]press[/]" in text(app)
        assert not UNSAFE.search(app.view.visible_text().replace("\n", ""))
