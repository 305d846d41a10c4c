"""The main screen. Every change that its keys ask for goes through `OrchtuiApp.perform`: plan first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from orchtui.commands import Act, ActVerb, Command, Down, Target
from orchtui.errors import OrchtuiError
from orchtui.model.observed import Owner
from orchtui.tui.screens.arrange import LOGS
from orchtui.tui.screens.looking import LookScreen

if TYPE_CHECKING:
    from orchtui.tui.app import OrchtuiApp


class MainScreen(LookScreen, inherit_bindings=False):
    """Keys that change something, and what they are about."""

    BINDINGS = LookScreen.BINDINGS

    @property
    def console(self) -> OrchtuiApp:
        return cast("OrchtuiApp", self.app)

    def first_data(self) -> None:
        self.console.offer_files()

    def run_line(self, text: str) -> None:
        from orchtui.tui.screens.dispatch import run_typed

        try:
            run_typed(self, text)
        except OrchtuiError as error:
            self.console.show_error(error)

    # --- what the verbs are about -------------------------------------------------------------------------------------

    def targets(self) -> list[Target]:
        """The marked rows, else the one under the cursor. Says so if there is none."""
        pane = self.list_pane
        if self.current != LOGS and pane.marks:
            keys = [key for key in pane.listing.keys if key in pane.marks]
            return [target for key in keys if (target := self.target_at(self.current, key)) is not None]
        target = self.target()
        if target is None:
            self.notify("Go to a stack, service or container first.", severity="warning")
        return [target] if target is not None else []

    def stack_of(self, target: Target) -> str:
        if target.kind == "container" and self.snapshot is not None:
            container = self.snapshot.containers.get(target.key)
            return container.stack if container is not None else "-"
        return target.key.rpartition("/")[0] if target.kind == "service" else target.key

    def one_stack(self) -> str | None:
        """The stack of the row under the cursor; says so if there is none."""
        target = self.target()
        stack = "-" if target is None else self.stack_of(target)
        if stack == "-":
            self.notify("This row belongs to no stack.", severity="warning")
            return None
        return stack

    # --- acting -------------------------------------------------------------------------------------------------------

    def act(self, verb: ActVerb, targets: Sequence[Target]) -> None:
        """Plan a direct verb for all targets; the person confirms next."""
        self.console.perform(*(Act(verb=verb, target=target) for target in targets))

    def action_restart(self) -> None:
        self.act("restart", self.targets())

    def action_stop(self) -> None:
        self.act("stop", self.targets())

    def action_delete(self) -> None:
        """Take a managed stack down; remove anything else."""
        self.console.perform(*map(self._removal, self.targets()))

    def _removal(self, target: Target) -> Command:
        stack = None if self.snapshot is None else self.snapshot.stacks.get(target.key)
        if target.kind == "stack" and stack is not None and stack.owner is Owner.MANAGED:
            return Down(stack=target.key)
        return Act(verb="remove", target=target)

    def action_down(self) -> None:
        stack = self.one_stack()
        if stack is not None:
            self.console.perform(Down(stack=stack))

    def action_scale(self) -> None:
        target = self.target()
        service = None if target is None or self.snapshot is None else self.snapshot.services.get(target.key)
        if service is not None:
            self.console.ask_scale(service)

    def action_revisions(self) -> None:
        stack = self.one_stack()
        if stack is not None:
            self.console.show_history(stack, self.place)

    def action_apply(self) -> None:
        """Plan the stack's own file again, as it is now."""
        key = self.one_stack()
        stack = None if key is None or self.snapshot is None else self.snapshot.stacks.get(key)
        if stack is not None and stack.config_files:
            self.console.plan_files(stack.config_files, project=stack.name)
        elif stack is not None:
            self.notify(f"It is not known which file {stack.name} came from.", severity="warning")

    def action_shell(self) -> None:
        target = self.target()
        if target is not None and target.kind == "container":
            self.console.open_shell(target)

    def action_menu(self) -> None:
        from orchtui.tui.screens import menu

        target = self.target()
        if target is None or self.snapshot is None:
            return
        able = self.engine.capabilities
        if (container := self.snapshot.containers.get(target.key)) is not None:
            items = menu.container_items(container, able)
        elif (service := self.snapshot.services.get(target.key)) is not None:
            items = menu.service_items(service, able)
        elif (stack := self.snapshot.stacks.get(target.key)) is not None:
            items = menu.stack_items(stack, able)
        else:
            return
        self.app.push_screen(menu.MenuScreen(str(target), items), lambda value: self._chosen(value, target))

    async def _chosen(self, value: str | None, target: Target) -> None:
        match value:
            case "start" | "stop" | "restart" | "kill" | "pause" | "unpause" | "remove":
                self.act(value, self.targets() if self.list_pane.marks else [target])
            case str():
                await self.run_action(f"screen.{value}")
