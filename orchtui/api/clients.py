"""The server's socket, who is at its other end, and whether anybody is."""

from __future__ import annotations

import asyncio
import logging
import pwd
import socket
import struct
import time
from asyncio.trsock import TransportSocket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from orchtui.errors import EngineUnavailable

log = logging.getLogger("orchtui.api")

_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """A listening socket, mode 0600, that appears at `path` in one step, in place of a dead engine's."""
    fresh = path.with_name(path.name + ".new")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        try:
            fresh.unlink(missing_ok=True)
            listener.bind(str(fresh))
            fresh.chmod(0o600)
            listener.listen(128)
            fresh.rename(path)
        except OSError as error:
            raise EngineUnavailable(
                f"The engine cannot make its socket {path}: {error.strerror or error}.",
                hint="Check the state folder, or choose another one with ORCHTUI_STATE_DIR.",
            ) from error
        ours = path.stat().st_ino
        yield listener
        with suppress(FileNotFoundError):
            if path.stat().st_ino == ours:
                path.unlink()
    finally:
        listener.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    pid: int
    user: str


def peer(connected: socket.socket | TransportSocket) -> Peer:
    """Who is at the other end, by the kernel's word (SO_PEERCRED)."""
    raw = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(raw)
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = f"uid {uid}"
    return Peer(pid=pid, user=user)


class Activity:
    """From which processes requests are open, and since when none is."""

    def __init__(self) -> None:
        self._open: list[int] = []
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._quiet_since = time.monotonic()

    def clients(self, but: int) -> int:
        """How many processes have a request open, without process `but`."""
        return len(set(self._open) - {but})

    @contextmanager
    def request(self, pid: int) -> Iterator[None]:
        self._open.append(pid)
        self._quiet.clear()
        try:
            yield
        finally:
            self._open.remove(pid)
            if not self._open:
                self._quiet_since = time.monotonic()
                self._quiet.set()

    async def idle(self, seconds: float, busy: Callable[[], bool], stop: asyncio.Event) -> None:
        """Set `stop` after `seconds` without a request and with nothing to keep running."""
        while True:
            await self._quiet.wait()
            left = self._quiet_since + seconds - time.monotonic()
            if left > 0:
                await asyncio.sleep(left)
            elif busy():
                self._quiet_since = time.monotonic()
            else:
                log.info("nothing to keep running and no client for %g s: the engine ends", seconds)
                stop.set()
                return
