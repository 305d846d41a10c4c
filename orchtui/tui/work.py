"""Textual workers, started safely."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, cast

from textual.dom import DOMNode


def work(
    node: DOMNode, job: Callable[..., Coroutine[Any, Any, object]], *arguments: Any, group: str, exclusive: bool = True
) -> None:
    """Run `job(*arguments)` as a worker of `node`; an exclusive one ends the group's previous worker.

    The coroutine is made when the worker starts: one that is cancelled before would never have been awaited.
    """

    async def start() -> None:
        await job(*arguments)

    # Textual types its workers more narrowly than the coroutines that `async def` makes.
    node.run_worker(cast(Any, start), group=group, exclusive=exclusive)
