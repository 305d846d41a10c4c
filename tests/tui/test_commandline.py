"""What `:` commands mean, and the line they are typed into."""

from __future__ import annotations

from typing import Any

import pytest
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Input, Static

from orchtui.commands import Target
from orchtui.errors import NotFound, UsageError
from orchtui.model.observed import Container
from orchtui.model.snapshot import Connection, Service, Snapshot, Stack, Status
from orchtui.tui import typed
from orchtui.tui.commandline import CommandLine
from orchtui.tui.typed import Do, Goto, Look, OpenLogs, RollBackTo, Run, ScaleTo, SetTheme, TakeDown
from tests.tui.host import CONTAINER, SERVICE, Host


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        (":svc", Goto(2)),
        ("svc web !old", Goto(2, "web !old")),
        (":ctr state:unhealthy", Goto(3, "state:unhealthy")),
        ("  :STACKS ", Goto(1)),
        (":logs web since 10m", OpenLogs("web", 600.0)),
        (":logs web", OpenLogs("web")),
        (":logs --since 1h30m", OpenLogs("", 5400.0)),
        (":scale hello/web 5", ScaleTo("hello/web", 5)),
        (":scale hello/web=5", ScaleTo("hello/web", 5)),
        (":scale 0", ScaleTo("", 0)),
        (":restart web", Do("restart", "web")),
        (":stop", Do("stop")),
        (":rm old", Do("remove", "old")),
        (":down shop", TakeDown("shop")),
        (":down --volumes shop", TakeDown("shop", volumes=True)),
        (":rollback shop 4", RollBackTo("shop", "4")),
        (":rollback shop stable", RollBackTo("shop", "stable")),
        (":rollback", RollBackTo("")),
        (":history shop", Look("history", "shop")),
        (":describe web", Look("describe", "web")),
        (":sh web-1", Look("shell", "web-1")),
        (":theme orchtui-light", SetTheme("orchtui-light")),
        (":q", Run("quit")),
        (":help", Run("help")),
    ],
)
def test_a_line_has_one_meaning(text: str, meaning: typed.Typed) -> None:
    assert typed.parse(text) == meaning


SCALE_MESSAGE = "It takes a service and a number, as in `:scale shop/web 5`."


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "No command was typed.", "`:help` lists them."),
        (":restrat web", "There is no command `:restrat`.", "Did you mean `:restart`?"),
        (":xyzzy", "There is no command `:xyzzy`.", "`:help` lists them."),
        (":scale web many", SCALE_MESSAGE, "Write `:scale [SERVICE] N`."),
        (":scale web -1", SCALE_MESSAGE, "Write `:scale [SERVICE] N`."),
        (":logs web since soon", "`soon` is not a length of time.", "Write it as 90s, 10m, 1h30m or 2d."),
        (":logs a b c d", "It takes a name, then perhaps `since 10m`.", "Write `:logs [NAME] [since 10m]`."),
        (":restart a b", "It takes one name.", "Write `:restart [NAME]`."),
        (":q now", "It takes nothing more.", "Write `:q`."),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_explained(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        typed.parse(text)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_every_name_is_known_once() -> None:
    names = [name for spec in typed.SPECS for name in spec.names]
    assert len(names) == len(set(names))


def test_completion_offers_commands_then_names() -> None:
    names = {"service": ("hello/web", "shop/web"), "any": ("hello/web", "web-1")}
    assert typed.complete("sc", names) == ("scale ",)
    assert typed.complete("scale sh", names) == ("scale shop/web",)
    assert typed.complete("restart web", names) == ("restart web-1", "restart hello/web")
    assert typed.complete("q", names) == ("q ",)
    assert typed.complete("scale hello/web ", names) == ()
    assert typed.complete("nothing x", names) == ()


def world() -> Snapshot:
    def service(key: str) -> Service:
        return Service(key=key, stack=key.split("/")[0], name=key.split("/")[1], owner=SERVICE.owner, image="i",
                       status=Status.HEALTHY)  # fmt: skip

    other = Container(id="9" * 64, name="lonely", image="i", image_id="x", state="running")
    return Snapshot(
        seq=1,
        at=0.0,
        connection=Connection(state="live", since=0.0),
        stacks={
            key: Stack(key=key, name=key, owner=SERVICE.owner, status=Status.HEALTHY) for key in ("hello", "shop", "-")
        },
        services={key: service(key) for key in ("hello/web", "hello/db", "shop/web")},
        containers={one.id: one for one in (CONTAINER, other)},
    )


@pytest.mark.parametrize(
    ("name", "kinds", "found"),
    [
        ("hello/web", ("service",), ("service", "hello/web")),
        ("db", ("service",), ("service", "hello/db")),
        ("lonely", ("service", "container"), ("container", "9" * 64)),
        ("9999", ("container",), ("container", "9" * 64)),
        ("hello", ("service", "container", "stack"), ("stack", "hello")),
    ],
)
def test_names_are_found(name: str, kinds: Any, found: tuple[str, str]) -> None:
    target = typed.resolve(name, world(), kinds)
    assert (target.kind, target.key) == found
    assert isinstance(target, Target)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("web", r"`web` could be hello/web, shop/web\. Write more"),
        ("hello/wbe", r"no service `hello/wbe`\. Did you mean `hello/web`\?"),
        ("-", r"There is no service `-`\."),
    ],
)
def test_names_that_are_not_clear_are_explained(name: str, words: str) -> None:
    with pytest.raises(NotFound, match=words):
        typed.resolve(name, world(), ("service",))


