"""`orchtui engine run | start | stop | status`: the background engine's process."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict

from orchtui import __version__
from orchtui.api import codec
from orchtui.api.client import shut_down
from orchtui.api.codec import EngineInfo
from orchtui.cli.attach import (
    READY,
    READY_FD,
    TAKEN,
    Place,
    another_machine,
    answers,
    begin_attach,
    locate,
    prepare_folders,
    remember,
    running,
)
from orchtui.cli.session import closing
from orchtui.config import Settings
from orchtui.core.text import age, safe
from orchtui.engine import Engine
from orchtui.engines.lock import holder
from orchtui.errors import EngineUnavailable, OrchtuiError
from orchtui.model.snapshot import Snapshot

STOP_SECONDS = 15.0
FIRST_PICTURE_SECONDS = 3.0


def engine(arguments: argparse.Namespace, settings: Settings) -> int:
    """The subcommand that was asked for. Returns its exit code."""
    match arguments.engine_command:
        case "run":
            return run(settings)
        case "start":
            return asyncio.run(start(settings))
        case "stop":
            return asyncio.run(stop(settings))
        case _:
            return asyncio.run(status(settings, as_json=arguments.json))


def run(settings: Settings) -> int:
    """Run the engine until it is stopped or has nothing to do: in the foreground, or behind `start`.

    Behind `start` (READY_FD is set) it leaves the caller's process tree, logs to a file, and reports over the pipe.
    """
    report_fd = os.environ.pop(READY_FD, "")
    if not report_fd.isdigit():
        return asyncio.run(_run(settings, lambda _: None, background=False))
    if os.fork():
        os._exit(0)
    with open(int(report_fd), "wb", buffering=0, closefd=True) as pipe:

        def report(message: bytes) -> None:
            if not pipe.closed:
                pipe.write(message)
                pipe.close()

        try:
            return asyncio.run(_run(settings, report, background=True))
        except OrchtuiError as error:
            report(codec.encode_error(error))
            return error.exit_code


async def _run(settings: Settings, report: Callable[[bytes], None], *, background: bool) -> int:
    # Imported here: only the engine's own process pays for aiohttp and aiodocker.
    from orchtui.api.server import serve
    from orchtui.cli.enginelog import log_to_file, log_to_stderr, logger
    from orchtui.engines.local import LocalEngine

    place = await asyncio.to_thread(locate, settings)
    if place.endpoint.socket_path is None:
        raise another_machine(place)
    prepare_folders(place)
    remember(settings.state_dir, place)
    if background:
        os.umask(0o077)
        log_to_file(place.log)
    else:
        log_to_stderr()
    stop_asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop_asked.set)
    try:
        async with LocalEngine(place.endpoint, place.folder, manage=True) as local:
            info = _info(place)
            logger.info("orchtui %s runs as process %d for %s", info.version, info.pid, info.endpoint)
            await _first_picture(local)
            await serve(
                local,
                place.socket,
                info,
                stop=stop_asked,
                busy=local.busy,
                idle_exit=settings.idle_exit if background else None,
                ready=lambda: report(READY),
            )
    except EngineUnavailable:
        # Behind `start`, a lock that is taken means a lost race: the caller attaches to the winner.
        if not background or holder(place.folder) is None:
            raise
        report(TAKEN)
        return 0
    except BaseExceptionGroup as group:
        error = _only_error(group)
        logger.error("the engine ends: %s", error)
        raise error from group
    logger.info("the engine has ended")
    return 0


async def _first_picture(engine: Engine) -> Snapshot | None:
    """The first snapshot with rows, or with the reason why there are none; None if that takes too long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(FIRST_PICTURE_SECONDS), closing(engine.watch()) as snapshots:
            async for snapshot in snapshots:
                if snapshot.host is not None or snapshot.connection.state != "connecting":
                    return snapshot
    return None


def _only_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The sentence in a group that holds nothing else; a group with a defect in it stays as it is."""
    known, rest = group.split(OrchtuiError)
    if known is None or rest is not None:
        return group
    found: BaseException = known
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


def _info(place: Place) -> EngineInfo:
    return EngineInfo(
        version=__version__,
        pid=os.getpid(),
        socket=str(place.socket),
        state_dir=str(place.folder),
        engine_id=place.engine_id,
        endpoint=place.endpoint.url,
        context=place.endpoint.context,
        since=time.time(),
    )


async def start(settings: Settings) -> int:
    """Start the engine in the background if none runs. Exit code 0 when it runs, whoever started it.

    Raises OrchtuiError with the engine's own reason if it runs but cannot work.
    """
    beginning = await asyncio.to_thread(begin_attach, settings)
    remote = await beginning.engine()
    what = "runs now" if beginning.started else "already runs"
    print(f"The orchtui engine {what} as process {remote.info.pid} ({safe(remote.info.socket)}).")
    picture = await _first_picture(remote)
    if picture is not None and picture.connection.state == "stale":
        raise OrchtuiError(picture.connection.reason, hint=picture.connection.hint)
    return 0


async def stop(settings: Settings) -> int:
    """End the background engine and wait until it is gone; what it keeps running stays up."""
    place = await asyncio.to_thread(locate, settings)
    remote = await running(place)
    if remote is None:
        inside = holder(place.folder)
        if inside is not None:
            raise EngineUnavailable(
                f"The engine runs inside process {inside.pid}, without a socket.",
                hint="It ends with that process (a console started with --in-process).",
            )
        print("No orchtui engine is running here.")
        return 0
    pid = remote.info.pid
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        process = -1  # gone by itself, or in another process namespace: then its silence has to do
    try:
        with suppress(EngineUnavailable):
            await shut_down(place.socket)
        gone = await asyncio.to_thread(_wait_for_end, process) if process >= 0 else not answers(place)
    finally:
        if process >= 0:
            os.close(process)
    if not gone:
        raise EngineUnavailable(
            f"The orchtui engine (process {pid}) did not end within {STOP_SECONDS:g} seconds.",
            hint=f"Its log is {place.log}; 'kill -9 {pid}' ends it, and containers keep running.",
        )
    print(f"The orchtui engine (process {pid}) has stopped; containers keep running.")
    return 0


def _wait_for_end(process: int) -> bool:
    poll = select.poll()
    poll.register(process, select.POLLIN)
    return bool(poll.poll(STOP_SECONDS * 1000))


async def status(settings: Settings, *, as_json: bool) -> int:
    """Say whether an engine runs, and which. Exit code 0 if one does, 1 if not."""
    place = await asyncio.to_thread(locate, settings)
    remote = await running(place)
    if as_json:
        print(json.dumps({"running": False} if remote is None else {"running": True, **asdict(remote.info)}, indent=2))
    elif remote is None:
        print(f"No orchtui engine is running for {safe(place.endpoint.url)} (state folder {safe(str(place.folder))}).")
    else:
        print(_described(remote.info))
    return 1 if remote is None else 0


def _described(info: EngineInfo) -> str:
    context = "" if info.context == "default" else f" (context {info.context})"
    rows = (
        ("process", f"{info.pid}, for {age(time.time() - info.since)}"),
        ("version", info.version + ("" if info.version == __version__ else f" (this is {__version__})")),
        ("docker", info.endpoint + context),
        ("socket", info.socket),
        ("state", info.state_dir),
        ("clients", str(info.clients)),
        ("stacks", ", ".join(info.stacks) or "none"),
    )
    return "\n".join(f"{name:<8} {safe(value)}" for name, value in rows)
