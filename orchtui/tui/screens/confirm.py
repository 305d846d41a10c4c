"""The dialog before every change: what will be done, why, at what risk, and where."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button, Input, Static

from orchtui.commands import Act, Command, Risk, Target, confirm_name, risk, sentence
from orchtui.core.text import safe
from orchtui.model.plan import Plan
from orchtui.tui.layout import plan_lines
from orchtui.tui.safety import plain
from orchtui.tui.screens.dialog import Dialog, button
from orchtui.tui.textview import TextView

_WORDS = {
    Risk.LOOK: "changes nothing",
    Risk.SMALL: "small and reversible",
    Risk.WIDE: "reversible, but wide",
    Risk.DESTRUCTIVE: "cannot be undone",
}
_CLASSES = {Risk.LOOK: "", Risk.SMALL: "", Risk.WIDE: "-wide", Risk.DESTRUCTIVE: "-destructive"}


class ConfirmScreen(Dialog[bool]):
    """Asks for `command` with its `plan` in view; dismisses with True only for an explicit yes.

    Cancel has the focus, `y` says yes, `n` and `esc` say no. What cannot be undone wants the name typed instead.
    `title` replaces the command's sentence where one dialog stands for several (`restart 3 containers`).
    """

    AUTO_FOCUS: ClassVar[str | None] = "#name, #no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,Y", "confirm", "yes", show=False),
        Binding("n,N,q", "cancel", "no", show=False),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
        Binding("down,j", "scroll_plan(1)", show=False),
        Binding("up,k", "scroll_plan(-1)", show=False),
        Binding("pagedown,space", "scroll_plan(10)", show=False),
        Binding("pageup", "scroll_plan(-10)", show=False),
    ]

    def __init__(self, command: Command, plan: Plan, *, host: str, context: str, title: str = "") -> None:
        super().__init__()
        self._asked = title or sentence(command)
        self._command = command
        self._plan = plan
        self._host = host
        self._docker_context = context
        self._risk = risk(command)
        self._typed = typed_name(command) if self._risk is Risk.DESTRUCTIVE and not plan.empty else ""

    def compose(self) -> ComposeResult:
        asks = not self._plan.empty
        rows: list[Static | TextView | Input] = [
            Static(plain(self._place()), classes="place"),
            TextView(lambda width: plan_lines(self._plan, width), id="plan"),
        ]
        rows[1].can_focus = False
        if self._typed:
            rows.append(Static(plain(f"Type {self._typed} to confirm:", "$text-error", limit=300), id="ask"))
            rows.append(Input(id="name", compact=True, select_on_focus=False))
        yes = button(_yes_words(self._command), "⏎" if self._typed else "y", "yes")
        yes.disabled = bool(self._typed)
        buttons = (
            (button("Cancel", "esc" if self._typed else "n", "no"), yes) if asks else (button("Close", "⏎", "no"),)
        )
        title = self._asked[:1].upper() + self._asked[1:]
        frame = self.frame(title, *rows, buttons=buttons, classes=_CLASSES[self._risk])
        if asks:
            frame.border_subtitle = plain(_WORDS[self._risk])
        yield frame

    @property
    def chrome(self) -> int:
        return self.CHROME + (3 if self._typed else 0)

    def _place(self) -> str:
        place = f"on {self._host}, context {self._docker_context}"
        match self._command:
            case Act(target=Target(kind="container", key=key)):
                return f"{place}, container ID {key[:12]}"
        return place

    @on(Input.Changed)
    def _name_typed(self, event: Input.Changed) -> None:
        self.query_one("#yes", Button).disabled = event.value != self._typed

    @on(Input.Submitted)
    def _name_entered(self) -> None:
        self.action_confirm()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "yes":
            self.action_confirm()
        else:
            self.action_cancel()

    def action_confirm(self) -> None:
        """Yes, if there is anything to do and a name that had to be typed was."""
        if self._plan.empty:
            return
        if self._typed and self.query_one("#name", Input).value != self._typed:
            self.query_one("#name").focus()
            return
        self.dismiss(True)

    def action_cancel(self) -> None:
        self.dismiss(False)

    def action_scroll_plan(self, rows: int) -> None:
        self.query_one("#plan", TextView).scroll_relative(y=rows, animate=False)


def typed_name(command: Command) -> str:
    """What has to be typed: the name, or the start of the ID where the name has characters nobody can type."""
    name = confirm_name(command)
    if safe(name) != name and isinstance(command, Act):
        return command.target.key[:12]
    return name


def _yes_words(command: Command) -> str:
    """The first word of what the command does: `Scale`, `Roll back`, `Remove`."""
    words = sentence(command).split(" ")
    return " ".join(words[:2] if words[0] == "roll" else words[:1]).capitalize()
