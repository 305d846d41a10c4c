"""Keys in the order they were typed, however fast they come.

Textual forwards a key to the focused widget's own queue and takes the next key at once. What the first one does (open
the command line, say) comes only later, so on a slow link, where many keys arrive in one packet, the rest of what was
typed would go to the old widget. Here a key is taken only when the one before it has gone all its way.
"""

from __future__ import annotations

from collections import deque
from typing import TypeVar

from textual import events
from textual.app import App
from textual.message import Message
from textual.message_pump import MessagePump
from textual.timer import Timer

Result = TypeVar("Result")
_LAPS = 3  # what a key posts (Input.Submitted) may post in turn (CommandLine.Submitted): each needs a lap to arrive
_PATIENCE = 0.25  # seconds; a widget that vanishes takes the messages in its queue with it


class KeyPassed(Message, bubble=True):
    """Follows a key through the same queues, so that it arrives after all that the key did."""

    def __init__(self, number: int, target: MessagePump, lap: int = 1) -> None:
        super().__init__()
        self.number, self.target, self.lap = number, target, lap


class TypeAheadApp(App[Result]):
    """An App that handles one key after the other."""

    def __init__(self) -> None:
        super().__init__()
        self._typed: deque[events.Key] = deque()
        self._number = 0  # of the key that is on its way, if one is
        self._patience: Timer | None = None

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
        elif self._patience is not None:
            self._typed.append(event)
        else:
            await self._take(event)

    async def on_key_passed(self, message: KeyPassed) -> None:
        if message.number != self._number:
            return
        if message.lap < _LAPS and message.target.is_running:
            message.target.post_message(KeyPassed(message.number, message.target, message.lap + 1))
        else:
            await self._next()

    async def _take(self, event: events.Key) -> None:
        self._number += 1
        self._patience = self.set_timer(_PATIENCE, self._next)
        target = self.focused or self.screen
        await super().on_event(event)
        target.post_message(KeyPassed(self._number, target))

    async def _next(self) -> None:
        if self._patience is not None:
            self._patience.stop()
            self._patience = None
        if self._typed:
            await self._take(self._typed.popleft())
