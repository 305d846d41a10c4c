"""A program in a real pseudo-terminal: its bytes as they come, the screen as a person would see it, keys sent to it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator, Mapping, Sequence

import pyte


class Terminal:
    """One process in a pty. `raw` is every byte it wrote; `screen()` its lines now; `started` its exec time."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], columns: int = 160, rows: int = 50) -> None:
        self.raw = bytearray()
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.started = time.monotonic()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.execvpe(argv[0], list(argv), dict(env))
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._screen.resize(rows, columns)

    def pump(self, seconds: float) -> bytes:
        """Read what comes within `seconds` (less when something comes at once); b"" when nothing did."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if not ready:
            return b""
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:  # the child is gone: Linux answers EIO
            return b""
        self.raw += data
        with contextlib.suppress(Exception):  # pyte chokes on some private sequences; the raw bytes stay the truth
            self._stream.feed(data)
        return data

    def wait_for(self, text: str, timeout: float = 20.0) -> float:
        """Seconds from exec until `text` stood in the raw output. Raises TimeoutError with the screen."""
        deadline = time.monotonic() + timeout
        needle = text.encode()
        while needle not in self.raw:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{text!r} did not appear in {timeout} s:\n" + "\n".join(self.screen()))
            self.pump(0.05)
        return time.monotonic() - self.started

    def drain(self, seconds: float) -> int:
        """Read for `seconds`; how many bytes came."""
        before, end = len(self.raw), time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.pump(left)
        return len(self.raw) - before

    def send(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def screen(self) -> list[str]:
        return [line.rstrip() for line in self._screen.display]

    def close(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
            end = time.monotonic() + 3
            while time.monotonic() < end:
                done, _ = os.waitpid(self.pid, os.WNOHANG)
                if done:
                    os.close(self._fd)
                    return
                self.pump(0.05)


@contextlib.contextmanager
def terminal(argv: Sequence[str], env: Mapping[str, str], columns: int = 160, rows: int = 50) -> Iterator[Terminal]:
    opened = Terminal(argv, env, columns, rows)
    try:
        yield opened
    finally:
        opened.close()
