"""Programs that the pty tests start: `python -m tests.tui.programs hostile|careless|shell`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from orchtui.commands import Act, Target
from orchtui.engine import Capability
from orchtui.model.description import Description, Field, Section
from orchtui.model.history import Revision
from orchtui.model.plan import Change, Plan, Step
from orchtui.tui.safety import SafeApp
from orchtui.tui.screens.confirm import ConfirmScreen
from orchtui.tui.screens.describe import DescribeScreen
from orchtui.tui.screens.history import HistoryScreen
from orchtui.tui.screens.menu import MenuItem, MenuScreen, container_items
from orchtui.tui.screens.palette import Entry, PaletteScreen
from orchtui.tui.screens.scale import ScaleScreen
from orchtui.tui.shell import open_shell
from tests.support.memory import MemoryEngine, MemoryExec
from tests.tui.host import CONTAINER, NOW, SERVICE, Host

ATTACK = (
    "\x1b]52;c;UFdORUQ=\x07\x1b]0;PWNED\x07\x1b]8;;http://evil\x1b\\\x1b[6n\x1b[2J\x1bPq\x1b\\\x1b_G\x1b\\"
    "\x9b6n\x9d0;PWNED\x9c\r\b\x7f\u202e\u2066\u200b\u2028\ufeff"
)
MARKUP = "[@click=app.quit]x[/] [/nope] [red]"


def hostile(tag: str) -> str:
    """Every attack, between two marks that show that it was painted. Short enough for a narrow column."""
    return f"A{tag}{ATTACK}Z{tag}"


class Careless(ModalScreen[None]):
    """Widgets that forgot everything: only the filter stands between the data and the terminal."""

    def compose(self) -> ComposeResult:
        box = Static(hostile("careless"), markup=False)
        box.styles.border = ("round", "white")
        box.border_title = hostile("title").replace("[", "\\[")
        yield box
        yield Static(MARKUP, markup=False)


def _engine() -> MemoryEngine:
    engine = MemoryEngine()
    engine.descriptions["evil"] = Description(
        title=hostile("heading"),
        sections=(
            Section(
                title=hostile("section"),
                fields=(
                    Field(name=hostile("field"), value=hostile("value") + "\n" + MARKUP, tone="bad"),
                    Field(name=MARKUP, value=MARKUP),
                ),
                lines=(hostile("line"),),
            ),
        ),
        document='{"a": "' + hostile("document") + '"}',
    )
    engine.revisions["evil"] = (
        Revision(stack="evil", number=2, created_at=NOW, author=hostile("author"), cause=hostile("cause"),
                 outcome="failed", current=True, images={hostile("image"): ATTACK}),
        Revision(stack="evil", number=1, created_at=NOW, author=MARKUP, cause=MARKUP, outcome="completed"),
    )  # fmt: skip
    engine.changes = (Change(subject=hostile("subject"), field=hostile("change"), old=ATTACK, new=hostile("new")),)
    return engine


def _confirm() -> Screen[Any]:
    command = Act(verb="remove", target=Target(kind="container", key="f" * 64, name=hostile("name")))
    plan = Plan(
        summary=hostile("summary"),
        steps=(Step(verb="remove", subject=hostile("step"), cause=hostile("because")),),
        risks=(MARKUP, hostile("risk")),
        notes=(hostile("note"),),
        unchanged=(hostile("same"),),
    )
    return ConfirmScreen(command, plan, host=hostile("host"), context=hostile("context"))


EVIL = Target(kind="container", key="evil", name=hostile("target"))
# What is shown, and a mark that must appear when it is.
STAGES: tuple[tuple[Callable[[], Screen[Any]], str], ...] = (
    (Careless, "Zcareless"),
    (_confirm, "Zrisk"),
    (lambda: DescribeScreen(_engine(), EVIL, place=hostile("place")), "Zvalue"),
    (lambda: DescribeScreen(_engine(), EVIL, view="inspect"), "Zdocument"),
    (lambda: HistoryScreen(_engine(), "evil", now=lambda: NOW), "Acause"),
    (
        lambda: MenuScreen(hostile("menu"), [MenuItem(key="a", label=hostile("label"), value="a", note=MARKUP)]),
        "Zlabel",
    ),
    (lambda: MenuScreen(MARKUP, container_items(CONTAINER, frozenset(Capability))), "describe"),
    (lambda: PaletteScreen([Entry(hostile("entry"), MARKUP, "a")]), "Aentry"),
    (lambda: ScaleScreen(replace(SERVICE, key=hostile("service"))), "Aservice"),
)


class HostileApp(Host):
    """f9 shows the next stage. Each comes with a hostile toast, and one that names the stage."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f9", "next", priority=True)]

    def __init__(self) -> None:
        super().__init__(STAGES[0][0])
        self.stage = 0

    def on_mount(self) -> None:
        self._announce()

    async def action_next(self) -> None:
        self.stage += 1
        await self.pop_screen()
        await self.push_screen(STAGES[self.stage][0]())
        self._announce()

    def _announce(self) -> None:
        self.clear_notifications()
        self.notify(hostile("toast") + "\n" + MARKUP, title=hostile("toasttitle"), severity="error", timeout=60)
        self.call_after_refresh(self.notify, f"stage {self.stage} is shown", timeout=60)


class CarelessApp(App[None]):
    """Plain Textual: shows that the attacks are real and that the test sees them."""

    def compose(self) -> ComposeResult:
        yield Static(hostile("careless"), markup=False)
        yield Static("stage 0 is shown")


class EchoExec(MemoryExec):
    """A shell that echoes what is typed and ends with 3 on `exit`."""

    def __init__(self) -> None:
        super().__init__(b"welcome\r\n$ ", 3)
        self._typed: asyncio.Queue[bytes] = asyncio.Queue()

    async def write(self, data: bytes) -> None:
        await super().write(data)
        self._typed.put_nowait(data)

    async def read(self) -> bytes:
        if data := await super().read():
            return data
        data = await self._typed.get()
        return b"" if b"exit" in b"".join(self.written) else data


class ShellApp(SafeApp[None]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "shell"), Binding("q", "quit")]

    def __init__(self) -> None:
        super().__init__()
        self.engine = MemoryEngine()
        self.engine.exec_session = EchoExec()

    def compose(self) -> ComposeResult:
        yield Static("the console")

    def action_shell(self) -> None:
        self.run_worker(open_shell(self, self.engine, "c1", hostile("shell")))


PROGRAMS: dict[str, Callable[[], App[None]]] = {"hostile": HostileApp, "careless": CarelessApp, "shell": ShellApp}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]]().run()
