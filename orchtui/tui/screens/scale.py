"""How many replicas: a number that the arrow keys or plus and minus change."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input, Static

from orchtui.model.snapshot import Service
from orchtui.tui.safety import plain
from orchtui.tui.screens.dialog import Dialog, button

MOST = 1000


class ScaleScreen(Dialog[int]):
    """Asks for a number of replicas from 0 to 1000. Nothing is changed here: the plan is shown and confirmed next."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # Over the input, which would take plus and minus for text.
        Binding("plus,equals_sign,up,right_square_bracket", "step(1)", "one more", show=False, priority=True),
        Binding("minus,down,left_square_bracket", "step(-1)", "one less", show=False, priority=True),
        Binding("pageup", "step(10)", "ten more", show=False, priority=True),
        Binding("pagedown", "step(-10)", "ten less", show=False, priority=True),
    ]

    DEFAULT_CSS = """
    ScaleScreen {
        .number { height: 1; }
        .number Button.-textual-compact { margin: 0 1 0 0; }
        .number Input { width: 8; margin-right: 1; }
        #now { width: 1fr; color: $text-muted; }
    }
    """

    def __init__(self, service: Service) -> None:
        super().__init__()
        self._service = service
        self._now = service.running if service.desired is None else service.desired

    def compose(self) -> ComposeResult:
        service = self._service
        wished = "nobody wishes a number" if service.desired is None else f"{service.desired} wished"
        yield self.frame(
            f"Scale {service.key}",
            Static(plain(f"now {service.running} running, {service.ready} ready, {wished}"), classes="place"),
            Horizontal(
                _quick("−", "less"),
                Input(str(self._now), type="integer", max_length=4, compact=True, id="replicas"),
                _quick("+", "more"),
                Static(id="now"),
                classes="number",
            ),
            Static(classes="error"),
            buttons=(button("Cancel", "esc", "no"), button("Show the plan", "⏎", "yes")),
            classes="-narrow",
        )

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @property
    def _wrong(self) -> str:
        text = self.query_one(Input).value
        if not (text.isascii() and text.isdigit()):
            return "A whole number is needed."
        return f"At most {MOST} replicas." if int(text) > MOST else ""

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        wrong = self._wrong
        self.query_one(".error", Static).update(plain(wrong))
        self.query_one("#yes", Button).disabled = bool(wrong)
        self.query_one("#now", Static).update(plain("" if wrong else _difference(self._now, int(event.value))))

    def action_step(self, step: int) -> None:
        text = self.query_one(Input).value
        number = int(text) if text.isascii() and text.isdigit() else self._now
        line = self.query_one(Input)
        line.value = str(max(0, min(MOST, number + step)))
        line.cursor_position = len(line.value)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self._accept()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        match event.button.id:
            case "more":
                self.action_step(1)
            case "less":
                self.action_step(-1)
            case "yes":
                self._accept()
            case _:
                self.action_cancel()

    def _accept(self) -> None:
        if not self._wrong:
            self.dismiss(int(self.query_one(Input).value))


def _quick(label: str, id: str) -> Button:
    """A button for pressing many times: Textual's ignores presses while it still shows the last one."""
    made = Button(label, id=id, compact=True)
    made.active_effect_duration = 0
    return made


def _difference(now: int, wished: int) -> str:
    if wished == now:
        return f"{now}, as it is"
    change = f"{wished - now:+d}".replace("-", "−")
    return f"from {now}: {change}" + (", which stops the service" if wished == 0 else "")