# --- the widget


class LineScreen(Screen[None]):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[str, str, str]] = []

    def compose(self) -> ComposeResult:
        yield Static("above")
        yield CommandLine(lambda: {"any": ("web-1", "web-2")})

    def on_command_line_changed(self, event: CommandLine.Changed) -> None:
        self.heard.append(("changed", event.prefix, event.text))

    def on_command_line_submitted(self, event: CommandLine.Submitted) -> None:
        self.heard.append(("submitted", event.prefix, event.text))

    def on_command_line_cancelled(self, event: CommandLine.Cancelled) -> None:
        self.heard.append(("cancelled", event.prefix, event.original))

    @property
    def line(self) -> CommandLine:
        return self.query_one(CommandLine)

    @property
    def text(self) -> str:
        return self.query_one(Input).value


async def test_a_command_is_typed_completed_sent_and_recalled() -> None:
    screen = LineScreen()
    async with Host(lambda: screen).run_test() as pilot:
        await pilot.pause()
        assert not screen.line.is_open
        screen.line.open(":")
        await pilot.press("r", "e", "s", "tab")
        assert screen.text == "restart "
        await pilot.press("w", "tab")
        assert screen.text == "restart web-1"
        await pilot.press("tab")
        assert screen.text == "restart web-2"
        await pilot.press("shift+tab", "enter")
        assert screen.heard[-1] == ("submitted", ":", "restart web-1")
        assert not screen.line.is_open
        screen.line.open(":")
        await pilot.press("up")
        assert screen.text == "restart web-1"
        await pilot.press("down")
        assert screen.text == ""
        hint = str(screen.query_one("#command-hint", Static).content)
        assert "tab completes" in hint


async def test_a_filter_is_live_and_esc_gives_the_old_one_back() -> None:
    screen = LineScreen()
    async with Host(lambda: screen).run_test() as pilot:
        await pilot.pause()
        screen.line.open("/", "old")
        await pilot.press("e", "r")
        assert screen.heard[-1] == ("changed", "/", "older")
        await pilot.press("escape")
        assert screen.heard[-1] == ("cancelled", "/", "old")
        assert not screen.line.is_open


async def test_the_hint_says_how_to_go_on() -> None:
    screen = LineScreen()

    def hint() -> str:
        return str(screen.query_one("#command-hint", Static).content)

    async with Host(lambda: screen).run_test() as pilot:
        await pilot.pause()
        screen.line.open(":")
        await pilot.press(*"scale")
        assert "scale [SERVICE] N" in hint()
        await pilot.press("ctrl+u", *"restrat")
        assert "Did you mean `:restart`?" in hint()
        await pilot.press("ctrl+c")
        assert screen.heard[-1][0] == "cancelled"
