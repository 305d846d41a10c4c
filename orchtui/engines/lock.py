"""One engine per Docker Engine and state folder: an flock beside the database decides (DESIGN 11, Ownership).

The kernel drops the lock with its process, however that ends, so a stale file is never in the way. The file tells who
holds it and where its socket is; it is never removed (that would let two processes lock two files of one name).
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from orchtui.errors import EngineUnavailable

LOCK_NAME = "engine.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds the lock. `pid` is 0 and the rest empty while it has not said so yet."""

    pid: int = 0
    uid: int = -1
    socket: str = ""
    version: str = ""
    started_at: float = 0.0


class EngineLock:
    """Held from `acquire` until `release` or the end of the process; not inherited by child processes."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(cls, folder: Path) -> Self:
        """Take the lock in `folder` without waiting. Raises EngineUnavailable, naming the holder, if it is taken."""
        path = folder / LOCK_NAME
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise EngineUnavailable(
                f"The lock {path} cannot be opened: {error.strerror}.",
                hint="Check who owns that folder, or choose another with ORCHTUI_STATE_DIR.",
            ) from error
        try:
            _lock(descriptor)
        except OSError as error:
            found = _read(descriptor)
            os.close(descriptor)
            if not isinstance(error, BlockingIOError):
                raise EngineUnavailable(
                    f"The file system of {path} gives no locks: {error.strerror}.",
                    hint="Choose a folder on a local disk with ORCHTUI_STATE_DIR.",
                ) from error
            who = f"process {found.pid}" if found.pid else "another process"
            raise EngineUnavailable(
                f"An engine for this Docker Engine is running already: {who} holds {path}.",
                hint="Attach to it with `orchtui`, or end it with `orchtui engine stop`.",
            ) from error
        lock = cls(path, descriptor)
        lock.record(Holder(pid=os.getpid(), uid=os.geteuid()))
        return lock

    def record(self, holder: Holder) -> None:
        """Write down who holds the lock, for those who find it taken."""
        if self._descriptor is None:
            return
        facts = {
            "pid": holder.pid,
            "uid": holder.uid,
            "socket": holder.socket,
            "version": holder.version,
            "started_at": holder.started_at,
        }
        data = json.dumps(facts).encode() + b"\n"
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, data, 0)

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()


def holder(folder: Path) -> Holder | None:
    """Who holds the lock in `folder` now; None when nobody does."""
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _read(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Retries for a moment: somebody who only asks who holds it (`holder`) holds it himself for some microseconds."""
    for _ in range(5):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
        else:
            return
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _read(descriptor: int) -> Holder:
    try:
        facts = json.loads(os.pread(descriptor, 65_536, 0))
    except (OSError, ValueError):
        return Holder()
    if not isinstance(facts, dict):
        return Holder()

    def number(name: str, default: int) -> int:
        value = facts.get(name)
        return value if isinstance(value, int) else default

    started = facts.get("started_at")
    return Holder(
        pid=number("pid", 0),
        uid=number("uid", -1),
        socket=str(facts.get("socket") or ""),
        version=str(facts.get("version") or ""),
        started_at=float(started) if isinstance(started, int | float) else 0.0,
    )
