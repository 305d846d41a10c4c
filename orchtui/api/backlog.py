"""What one log reader has not taken yet: bounded, so a stalled terminal costs the engine no memory."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace

from orchtui.model.logs import LogBatch

LIMIT = 4 << 20  # characters held for one reader
_LINE_COST = 64  # what a line costs beside its characters


class Backlog:
    """Batches between a log source and a slow reader.

    Lines from before `live_from` (seconds since the epoch) are history that was asked for: `put` waits for room. Later
    ones are live: the oldest are dropped for them, counted in the next batch's `skipped`.
    """

    def __init__(self, *, live_from: float, limit: int = LIMIT) -> None:
        self._live_from = live_from
        self._limit = limit
        self._batches: deque[tuple[int, LogBatch]] = deque()
        self._held = 0
        self._skipped = 0
        self._ended = False
        self._filled = asyncio.Event()
        self._room = asyncio.Event()

    async def put(self, batch: LogBatch) -> None:
        cost = sum(map(len, batch.lines)) + _LINE_COST * len(batch.lines)
        while self._batches and self._held + cost > self._limit:
            if not batch.times or batch.times[-1] < self._live_from:
                self._room.clear()
                await self._room.wait()
            else:
                dropped_cost, dropped = self._batches.popleft()
                self._held -= dropped_cost
                self._skipped += len(dropped.lines) + dropped.skipped
        self._batches.append((cost, batch))
        self._held += cost
        self._filled.set()

    def end(self) -> None:
        """No more batches: `get` returns None once all are taken."""
        self._ended = True
        self._filled.set()

    async def get(self) -> LogBatch | None:
        while not self._batches:
            if self._ended:
                return None
            self._filled.clear()
            await self._filled.wait()
        cost, batch = self._batches.popleft()
        self._held -= cost
        self._room.set()
        if self._skipped:
            batch = replace(batch, skipped=batch.skipped + self._skipped)
            self._skipped = 0
        return batch
