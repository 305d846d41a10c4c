"""The one concurrency primitive: a value of which only the newest matters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """A conflating value. Any thread may `set`; any number of readers on any event loop iterate.

    A slow reader skips values and never queues them. Iteration starts with the current value, if one was set.
    """

    def __init__(self, value: T | None = None) -> None:
        self._cell: tuple[int, T | None] = (0 if value is None else 1, value)
        self._readers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._closed = False

    @property
    def value(self) -> T | None:
        return self._cell[1]

    def set(self, value: T) -> None:
        self._cell = (self._cell[0] + 1, value)
        self._wake()

    def close(self) -> None:
        """End every iteration once it has delivered the newest value."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        for loop, event in tuple(self._readers):
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    async def __aiter__(self) -> AsyncIterator[T]:
        event = asyncio.Event()
        reader = (asyncio.get_running_loop(), event)
        self._readers.add(reader)
        seen = 0
        try:
            while True:
                event.clear()
                version, value = self._cell
                if version != seen and value is not None:
                    seen = version
                    yield value
                elif self._closed:
                    return
                else:
                    await event.wait()
        finally:
            self._readers.discard(reader)
