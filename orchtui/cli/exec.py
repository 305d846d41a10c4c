"""`orchtui exec`: a command in a container, on a terminal when there is one; its exit code is ours."""

from __future__ import annotations

import argparse
import os
import sys

from orchtui.cli import names
from orchtui.cli.session import live_snapshot, opened, run
from orchtui.config import Settings
from orchtui.core.text import safe
from orchtui.errors import Refused, UsageError
from orchtui.model.observed import Container
from orchtui.model.snapshot import Snapshot


def execute(arguments: argparse.Namespace, settings: Settings) -> int:
    """Off a terminal the command gets no input, as with `docker exec` without -i."""
    argv = tuple(arguments.argv[1:] if arguments.argv[:1] == ["--"] else arguments.argv)
    tty = sys.stdin.isatty() and sys.stdout.isatty()
    if not argv and not tty:
        raise UsageError("There is no command to run.", hint="Write `orchtui exec CONTAINER CMD…`.")
    return run(_execute(arguments.container, argv, settings, tty=tty))


async def _execute(name: str, argv: tuple[str, ...], settings: Settings, *, tty: bool) -> int:
    from orchtui.tui.shell import SHELL, run_on_terminal, terminal_size

    async with opened(settings, change=True) as engine:
        container = running_container(await live_snapshot(engine), name)
        columns, rows = terminal_size(sys.stdout.fileno()) if tty else (80, 24)
        session = await engine.open_exec(container.id, argv or SHELL, tty=tty, columns=columns, rows=rows)
        if tty:
            return await run_on_terminal(session)
        try:
            while data := await session.read():
                _write_all(data)
            return await session.exit_code()
        finally:
            await session.aclose()


def _write_all(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(sys.stdout.fileno(), view) :]


def running_container(snapshot: Snapshot, name: str) -> Container:
    """The container that `name` means, or the only running one of the service it means."""
    target = names.resolve(snapshot, name, ("service", "container"))
    members = names.containers_of(snapshot, target)
    running = [each for each in members if each.state == "running"]
    if len(running) == 1:
        return running[0]
    if running:
        listed = ", ".join(safe(each.name) for each in running[:8])
        raise UsageError(
            f"{safe(target.name)} has {len(running)} running containers: {listed}.", hint="Name one of them."
        )
    raise Refused(
        f"{safe(target.name)} is not running.", hint=f"`orchtui ps {safe(name)}` says why; `orchtui start` starts it."
    )
