"""Background engines that tests start: found by their state folder, ended by their own pid."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

from orchtui.cli.attach import locate
from orchtui.config import Settings
from orchtui.engines.lock import holder

END_SECONDS = 20.0


def engine_pid(settings: Settings) -> int | None:
    """The process that holds the engine's lock there now."""
    found = holder(locate(settings).folder)
    return found.pid if found is not None and found.pid else None


def end_engine(settings: Settings, number: signal.Signals = signal.SIGTERM) -> None:
    """End the engine of a state folder, if one runs, and wait until it is gone; by force after some time."""
    pid = engine_pid(settings)
    if pid is None or pid == os.getpid() or not _is_engine(pid):
        return
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(process, number)
        if not gone(process):
            signal.pidfd_send_signal(process, signal.SIGKILL)
            raise AssertionError(f"the engine (process {pid}) did not end by itself")
    finally:
        os.close(process)


def gone(process: int) -> bool:
    """True once the process behind the pidfd has ended."""
    poll = select.poll()
    poll.register(process, select.POLLIN)
    return bool(poll.poll(END_SECONDS * 1000))


def _is_engine(pid: int) -> bool:
    try:
        return b"orchtui" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
