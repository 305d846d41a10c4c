"""The line at the bottom of the main screen: `:` commands and `/` filters, with history and completion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from orchtui.errors import UsageError
from orchtui.tui import typed
from orchtui.tui.safety import plain

Prefix = Literal[":", "/"]
_KEPT = 100


class CommandLine(Horizontal):
    """Hidden until `open`. `names` is asked for what `tab` may complete each time it is pressed.

    Posts Changed at every keystroke (filters are live), then Submitted or Cancelled, and hides itself. Where the focus
    goes then is the screen's business.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("ctrl+c", "cancel", show=False, priority=True),
        Binding("up", "older", show=False),
        Binding("down", "newer", show=False),
        Binding("tab", "complete(1)", show=False),
        Binding("shift+tab", "complete(-1)", show=False),
    ]

    DEFAULT_CSS = """
    CommandLine {
        height: 1;
        display: none;
        background: $surface;
        color: $foreground;
        &.-open { display: block; }
        #command-prefix { width: 2; padding-left: 1; color: $text-accent; text-style: bold; }
        Input { width: 1fr; background: $surface; padding: 0; }
        Input:focus { background: $surface; background-tint: transparent; }
        #command-hint { width: auto; max-width: 50%; padding: 0 1; color: $text-muted; }
        #command-hint { text-wrap: nowrap; text-overflow: ellipsis; }
    }
    """

    class Changed(Message):
        def __init__(self, prefix: Prefix, text: str) -> None:
            super().__init__()
            self.prefix: Prefix = prefix
            self.text = text

    class Submitted(Changed):
        pass

    class Cancelled(Message):
        """Left without a wish; `original` is the text it was opened with, so that a live filter can go back to it."""

        def __init__(self, prefix: Prefix, original: str) -> None:
            super().__init__()
            self.prefix: Prefix = prefix
            self.original = original

    def __init__(
        self, names: Callable[[], Mapping[str, Sequence[str]]] = dict, *, id: str | None = "command-line"
    ) -> None:
        super().__init__(id=id)
        self._names = names
        self._prefix: Prefix = ":"
        self._original = ""
        self._does = ""
        self._histories: dict[Prefix, list[str]] = {":": [], "/": []}
        self._place = 0
        self._offers: tuple[str, ...] = ()
        self._offer = -1

    def compose(self) -> ComposeResult:
        yield Static(id="command-prefix")
        yield Input(compact=True, select_on_focus=False)
        yield Static(id="command-hint")

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    def open(self, prefix: Prefix, text: str = "", *, hint: str = "keep rows that match") -> None:
        """Show the line, take the focus, and start with `text`. `hint` says what a `/` text does."""
        self._prefix, self._original, self._does = prefix, text, hint
        self._place = len(self._histories[prefix])
        self._offers = ()
        self.query_one("#command-prefix", Static).update(plain(prefix))
        self.add_class("-open")
        self._put(text)
        self._hint(text)
        # At once, not by `focus()`, which only asks for it: the next key typed belongs here already.
        self.screen.set_focus(self.query_one(Input))

    def close(self) -> None:
        self.remove_class("-open")

    def _put(self, text: str) -> None:
        line = self.query_one(Input)
        line.value = text
        line.cursor_position = len(text)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if not self.is_open:
            return
        if event.value not in self._offers:
            self._offers = ()
        self._hint(event.value)
        self.post_message(self.Changed(self._prefix, event.value))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        history = self._histories[self._prefix]
        if event.value.strip():
            if event.value in history:
                history.remove(event.value)
            history.append(event.value)
            del history[:-_KEPT]
        self.close()
        self.post_message(self.Submitted(self._prefix, event.value))

    def action_cancel(self) -> None:
        self.close()
        self.post_message(self.Cancelled(self._prefix, self._original))

    def action_older(self) -> None:
        self._recall(self._place - 1)

    def action_newer(self) -> None:
        self._recall(self._place + 1)

    def _recall(self, place: int) -> None:
        history = self._histories[self._prefix]
        self._place = max(0, min(place, len(history)))
        if history:
            self._put(history[self._place] if self._place < len(history) else "")

    def action_complete(self, step: int) -> None:
        """Put the next (or the one before) of the possible completions into the line."""
        if self._prefix != ":":
            return
        if not self._offers:
            self._offers = typed.complete(self.query_one(Input).value, self._names())
            self._offer = -1 if step > 0 else 0
        if self._offers:
            self._offer = (self._offer + step) % len(self._offers)
            self._put(self._offers[self._offer])
            if len(self._offers) == 1:
                self._offers = ()

    def _hint(self, text: str) -> None:
        hint = self._does if self._prefix == "/" else _command_hint(text)
        self.query_one("#command-hint", Static).update(plain(hint))


def _command_hint(text: str) -> str:
    """What to type next: the usage of a known command, the commands that fit, or what was probably meant."""
    spec = typed.spec_of(text)
    if spec is not None:
        return f"{spec.usage}  {spec.help}"
    if not text.strip():
        return "tab completes, ↑ recalls"
    fitting = [offer.strip() for offer in typed.complete(text.lstrip(), {})]
    if fitting:
        return "  ".join(fitting[:6])
    try:
        typed.parse(text)
    except UsageError as error:
        return error.hint
    return ""
