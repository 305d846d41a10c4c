"""Dialogs and detail screens: what they answer, how they are used by keys and mouse, and how they look."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Button, Input, OptionList, Static

from orchtui.commands import Act, Command, Down, Rollback, Scale, Target
from orchtui.engine import Capability
from orchtui.errors import DockerUnreachable
from orchtui.model.description import Description, Field, Section
from orchtui.model.plan import Change, Plan, Step
from orchtui.tui import layout
from orchtui.tui.screens.confirm import ConfirmScreen, typed_name
from orchtui.tui.screens.describe import DescribeScreen
from orchtui.tui.screens.help import HelpScreen, help_lines
from orchtui.tui.screens.history import HistoryScreen
from orchtui.tui.screens.menu import MenuItem, MenuScreen, container_items, service_items
from orchtui.tui.screens.palette import HITS, Entry, PaletteScreen, key_entries, search
from orchtui.tui.screens.scale import ScaleScreen
from orchtui.tui.textview import TextView
from tests.support.memory import MemoryEngine
from tests.support.until import until
from tests.tui import cells
from tests.tui.host import (
    CONTAINER,
    DESCRIPTION,
    NOW,
    REVISIONS,
    ROLLBACK_PLAN,
    SCALE_PLAN,
    SERVICE,
    TARGET,
    Host,
)

ALL = frozenset(Capability)
SIZES = ((80, 24), (160, 50))
PLACE = "prod-1 · context default"
REMOVE = Act(verb="remove", target=TARGET)
REMOVE_PLAN = Plan(
    summary="hello-web-1 goes with its anonymous volumes",
    steps=(Step(verb="remove", subject="hello-web-1", cause="asked for by a person"),),
    risks=("What it wrote outside of named volumes is lost.",),
)


def engine() -> MemoryEngine:
    made = MemoryEngine()
    made.descriptions[TARGET.key] = DESCRIPTION
    made.revisions["hello"] = REVISIONS
    made.changes = ROLLBACK_PLAN.changes
    return made


def confirm(command: Command, plan: Plan) -> ConfirmScreen:
    return ConfirmScreen(command, plan, host="prod-1", context="default")


async def answers(screen: Screen[Any], *keys: str, click: str = "", size: tuple[int, int] = (80, 24)) -> list[Any]:
    """What `screen` was dismissed with after `keys` and a click."""
    app = Host(lambda: screen)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        if click:
            await pilot.click(click)
        await pilot.pause()
    return app.answers


def lines(made: list[layout.Line]) -> list[str]:
    return ["".join(text for text, _ in line).rstrip() for line in made]


# --- confirm

SMALL = Scale(service="hello/web", replicas=5)


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("y",), [True]),
        (("right", "enter"), [True]),
        (("tab", "enter"), [True]),
        (("enter",), [False]),
        (("n",), [False]),
        (("escape",), [False]),
        (("q",), [False]),
        (("ctrl+c",), [False]),
        (("j", "pagedown", "x", "1"), []),
    ],
)
async def test_only_an_explicit_yes_confirms(keys: tuple[str, ...], answer: list[bool]) -> None:
    assert await answers(confirm(SMALL, SCALE_PLAN), *keys) == answer


@pytest.mark.parametrize(("button", "answer"), [("#yes", [True]), ("#no", [False])])
async def test_the_mouse_confirms(button: str, answer: list[bool]) -> None:
    assert await answers(confirm(SMALL, SCALE_PLAN), click=button) == answer


async def test_a_click_beside_the_dialog_cancels() -> None:
    app = Host(lambda: confirm(SMALL, SCALE_PLAN))
    async with app.run_test(size=(160, 50)) as pilot:
        await pilot.pause()
        await pilot.click(offset=(1, 1))
        await pilot.pause()
    assert app.answers == [False]


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        ((*"hello-web-1", "enter"), [True]),
        ((*"hello-web-2", "enter"), []),
        (("enter",), []),
        ((*"hello-web-1", "escape"), [False]),
        ((*"hello-web-1", "ctrl+c"), [False]),
        (("shift+tab", "y"), []),
        (("tab", "enter"), [False]),
    ],
)
async def test_what_loses_data_wants_the_name(keys: tuple[str, ...], answer: list[bool]) -> None:
    assert await answers(confirm(REMOVE, REMOVE_PLAN), *keys) == answer


async def test_the_yes_button_waits_for_the_name() -> None:
    screen = confirm(Down(stack="hello", volumes=True), REMOVE_PLAN)
    app = Host(lambda: screen)
    async with app.run_test() as pilot:
        await pilot.pause()
        assert screen.query_one("#yes", Button).disabled
        await pilot.press(*"hello")
        assert not screen.query_one("#yes", Button).disabled
        await pilot.click("#yes")
        await pilot.pause()
    assert app.answers == [True]


def test_a_name_that_nobody_can_type_is_confirmed_by_its_id() -> None:
    target = Target(kind="container", key="0123456789abcdef", name="a\u202eb")
    assert typed_name(Act(verb="remove", target=target)) == "0123456789ab"
    assert typed_name(REMOVE) == "hello-web-1"


@pytest.mark.parametrize("keys", [("y",), ("enter",), ("escape",)])
async def test_an_empty_plan_has_nothing_to_confirm(keys: tuple[str, ...]) -> None:
    screen = confirm(SMALL, Plan(summary="hello/web has 5 replicas"))
    app = Host(lambda: screen)
    async with app.run_test() as pilot:
        await pilot.pause()
        assert "Nothing to do" in screen.query_one(TextView).text
        assert not screen.query("#yes")
        await pilot.press(*keys)
        await pilot.pause()
    assert app.answers == ([] if keys == ("y",) else [False])


async def test_the_dialog_says_where_and_at_what_risk() -> None:
    screen = confirm(REMOVE, REMOVE_PLAN)
    async with Host(lambda: screen).run_test() as pilot:
        await pilot.pause()
        place = str(screen.query_one(".place", Static).content)
        assert "prod-1" in place
        assert "context default" in place
        assert TARGET.key[:12] in place
        frame = screen.query_one(".frame")
        assert frame.border_title == "Remove container hello-web-1"
        assert frame.border_subtitle == "cannot be undone"


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (160, 50)])
async def test_long_plans_scroll_and_the_buttons_stay_in_view(size: tuple[int, int]) -> None:
    screen = confirm(Rollback(stack="hello", to="2"), ROLLBACK_PLAN)
    async with Host(lambda: screen).run_test(size=size) as pilot:
        await pilot.pause()
        for button in screen.query(Button):
            assert screen.region.contains_region(button.region), size
        if size[1] < 50:
            await pilot.press("j", "j")
            assert screen.query_one(TextView).scroll_offset.y == 2


async def test_a_resize_is_followed() -> None:
    screen = confirm(Rollback(stack="hello", to="2"), ROLLBACK_PLAN)
    async with Host(lambda: screen).run_test(size=(160, 50)) as pilot:
        await pilot.pause()
        await pilot.resize_terminal(60, 16)
        await pilot.pause()
        assert screen.region.contains_region(screen.query_one("#yes").region)
        assert max(map(layout.line_width, screen.query_one(TextView)._lines)) <= 58


def test_a_plan_lists_risks_first_and_changes_before_steps() -> None:
    text = "\n".join(lines(layout.plan_lines(ROLLBACK_PLAN, 100)))
    order = ["hello becomes", "▲ hello/db", "Changes", "debug → info", "differs, both are hidden", "+ 5s", "Steps",
             " 1 create  hello-web-1.0d8e11ac", "15 rename", "Good to know", "Unchanged  cache"]  # fmt: skip
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)


def test_names_with_markup_and_controls_are_shown_as_they_are() -> None:
    evil = "[red]\x1b[2J\n[/]"
    plan = Plan(summary=evil, steps=(Step(verb="stop", subject=evil, cause=evil),), risks=(evil,),
                changes=(Change(subject=evil, field=evil, old=evil, new=""),), unchanged=(evil,))  # fmt: skip
    text = "\n".join(lines(layout.plan_lines(plan, 80)))
    assert "\x1b" not in text
    assert text.count("[red]␛[2J␊[/]") == 8


# --- the small dialogs


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("enter",), [3]),
        (("plus", "plus", "enter"), [5]),
        (("up", "minus", "minus", "enter"), [2]),
        (("pageup", "enter"), [13]),
        (("pagedown", "enter"), [0]),
        (("ctrl+u", "4", "2", "enter"), [42]),
        (("ctrl+u", "enter"), []),
        (("ctrl+u", *"2000", "enter"), []),
        (("escape",), [None]),
    ],
)
async def test_scale_asks_for_a_number(keys: tuple[str, ...], answer: list[int | None]) -> None:
    assert await answers(ScaleScreen(SERVICE), *keys) == answer


async def test_scale_by_mouse() -> None:
    screen = ScaleScreen(SERVICE)
    app = Host(lambda: screen)
    async with app.run_test() as pilot:
        await pilot.pause()
        for button in ("#more", "#more", "#less"):
            await pilot.click(button)
        assert "from 3: +1" in str(screen.query_one("#now", Static).content)
        await pilot.click("#yes")
        await pilot.pause()
    assert app.answers == [4]


@pytest.mark.parametrize(
    ("keys", "answer"),
    [(("s",), ["stop"]), (("S",), []), (("enter",), ["describe"]), (("down", "enter"), ["logs"]), (("escape",), [None]),
     (("D",), ["remove"])],
)  # fmt: skip
async def test_the_menu_picks_by_letter_and_by_cursor(keys: tuple[str, ...], answer: list[str | None]) -> None:
    assert await answers(MenuScreen("hello-web-1", container_items(CONTAINER, ALL)), *keys) == answer


async def test_the_menu_picks_by_mouse() -> None:
    screen = MenuScreen(
        "x", [MenuItem(key="a", label="first", value="1"), MenuItem(key="b", label="second", value="2")]
    )
    app = Host(lambda: screen)
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.click(OptionList, offset=(3, 1))
        await pilot.pause()
    assert app.answers == ["2"]


def test_menus_say_why_not() -> None:
    look = {item.value: item.why_not for item in container_items(CONTAINER, frozenset({Capability.LOGS}))}
    assert look["describe"] == look["logs"] == ""
    assert look["stop"] == look["remove"] == look["shell"] == "not in look mode"
    able = {item.value: item.why_not for item in container_items(CONTAINER, ALL)}
    assert (able["start"], able["unpause"], able["kill"]) == ("it runs already", "not paused", "")
    assert {item.value: item.why_not for item in service_items(SERVICE, ALL)}["scale"] == ""
    for items in (container_items(CONTAINER, ALL), service_items(SERVICE, ALL)):
        assert len({item.key for item in items}) == len(items)


# --- palette

ENTRIES = [Entry(title, "", title) for title in ("restart web", "stop web", "web logs", "wide eyed bear", "shop/web")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("web", ["web logs", "restart web", "stop web", "shop/web"]),
        ("web stop", ["stop web"]),
        ("sw", ["restart web", "stop web", "shop/web"]),
        ("zzz", []),
        ("", [entry.title for entry in ENTRIES]),
    ],
)
def test_the_palette_finds_the_nearest_first(text: str, found: list[str]) -> None:
    assert [entry.title for entry in search(ENTRIES, text)] == found


def test_the_palette_never_offers_more_than_fifty() -> None:
    many = [Entry(f"container web-{number}", "container", str(number)) for number in range(10_000)]
    assert len(search(many, "")) == len(search(many, "web")) == len(search(many, "cw1")) == HITS == 50


async def test_the_palette_answers_with_the_picked_value() -> None:
    assert await answers(PaletteScreen(ENTRIES), *"stop", "enter") == ["stop web"]
    assert await answers(PaletteScreen(ENTRIES), "down", "down", "up", "enter") == ["stop web"]
    assert await answers(PaletteScreen(ENTRIES), *"zzz", "enter") == []
    assert await answers(PaletteScreen(ENTRIES), "escape") == [None]


async def test_each_hit_of_a_long_palette_is_one_line() -> None:
    app = Host(lambda: PaletteScreen(key_entries("services", ALL)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.screen.query_one(OptionList).max_scroll_y > 0, "more than fits"
        assert re.search(r"go to services +2", cells.text(app)), "its key stands beside it"


def test_the_palette_offers_what_keys_do_once() -> None:
    values = [entry.value for entry in key_entries("services", ALL)]
    assert len(values) == len(set(values))
    assert "screen.scale" in values
    assert "screen.scale" not in [entry.value for entry in key_entries("services", frozenset())]


# --- describe


async def described(pilot: Pilot[None], screen: DescribeScreen, needle: str) -> TextView:
    view = screen.query_one("#text", TextView)
    await until(lambda: needle in view.text)
    await pilot.pause()
    return view


async def test_describe_shows_sections_and_the_inspect_document() -> None:
    screen = DescribeScreen(engine(), TARGET)
    app = Host(lambda: screen)
    async with app.run_test(size=(120, 40)) as pilot:
        view = await described(pilot, screen, "unhealthy")
        assert "✖ unhealthy: 4 probes in a row failed" in view.text
        for key, needle in (
            ("]", '"ExitCode": 137'),
            ("]", "Probes"),
            (",", '"ExitCode": 137'),
            ("semicolon", "Probes"),
        ):
            await pilot.press({"]": "right_square_bracket", ",": "comma"}.get(key, key))
            await described(pilot, screen, needle)
        await pilot.click("#tab-inspect")
        await described(pilot, screen, '"ExitCode": 137')
        await pilot.press("q")
        await pilot.pause()
    assert app.answers == [None]


async def test_search_goes_round_and_says_where_it_is() -> None:
    screen = DescribeScreen(engine(), TARGET)
    async with Host(lambda: screen).run_test() as pilot:
        view = await described(pilot, screen, "unhealthy")
        found = screen.query_one("#found", Static)
        await pilot.press("slash", *"label")
        assert str(found.content) == "1 of 1 match"
        await pilot.press("enter", "slash", "ctrl+u", *"com.docker", "enter")
        assert str(found.content) == "1 of 2 matches"
        at = view.scroll_offset.y
        assert at > 0
        await pilot.press("n")
        assert str(found.content) == "2 of 2 matches"
        await pilot.press("n", "N")
        assert str(found.content) == "2 of 2 matches"
        await pilot.press("slash", *"nowhere")
        assert str(found.content) == "nothing found"
        await pilot.press("escape")
        assert str(found.content) == ""
        assert app_is_on(screen)


def app_is_on(screen: Screen[Any]) -> bool:
    return screen.app.screen is screen


async def test_copy_gives_whole_values_without_controls() -> None:
    made = MemoryEngine()
    long = "x" * 300
    made.descriptions["k"] = Description(
        title="t",
        sections=(Section(title="S", fields=(Field(name="n", value=long), Field(name="e", value="\x1b[2J"))),),
    )
    screen = DescribeScreen(made, Target(kind="container", key="k"))
    app = Host(lambda: screen)
    async with app.run_test() as pilot:
        await described(pilot, screen, "xxx")
        await pilot.press("c")
        assert long in app.clipboard
        assert "\x1b" not in app.clipboard


async def test_an_error_is_said_and_reload_tries_again() -> None:
    class Failing(MemoryEngine):
        down = True

        async def describe(self, target: Target) -> Description:
            if self.down:
                raise DockerUnreachable("Docker does not answer.", hint="Start it.")
            return await super().describe(target)

    made = Failing()
    screen = DescribeScreen(made, TARGET)
    async with Host(lambda: screen).run_test() as pilot:
        view = await described(pilot, screen, "✖ Docker does not answer.")
        assert "Start it." in view.text
        made.down = False
        await pilot.press("ctrl+r")
        await described(pilot, screen, "running")


async def test_half_pages_and_ends() -> None:
    screen = DescribeScreen(engine(), TARGET)
    async with Host(lambda: screen).run_test() as pilot:
        view = await described(pilot, screen, "unhealthy")
        await pilot.press("ctrl+d")
        assert view.scroll_offset.y == view.size.height // 2
        await pilot.press("ctrl+u")
        assert view.scroll_offset.y == 0
        await pilot.press("G")
        await until(lambda: view.scroll_offset.y == view.max_scroll_y)


def test_wrapping_loses_nothing() -> None:
    for text in ("", "a b c " * 40, "x" * 500, "東京" * 60, "one,two," * 30):
        for width in (1, 2, 7, 40):
            pieces = layout.wrap(text, width)
            assert "".join(pieces) == text
            assert all(cell_len(piece) <= max(width, 2) for piece in pieces)


# --- history


async def compared(pilot: Pilot[None], screen: HistoryScreen, words: str) -> None:
    await until(lambda: words in str(screen.query_one(".between", Static).content), what=words)
    await pilot.pause()


async def test_history_compares_with_the_current_or_the_marked_revision() -> None:
    screen = HistoryScreen(engine(), "hello", now=lambda: NOW)
    async with Host(lambda: screen).run_test(size=(120, 40)) as pilot:
        await compared(pilot, screen, "revision 4, current")
        await pilot.press("j")
        await compared(pilot, screen, "current revision 4  →  revision 3")
        assert "debug → info" in screen.query_one("#difference", TextView).text
        await pilot.press("space", "G")
        await compared(pilot, screen, "marked revision 3  →  revision 1")
        await pilot.press("k", "k", "enter")
        await compared(pilot, screen, "current revision 4  →  revision 3")


@pytest.mark.parametrize("key", ["b", "ctrl+l"])
async def test_history_answers_with_a_rollback(key: str) -> None:
    screen = HistoryScreen(engine(), "hello", now=lambda: NOW)
    app = Host(lambda: screen)
    async with app.run_test() as pilot:
        await compared(pilot, screen, "current")
        await pilot.press(key)
        assert app.answers == []  # the current one needs no way back
        await pilot.press("j", "j", key)
        await pilot.pause()
    assert app.answers == [Rollback(stack="hello", to="2")]


async def test_history_without_the_capability_only_looks() -> None:
    made = MemoryEngine(capabilities=frozenset({Capability.LOGS}))
    made.revisions["hello"] = REVISIONS
    screen = HistoryScreen(made, "hello", now=lambda: NOW)
    app = Host(lambda: screen)
    async with app.run_test() as pilot:
        await compared(pilot, screen, "current")
        await pilot.press("j", "b")
        await pilot.pause()
        assert app_is_on(screen)
        await pilot.press("escape")
        await pilot.pause()
    assert app.answers == [None]


async def test_history_of_a_stack_that_has_none_says_why() -> None:
    screen = HistoryScreen(MemoryEngine(), "foreign", now=lambda: NOW)
    async with Host(lambda: screen).run_test() as pilot:
        view = screen.query_one("#difference", TextView)
        await until(lambda: "No revisions of foreign." in view.text)
        await pilot.pause()


# --- help


async def test_help_leaves_by_its_own_keys() -> None:
    for key in ("escape", "q", "question_mark"):
        assert await answers(HelpScreen("logs"), key) == [None]


@pytest.mark.parametrize("width", [76, 120, 156])
def test_help_fits_its_width(width: int) -> None:
    made = help_lines("containers", ALL, width)
    assert all(layout.line_width(line) <= width for line in made)
    text = "\n".join(lines(made))
    assert all(word in text for word in ("ctrl-d", "state:unhealthy", ":scale [SERVICE] N", "double click"))


def test_help_leaves_out_what_cannot_be_done() -> None:
    assert "shell" not in "\n".join(lines(help_lines("containers", frozenset(), 156))).split("commands")[0]


# --- pictures

SCREENS: dict[str, tuple[Callable[[], Screen[Any]], tuple[str, ...]]] = {
    "confirm": (lambda: confirm(Rollback(stack="hello", to="2"), ROLLBACK_PLAN), ()),
    "confirm-remove": (lambda: confirm(REMOVE, REMOVE_PLAN), tuple("hello")),
    "describe": (lambda: DescribeScreen(engine(), TARGET, place=PLACE), ()),
    "history": (lambda: HistoryScreen(engine(), "hello", place=PLACE, now=lambda: NOW), ("j",)),
    "help": (lambda: HelpScreen("services"), ()),
    "menu": (lambda: MenuScreen("container hello-web-1", container_items(CONTAINER, ALL)), ()),
    "palette": (lambda: PaletteScreen(key_entries("services", ALL)), ("s", "t")),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCREENS)
def test_looks(snap_compare: Callable[..., bool], name: str, size: tuple[int, int]) -> None:
    make, keys = SCREENS[name]

    async def settle(pilot: Pilot[None]) -> None:
        await pilot.press(*keys)
        await pilot.app.workers.wait_for_complete()
        for line in pilot.app.screen.query(Input):
            line.cursor_blink = False
        await pilot.pause()

    assert snap_compare(Host(make), terminal_size=size, run_before=settle)


def test_a_huge_value_costs_nothing_and_is_cut() -> None:
    huge = "\x1b[31m" * 2_000_000
    description = Description(
        title=huge,
        sections=(Section(title="Labels", fields=(Field(name=huge, value=huge),), lines=(huge,)),),
        document=huge,
    )
    for made in (layout.describe_lines(description, 80), layout.document_lines(huge)):
        assert len(made) < 1000
        assert sum(map(layout.line_width, made)) < 4 * layout.LONGEST
        assert "…" in "".join(lines(made))
