"""What all dialogs share: a frame in the middle, buttons, a way out, and a body that fits the screen."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Click, Resize
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button

from orchtui.tui.keymap import bindings_for
from orchtui.tui.safety import plain
from orchtui.tui.textview import TextView

Result = TypeVar("Result")


class Dialog(ModalScreen[Result | None]):
    """A modal question. `esc`, ctrl-c and a click outside leave it with None (`action_cancel`)."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("dialog")

    # Rows of the frame that are not the body: borders, place, buttons.
    CHROME: ClassVar[int] = 6

    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        background: $background 60%;
        .frame {
            width: 100%;
            max-width: 100;
            height: auto;
            margin: 0 1;
            padding: 0 1;
            background: $surface;
            border: round $primary;
            border-title-color: $foreground;
            border-title-style: bold;
            border-subtitle-color: $text-muted;
        }
        .frame.-wide { border: round $warning; }
        .frame.-destructive { border: heavy $error; }
        .frame.-narrow { max-width: 64; }
        .place { height: auto; color: $text-muted; margin-bottom: 1; }
        .error { height: auto; color: $text-error; }
        TextView { height: auto; }
        Input { background: $panel; border: none; height: 1; padding: 0 1; }
        Input:focus { background: $panel; border: none; }
        .buttons { height: 1; margin-top: 1; align-horizontal: right; }
        Button.-textual-compact {
            min-width: 0; margin-left: 2; padding: 0 1; background: $panel; color: $foreground; text-style: none;
            background-tint: transparent; tint: transparent;
            &:hover { background: $primary 40%; }
            &:focus { background: $foreground; color: $background; text-style: bold; background-tint: transparent; }
            &:disabled { background: $panel; color: $foreground 45%; text-opacity: 100%; }
        }
        OptionList {
            border: none; padding: 0; background: $surface; background-tint: transparent;
            &:focus { border: none; background: $surface; background-tint: transparent; }
            & > .option-list--option-highlighted { background: $primary 30%; color: $foreground; text-style: bold; }
            &:focus > .option-list--option-highlighted {
                background: $primary 30%; color: $foreground; text-style: bold;
            }
            & > .option-list--option-disabled { color: $foreground 45%; }
        }
    }
    """

    def frame(self, title: str, *body: Widget, buttons: tuple[Button, ...] = (), classes: str = "") -> Vertical:
        """The frame around `body`, its title literal, its buttons below."""
        row = (Horizontal(*buttons, classes="buttons"),) if buttons else ()
        made = Vertical(*body, *row, classes=f"frame {classes}".strip())
        made.border_title = plain(title, limit=90)
        return made

    def compose(self) -> ComposeResult:
        raise NotImplementedError

    @property
    def chrome(self) -> int:
        return self.CHROME

    def on_resize(self, event: Resize) -> None:
        for view in self.query(TextView):
            view.styles.max_height = max(2, event.size.height - self.chrome)

    def on_click(self, event: Click) -> None:
        if event.widget is self:
            event.stop()
            self.action_cancel()

    def action_cancel(self) -> None:
        self.dismiss(None)


def button(label: str, key: str, id: str) -> Button:
    """A button that names its key. The label is literal."""
    return Button(plain(f"{label} ({key})" if key else label), id=id, compact=True)
