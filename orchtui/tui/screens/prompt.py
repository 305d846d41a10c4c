"""A dialog with one line to fill in."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.widgets import Button, Input, Static

from orchtui.tui.safety import plain
from orchtui.tui.screens.dialog import Dialog, button

Validate = Callable[[str], str]


def anything(text: str) -> str:
    return ""


class PromptScreen(Dialog[str]):
    """Asks for a line of text. `validate` says what is wrong with it ("" nothing), which is shown as one types."""

    def __init__(self, title: str, initial: str = "", validate: Validate = anything) -> None:
        super().__init__()
        self._asked = title
        self._initial = initial
        self._validate = validate

    def compose(self) -> ComposeResult:
        yield self.frame(
            self._asked,
            Input(self._initial, compact=True, select_on_focus=False),
            Static(classes="error"),
            buttons=(button("Cancel", "esc", "no"), button("OK", "⏎", "yes")),
            classes="-narrow",
        )

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        wrong = self._validate(event.value)
        self.query_one(".error", Static).update(plain(wrong))
        self.query_one("#yes", Button).disabled = bool(wrong)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self._accept()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "yes":
            self._accept()
        else:
            self.action_cancel()

    def _accept(self) -> None:
        value = self.query_one(Input).value
        if not self._validate(value):
            self.dismiss(value)
