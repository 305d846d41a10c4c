"""Wait for a condition with a deadline: the tests' only way to wait."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")

POLL = 0.02
TIMEOUT = 20.0


@overload
async def until(condition: Callable[[], Awaitable[T | None]], *, timeout: float = TIMEOUT, what: str = "") -> T: ...
@overload
async def until(condition: Callable[[], T | None], *, timeout: float = TIMEOUT, what: str = "") -> T: ...
async def until(condition: Callable[[], object], *, timeout: float = TIMEOUT, what: str = "") -> object:
    """The first truthy value that `condition` (plain or async) returns.

    Raises AssertionError after `timeout` seconds, saying `what` was awaited and what was seen last. An AssertionError
    from the condition itself counts as "not yet", so a condition may be a block of assertions that returns True.
    """
    deadline = time.monotonic() + timeout
    last: object = None
    while True:
        try:
            result = condition()
            value: object = await result if inspect.isawaitable(result) else result
        except AssertionError as error:
            last = error
        else:
            if value:
                return value
            last = value
        if time.monotonic() >= deadline:
            raise AssertionError(f"{what or 'the condition'} did not come true in {timeout:g} s; last: {last!r}")
        await asyncio.sleep(POLL)


def until_sync(condition: Callable[[], T | None], *, timeout: float = TIMEOUT, what: str = "") -> T:
    """`until` for tests without an event loop (subprocesses, tmux)."""
    deadline = time.monotonic() + timeout
    last: object = None
    while True:
        try:
            value = condition()
        except AssertionError as error:
            last = error
        else:
            if value:
                return value
            last = value
        if time.monotonic() >= deadline:
            raise AssertionError(f"{what or 'the condition'} did not come true in {timeout:g} s; last: {last!r}")
        time.sleep(POLL)
