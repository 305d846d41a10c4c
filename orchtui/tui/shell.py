"""A process in a container on the real terminal: raw mode, resizes, and the terminal as it was afterwards.

No textual here: the command line uses `run_on_terminal` as it is, the console inside `App.suspend`.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import termios
import tty
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from orchtui.core.text import safe
from orchtui.engine import Engine, ExecSession
from orchtui.errors import OrchtuiError, UsageError

if TYPE_CHECKING:
    from typing import Any

    from textual.app import App
    from textual.notifications import SeverityLevel

# bash where the image has one, else sh; `exec` so that the shell is the process whose exit code we get.
SHELL = ("sh", "-c", "command -v bash >/dev/null 2>&1 && exec bash || exec sh")

# As in systemd-nspawn: pressed three times in a second it leaves, and each press still reaches the program.
DETACH_BYTE = 0x1D
DETACH_HINT = "exit leaves; ctrl-] three times leaves at once, even when it hangs"
DETACHED = 129

# What a program may have left on: attributes, hidden cursor, application keys, mouse reports, bracketed paste.
_RESET = b"\x1b[0m\x1b[?25h\x1b[?1l\x1b>\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\r\n"


class DetachWatch:
    """Sees three detach presses in a row within one second."""

    def __init__(self) -> None:
        self._presses: list[float] = []

    def seen(self, data: bytes, now: float) -> bool:
        for byte in data:
            if byte != DETACH_BYTE:
                self._presses.clear()
                continue
            self._presses = [press for press in self._presses if now - press < 1.0] + [now]
            if len(self._presses) >= 3:
                return True
        return False


def terminal_size(fd: int) -> tuple[int, int]:
    """Columns and rows of the terminal on `fd`; 80×24 where it does not say."""
    try:
        rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(fd, termios.TIOCGWINSZ, b"\0" * 8))
    except OSError:
        return 80, 24
    return (columns, rows) if columns and rows else (80, 24)


@contextlib.contextmanager
def raw_terminal(fd: int) -> Iterator[None]:
    """The terminal on `fd` in raw mode, and always back to what it was. Raises UsageError where it is none."""
    try:
        before = termios.tcgetattr(fd)
    except termios.error:
        raise UsageError("A shell needs a terminal.", hint="Run it without redirecting its input.") from None
    try:
        tty.setraw(fd)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _on_resize(call: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGWINCH)
    loop.add_signal_handler(signal.SIGWINCH, call)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)
        signal.signal(signal.SIGWINCH, before)


async def run_on_terminal(session: ExecSession, *, stdin: int = 0, stdout: int = 1) -> int:
    """Bridge `session` and the terminal until the process ends; its exit code (129 when the person detached).

    The session is closed and the terminal restored whatever happens.
    """
    try:
        with raw_terminal(stdin):
            try:
                return await _Bridge(session, stdin, stdout).run()
            finally:
                _write_all(stdout, _RESET)
    finally:
        await session.aclose()


class _Bridge:
    """One session's two directions. The way in ends when the way out does, or the person detaches."""

    def __init__(self, session: ExecSession, stdin: int, stdout: int) -> None:
        self._session = session
        self._stdin = stdin
        self._stdout = stdout
        # None: the terminal was resized. Bytes: what was typed.
        self._typed: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as tasks:
                way_in = tasks.create_task(self._way_in())
                way_out = tasks.create_task(self._way_out())
                loop.add_reader(self._stdin, self._read)
                try:
                    with _on_resize(lambda: self._typed.put_nowait(None)):
                        await asyncio.wait((way_in, way_out), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    loop.remove_reader(self._stdin)
                detached = not way_out.done()
                way_in.cancel()
                way_out.cancel()
        except* OrchtuiError as group:
            raise group.exceptions[0] from None
        return DETACHED if detached else await self._session.exit_code()

    def _read(self) -> None:
        # Read in the callback, so that a key typed right after the end stays in the terminal for the next reader.
        try:
            data = os.read(self._stdin, 1 << 16)
        except BlockingIOError:
            return
        except OSError:  # the terminal is gone
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._stdin)
        self._typed.put_nowait(data)

    async def _way_in(self) -> None:
        """Until the person detaches or the terminal is gone."""
        watch = DetachWatch()
        loop = asyncio.get_running_loop()
        while True:
            data = await self._typed.get()
            if data is not None and (not data or watch.seen(data, loop.time())):
                return
            # What cannot be delivered any more is no failure: the way out says how the process ended.
            with contextlib.suppress(OrchtuiError):
                if data is None:
                    await self._session.resize(*terminal_size(self._stdin))
                else:
                    await self._session.write(data)

    async def _way_out(self) -> None:
        while data := await self._session.read():
            # In a thread: a slow terminal must not keep a typed ctrl-c from reaching the program.
            await asyncio.to_thread(_write_all, self._stdout, data)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


async def open_shell(app: App[Any], engine: Engine, container: str, name: str) -> int | None:
    """A shell in `container` instead of the console until it ends; its exit code, None if none could be opened.

    Says how it ended in a toast. Call it from a worker: the console's loop goes on, its painting waits.
    """
    columns, rows = terminal_size(1)
    try:
        session = await engine.open_exec(container, SHELL, tty=True, columns=columns, rows=rows)
    except OrchtuiError as error:
        app.notify(safe(str(error)), title=safe(f"no shell in {name}"), severity="error", markup=False)
        return None
    # batch_update keeps the console from painting into the shell while its loop goes on.
    with app.suspend(), app.batch_update():
        _write_all(1, f"\x1b[2J\x1b[Hshell in {safe(name, 200)} ({DETACH_HINT})\n".encode())
        try:
            ended: int | OrchtuiError = await run_on_terminal(session)
        except OrchtuiError as error:
            ended = error
    message, severity = _ending(name, ended)
    app.notify(safe(message), severity=severity, markup=False)
    return ended if isinstance(ended, int) else None


def _ending(name: str, ended: int | OrchtuiError) -> tuple[str, SeverityLevel]:
    match ended:
        case OrchtuiError():
            return f"The shell in {name} broke off. {ended}", "error"
        case 0:
            return f"The shell in {name} ended, exit code 0.", "information"
        case 126 | 127:
            return f"The shell in {name} ended, exit code {ended}: the image may have no shell.", "warning"
        case 129:
            return f"Left the shell in {name}; what runs in it may go on.", "warning"
        case _:
            return f"The shell in {name} ended, exit code {ended}.", "warning"
