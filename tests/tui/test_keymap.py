"""The keymap's own rules (research/peers-tui.md 6.2 and 6.3), and that everything made from it is current."""

from __future__ import annotations

from collections import Counter

import pytest
from textual.app import App
from textual.binding import Binding

from orchtui.commands import Risk
from orchtui.engine import Capability
from orchtui.tui import keymap
from orchtui.tui.app import OrchtuiApp
from orchtui.tui.keymap import GROUPS, KEYS, PARENTS, Context, Key
from orchtui.tui.panes.logs import LogsPane
from orchtui.tui.screens.describe import DescribeScreen
from orchtui.tui.screens.dialog import Dialog
from orchtui.tui.screens.history import HistoryScreen, RevisionList
from orchtui.tui.screens.main import MainScreen
from orchtui.tui.table import LineTable
from orchtui.tui.textview import TextView
from tests.tui import keysdoc

CONTEXTS = tuple(PARENTS)
ALL = frozenset(Capability)
MODIFIED = ("ctrl+", "alt+", "shift+")


def names(key: Key) -> tuple[str, ...]:
    return (*key.keys, *key.also)


@pytest.mark.parametrize("context", CONTEXTS)
def test_no_key_is_bound_twice_where_it_can_be_reached(context: Context) -> None:
    bound = Counter(name for key in keymap.keys_in(context) for name in names(key))
    assert {name for name, times in bound.items() if times > 1} == set()


def test_what_changes_something_asks_first() -> None:
    for key in KEYS:
        assert (key.risk > Risk.LOOK) <= (key.opens in ("plan", "dialog")), key
        assert (key.opens == "plan") <= (key.risk > Risk.LOOK), key


def test_what_loses_data_is_on_no_single_plain_key() -> None:
    for key in KEYS:
        if key.risk is Risk.DESTRUCTIVE:
            assert all(name.startswith(MODIFIED) or name == "delete" for name in key.keys), key


@pytest.mark.parametrize(
    ("context", "key", "action"),
    [
        # The collisions that can hurt: what one camp's hands expect to change something must be harmless or ask.
        ("containers", "d", "describe"),
        ("containers", "s", "shell"),
        ("services", "s", "scale"),
        ("containers", "x", "menu"),
        ("services", "z", "revisions"),
        ("containers", "ctrl+r", "refresh"),
        ("containers", "q", "leave"),
        ("logs", "0", "log_since(0)"),
        ("logs", "n", "search_next"),
        ("cluster", "n", "next_problem"),
        ("history", "ctrl+l", "rollback"),
    ],
)
def test_the_settled_meanings(context: Context, key: str, action: str) -> None:
    assert [row.action for row in keymap.keys_in(context) if key in row.keys] == [action]


@pytest.mark.parametrize("context", CONTEXTS)
def test_keys_that_some_keyboards_lack_have_a_twin(context: Context) -> None:
    lacking = ("left_square_bracket", "right_square_bracket", "backslash", "ctrl+backslash")
    for key in keymap.keys_in(context):
        if any(name in lacking for name in key.keys):
            assert any(name not in lacking for name in key.keys), key


def test_no_function_key_stands_alone() -> None:
    for key in KEYS:
        assert not all(name.startswith("f") and name[1:].isdigit() for name in key.keys), key


def test_every_key_says_what_it_does() -> None:
    for key in KEYS:
        assert key.help, key
        assert 0 < len(key.label) <= 20, key
        assert key.group in GROUPS, key


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_footer_fits_80_columns_with_all_that_it_should_show(context: Context) -> None:
    shown = [key for key in keymap.keys_in(context) if key.shown]
    footer = keymap.footer(context, ALL, 80)
    assert set(shown) <= set(footer)
    assert sum(map(keymap.footer_width, footer)) <= 80


def test_a_narrow_footer_keeps_help_and_a_wide_one_shows_more() -> None:
    narrow, usual, wide = (keymap.footer("services", ALL, width) for width in (20, 80, 160))
    assert [key.action for key in narrow][-1] == "help"
    assert len(narrow) < len(usual) < len(wide)


def test_a_missing_capability_takes_the_key_away() -> None:
    look = frozenset({Capability.LOGS})
    actions = {key.action for key in keymap.keys_in("containers", look)}
    assert "logs" in actions
    assert not actions & {"shell", "restart", "stop", "delete", "menu"}
    assert keymap.capability_of("restart") is Capability.ACT
    assert keymap.capability_of("describe") is None


def test_textuals_own_keys_are_ours() -> None:
    def keys_of(context: Context) -> set[str]:
        return {name for key in keymap.keys_in(context) for name in key.keys}

    textuals = {name for binding in App.BINDINGS if isinstance(binding, Binding) for name in binding.key.split(",")}
    assert textuals | {"ctrl+p"} <= keys_of("global")


def test_bindings_carry_action_and_owner() -> None:
    bindings = {name: b for b in keymap.bindings_for("table") if isinstance(b, Binding) for name in b.key.split(",")}
    assert bindings["d"].action == "screen.describe"
    assert bindings["j"].action == "cursor_down"
    assert not bindings["d"].priority
    assert all(binding.priority for binding in keymap.bindings_for("app") if isinstance(binding, Binding))


@pytest.mark.parametrize(
    ("key", "shown"),
    [("ctrl+d", "ctrl-d"), ("question_mark", "?"), ("escape", "esc"), ("N", "N"), ("ctrl+backslash", "ctrl-\\")],
)
def test_keys_are_written_as_people_write_them(key: str, shown: str) -> None:
    assert keymap.display(key) == shown


def test_the_documentation_is_current() -> None:
    assert keysdoc.PATH.read_text(encoding="utf-8") == keysdoc.markdown(), "run python -m tests.tui.keysdoc"


OWNERS: dict[Context, tuple[type[object], ...]] = {
    "reader": (DescribeScreen, HistoryScreen),
    "describe": (DescribeScreen,),
    "history": (HistoryScreen,),
    "text": (MainScreen, DescribeScreen),
    "dialog": (Dialog,),
}
WIDGETS: dict[Context, tuple[type[object], ...]] = {
    "table": (LineTable,),
    "text": (TextView, LogsPane),
    "history": (RevisionList,),
}


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.context}-{key.keys[0]}")
def test_no_key_is_dead(key: Key) -> None:
    match key.on:
        case "app":
            owners: tuple[type[object], ...] = (OrchtuiApp,)
        case "widget":
            owners = WIDGETS[key.context]
        case _:
            owners = OWNERS.get(key.context, (MainScreen,))
    for owner in owners:
        assert hasattr(owner, "action_" + key.action.partition("(")[0]), owner
