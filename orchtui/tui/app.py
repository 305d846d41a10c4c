"""The console's application: themes, and the one way from a wish to a change: plan, dialog, execute, receipt."""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType
from textual.screen import Screen
from textual.theme import Theme

from orchtui.commands import Act, Actor, Apply, Command, Risk, Scale, Target, risk
from orchtui.core.text import count, safe
from orchtui.engine import Capability, Engine
from orchtui.errors import OrchtuiError, PlanRefused, Refused, StackFileError
from orchtui.model.plan import Plan
from orchtui.model.snapshot import Service
from orchtui.tui.keymap import bindings_for
from orchtui.tui.safety import SafeApp
from orchtui.tui.screens.main import MainScreen
from orchtui.tui.theme import DEFAULT, themes
from orchtui.tui.words import UNICODE, Glyphs
from orchtui.tui.work import work

_ERROR_SECONDS = 12.0
_SHOWN_DETAILS = 8


class OrchtuiApp(SafeApp[None], inherit_bindings=False):
    """The console over any Engine. `stack_files` are planned, and offered for applying, once Docker answers.

    `look` marks a console that can change nothing. `clock` gives seconds since the epoch; ages are counted from it.
    """

    TITLE = "orchtui"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("app")
    CSS = """
    Toast { background: $panel; color: $foreground; padding: 0 1; }
    """

    def __init__(
        self,
        engine: Engine,
        *,
        title_host: str,
        look: bool = False,
        theme: str | None = None,
        stack_files: Sequence[str | Path] = (),
        tag: str = "",
        clock: Callable[[], float] = time.time,
        glyphs: Glyphs = UNICODE,
    ) -> None:
        self._drawn_theme: Theme | None = None
        super().__init__()
        self.engine = engine
        self.title_host = title_host
        self.clock = clock
        self._tag = tag or ("LOOK" if look else "")
        self._glyphs = glyphs
        self._stack_files = tuple(map(str, stack_files))
        for known in themes().values():
            self.register_theme(known.theme)
        self.theme = theme if theme and theme in themes() else DEFAULT
        self._wrong_theme = theme if theme and theme not in themes() else ""

    @property
    def current_theme(self) -> Theme:
        """Textual asks for it at every painted line and would copy all themes each time."""
        if self._drawn_theme is None or self._drawn_theme.name != self.theme:
            self._drawn_theme = super().current_theme
        return self._drawn_theme

    def get_default_screen(self) -> Screen[None]:
        return MainScreen(self.engine, clock=self.clock, title_host=self.title_host, tag=self._tag, glyphs=self._glyphs)

    @property
    def main(self) -> MainScreen:
        screen = self.screen_stack[0]
        assert isinstance(screen, MainScreen)
        return screen

    def on_mount(self) -> None:
        self._write_title(f"orchtui {self.title_host}")
        if self._wrong_theme:
            self.notify(f"There is no theme {self._wrong_theme}; there are {', '.join(themes())}.", severity="warning")

    def _write_title(self, title: str) -> None:
        """Name the terminal's window; a terminal without one ignores it."""
        if self._driver is not None and not self.is_headless:
            # 22 and 23 keep the old title on a stack and bring it back.
            self._driver.write(f"\x1b[22;2t\x1b]2;{safe(title, 120)}\x07")

    def on_unmount(self) -> None:
        if self._driver is not None and not self.is_headless:
            self._driver.write("\x1b[23;2t")

    # --- changes ------------------------------------------------------------------------------------------------------

    @property
    def actor(self) -> Actor:
        return Actor(name=os.environ.get("SUDO_USER") or getpass.getuser(), via="console")

    def perform(self, *commands: Command) -> None:
        """Plan the commands, show the plan, and carry them out once a person said yes."""
        if commands:
            work(self, self._perform, commands, group="perform", exclusive=False)

    async def _perform(self, commands: Sequence[Command]) -> None:
        try:
            self._check_able(commands)
            # What cannot be undone is asked for one by one: a typed name speaks for one thing only.
            if len(commands) > 1 and any(risk(command) is Risk.DESTRUCTIVE for command in commands):
                for command in commands:
                    if not await self._perform_together((command,)):
                        return
            else:
                await self._perform_together(commands)
        except OrchtuiError as error:
            self.show_error(error)

    def _check_able(self, commands: Sequence[Command]) -> None:
        for command in commands:
            needed = Capability.ACT if isinstance(command, Act) else Capability.STACKS
            if needed not in self.engine.capabilities:
                raise Refused("This console can only look.", hint="Start orchtui without --look to change something.")

    async def _perform_together(self, commands: Sequence[Command]) -> bool:
        """One dialog for all commands; False if the person said no."""
        from orchtui.tui.screens.confirm import ConfirmScreen

        plans = [await self.engine.plan(command) for command in commands]
        host = self.main.snapshot.host if self.main.snapshot is not None else None
        dialog = ConfirmScreen(
            max(commands, key=risk),
            plans[0] if len(plans) == 1 else _together(plans),
            host=self.title_host if host is None else host.name,
            context="" if host is None else host.context,
        )
        if not await self.push_screen_wait(dialog):
            return False
        for command in commands:
            receipt = await self.engine.execute(command, self.actor)
            self.notify(receipt.message)
        self.main.action_clear_marks()
        return True

    def show_error(self, error: OrchtuiError) -> None:
        """A toast with what is wrong and what to do next."""
        details = error.details if isinstance(error, (PlanRefused, StackFileError)) else ()
        more = len(details) - _SHOWN_DETAILS
        lines = [*details[:_SHOWN_DETAILS], *([f"… and {count(more, 'more problem')}"] if more > 0 else [])]
        message = "\n".join(part for part in (error.message, *lines, error.hint) if part)
        self.notify(message, severity="error", timeout=_ERROR_SECONDS)

    def ask_scale(self, service: Service) -> None:
        from orchtui.tui.screens.scale import ScaleScreen

        def scale(replicas: int | None) -> None:
            if replicas is not None:
                self.perform(Scale(service=service.key, replicas=replicas))

        self.push_screen(ScaleScreen(service), scale)

    def show_history(self, stack: str, place: str) -> None:
        """The revisions of a stack; one that is picked there is planned and confirmed like any other change."""
        from orchtui.tui.screens.history import HistoryScreen

        def roll_back(command: Command | None) -> None:
            if command is not None:
                self.perform(command)

        self.push_screen(HistoryScreen(self.engine, stack, place=place, now=self.clock), roll_back)

    def open_shell(self, target: Target) -> None:
        from orchtui.tui.shell import open_shell

        work(self, open_shell, self, self.engine, target.key, target.name, group="shell")

    # --- stack files --------------------------------------------------------------------------------------------------

    def offer_files(self) -> None:
        """Plan the files of the command line, once, now that Docker answers."""
        files, self._stack_files = self._stack_files, ()
        if files:
            self.plan_files(files)

    def plan_files(self, files: Sequence[str], *, project: str | None = None) -> None:
        """Read stack files here, as the person who runs the console, and offer to apply them."""
        work(self, self._plan_files, files, project, group="files")

    async def _plan_files(self, files: Sequence[str], project: str | None) -> None:
        import asyncio

        from orchtui.compose import load

        try:
            document = await asyncio.to_thread(
                load, [Path(file) for file in files], project=project, environ=os.environ
            )
        except OrchtuiError as error:
            self.show_error(error)
            return
        for problem in document.warnings:
            self.notify(str(problem), severity="warning")
        self.perform(
            Apply(
                stack=document.name,
                tree=document.tree,
                working_dir=document.working_dir,
                config_files=document.files,
            )
        )

    # --- themes -------------------------------------------------------------------------------------------------------

    def action_theme(self) -> None:
        self.switch_theme("")

    def switch_theme(self, name: str) -> None:
        """Another theme by name; "" is the next one."""
        names = list(themes())
        if name and name not in names:
            self.notify(f"There is no theme {name}; there are {', '.join(names)}.", severity="warning")
            return
        self.theme = name or names[(names.index(self.theme) + 1) % len(names)]
        self.notify(f"theme {self.theme}", timeout=2)

    async def action_quit(self) -> None:
        self.exit()


def _together(plans: Sequence[Plan]) -> Plan:
    """Several plans as one, in their order."""
    return Plan(
        summary="; ".join(plan.summary for plan in plans),
        steps=tuple(step for plan in plans for step in plan.steps),
        changes=tuple(change for plan in plans for change in plan.changes),
        risks=tuple(dict.fromkeys(risk for plan in plans for risk in plan.risks)),
        notes=tuple(dict.fromkeys(note for plan in plans for note in plan.notes)),
        unchanged=tuple(name for plan in plans for name in plan.unchanged),
    )
