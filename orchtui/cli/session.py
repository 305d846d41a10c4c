"""One command's way to an engine: which one it gets, the first snapshot, and who asks."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar

from orchtui.commands import Actor
from orchtui.config import Settings
from orchtui.engine import Engine
from orchtui.errors import DockerUnreachable, EngineUnavailable, UsageError
from orchtui.model.snapshot import Snapshot

T = TypeVar("T")

_ANSWER_SECONDS = 20.0  # a daemon that has not answered a list by then is not answering


def run(work: Coroutine[object, object, T]) -> T:
    """Run one command's work on an event loop of its own. Ctrl-C cancels it and raises KeyboardInterrupt."""
    return asyncio.run(work)


async def find_engine(settings: Settings, *, change: bool) -> Engine:
    from orchtui.cli import attach

    if change and elsewhere(settings):
        settings = replace(settings, in_process=True)
    return await attach.open_engine(settings, change=change)


def elsewhere(settings: Settings) -> bool:
    """True for a Docker Engine behind TCP: no engine of ours runs here for it, it is operated directly."""
    from orchtui.docker.endpoint import resolve

    return resolve(os.environ, host=settings.host, context=settings.context).socket_path is None


@asynccontextmanager
async def opened(settings: Settings, *, change: bool) -> AsyncIterator[Engine]:
    """The engine for a command: what changes something starts one where none runs, what looks starts nothing."""
    if change and settings.look:
        raise UsageError("This command changes something, and --look only looks.", hint="Leave --look out.")
    engine = await find_engine(settings, change=change)
    try:
        yield engine
    finally:
        await engine.aclose()


@asynccontextmanager
async def closing(stream: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """Close an engine's stream when its reader leaves, whatever kind of iterator the engine returned."""
    try:
        yield stream
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()


async def first_snapshot(engine: Engine) -> Snapshot:
    """The first snapshot that says how things stand: live, or stale with its reason."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS), closing(engine.watch()) as snapshots:
            async for snapshot in snapshots:
                if snapshot.connection.state != "connecting":
                    return snapshot
    except TimeoutError:
        raise DockerUnreachable(
            f"Docker did not answer within {_ANSWER_SECONDS:.0f} seconds.",
            hint="See whether `docker ps` answers, and what `journalctl -u docker` says.",
        ) from None
    raise EngineUnavailable(
        "The engine ended before it said anything.", hint="Try again; `orchtui engine status` shows how it stands."
    )


async def live_snapshot(engine: Engine) -> Snapshot:
    """The first snapshot of a Docker Engine that answers. Raises DockerUnreachable with the engine's own reason."""
    snapshot = await first_snapshot(engine)
    if snapshot.connection.state != "live":
        raise unreachable(snapshot)
    return snapshot


def unreachable(snapshot: Snapshot) -> DockerUnreachable:
    connection = snapshot.connection
    return DockerUnreachable(
        connection.reason or "Docker cannot be reached.",
        hint=connection.hint or "Start it (`systemctl start docker`), or name another with --host or --context.",
    )


def actor() -> Actor:
    """Who is at the keyboard; behind sudo the person, not root."""
    import getpass

    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a user ID without a name, as in containers
        name = f"uid {os.getuid()}"
    return Actor(name=name, via="command line")
