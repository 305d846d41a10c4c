"""The store on its own thread, and what is said when it does not know a stack."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from orchtui.errors import NotFound
from orchtui.store.store import Store

P = ParamSpec("P")
T = TypeVar("T")


class StoreThread:
    """The one thread on which a store is used."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="orchtui-store")

    async def __call__(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(call, *args, **kwargs))

    def close(self) -> None:
        """Waits for what was begun, then closes the store."""
        self._pool.submit(self.store.close)
        self._pool.shutdown(wait=True)


def never_managed(stack: str) -> NotFound:
    return NotFound(
        f"The stack {stack} is not managed here.", hint="`orchtui ls` lists the stacks, `up FILE` makes one."
    )


def no_service(stack: str, service: str, known: Collection[str]) -> NotFound:
    return NotFound(f"The stack {stack} has no service {service}.", hint=f"It has {', '.join(sorted(known))}.")
