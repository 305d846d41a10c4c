"""A shell on a real terminal: raw while it lasts, resized with it, restored after it whatever happened."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import signal
import sys
import termios
from collections.abc import Iterator
from typing import Any

import pytest

from orchtui.errors import DockerUnreachable, OrchtuiError, UsageError
from orchtui.tui.shell import DETACHED, SHELL, DetachWatch, run_on_terminal, terminal_size
from tests.support.memory import MemoryExec
from tests.support.terminal import terminal
from tests.support.until import until
from tests.tui.programs import EchoExec
from tests.tui.test_safety import environment, leaks


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """Both ends of a pty: what the person types into and reads from, and the program's terminal."""
    person, program = pty.openpty()
    yield person, program
    os.close(person)
    os.close(program)


def is_raw(fd: int) -> bool:
    return not termios.tcgetattr(fd)[3] & (termios.ICANON | termios.ECHO)


class Broken(EchoExec):
    async def write(self, data: bytes) -> None:
        raise DockerUnreachable("gone")

    async def read(self) -> bytes:
        raise DockerUnreachable("The connection broke.")


async def test_what_is_typed_goes_in_and_what_comes_is_shown(ends: tuple[int, int]) -> None:
    person, program = ends
    session = EchoExec()
    before = termios.tcgetattr(program)
    running = asyncio.ensure_future(run_on_terminal(session, stdin=program, stdout=program))
    await until(lambda: is_raw(program))
    os.write(person, b"ls\x03")  # ctrl-c is the shell's, not ours
    await until(lambda: session.written and b"".join(session.written) == b"ls\x03")
    os.write(person, b"exit\r")
    assert await running == 3
    assert termios.tcgetattr(program) == before
    assert session.closed
    shown = bytearray()

    def restored() -> bool:  # a terminal hands out what was written in pieces of its own choosing
        if select.select([person], [], [], 0)[0]:
            shown.extend(os.read(person, 4096))
        return b"\x1b[?25h" in shown

    await until(restored, what="the cursor is shown again")
    assert shown.startswith(b"welcome\r\n$ ls\x03")


async def test_the_size_follows_the_terminal(ends: tuple[int, int]) -> None:
    person, program = ends
    session = EchoExec()
    before = signal.getsignal(signal.SIGWINCH)
    running = asyncio.ensure_future(run_on_terminal(session, stdin=program, stdout=program))
    await until(lambda: is_raw(program))
    termios.tcsetwinsize(person, (33, 111))
    os.kill(os.getpid(), signal.SIGWINCH)
    await until(lambda: session.sizes == [(111, 33)])
    os.write(person, b"exit\r")
    await running
    assert signal.getsignal(signal.SIGWINCH) == before
    assert terminal_size(program) == (111, 33)


async def test_three_presses_detach_even_when_nothing_answers(ends: tuple[int, int]) -> None:
    person, program = ends
    session = EchoExec()
    running = asyncio.ensure_future(run_on_terminal(session, stdin=program, stdout=program))
    await until(lambda: is_raw(program))
    os.write(person, b"\x1d\x1d\x1d")
    assert await running == DETACHED
    assert not is_raw(program)
    assert session.closed


async def test_a_broken_connection_is_an_error_and_the_terminal_is_restored(ends: tuple[int, int]) -> None:
    _, program = ends
    session = Broken()
    with pytest.raises(OrchtuiError, match="The connection broke"):
        await run_on_terminal(session, stdin=program, stdout=program)
    assert not is_raw(program)
    assert session.closed


async def test_cancelling_restores_the_terminal(ends: tuple[int, int]) -> None:
    _, program = ends
    session = EchoExec()
    running = asyncio.ensure_future(run_on_terminal(session, stdin=program, stdout=program))
    await until(lambda: is_raw(program))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not is_raw(program)
    assert session.closed


async def test_no_terminal_is_said_in_words() -> None:
    read_end, write_end = os.pipe()
    session = MemoryExec()
    try:
        with pytest.raises(UsageError, match="needs a terminal"):
            await run_on_terminal(session, stdin=read_end, stdout=write_end)
    finally:
        os.close(read_end)
        os.close(write_end)
    assert session.closed


@pytest.mark.parametrize(
    ("presses", "detached"),
    [
        ([(b"\x1d\x1d\x1d", 0.0)], True),
        ([(b"\x1d", 0.0), (b"\x1d", 0.3), (b"\x1d", 0.6)], True),
        ([(b"\x1d", 0.0), (b"\x1d", 0.6), (b"\x1d", 1.1)], False),
        ([(b"\x1d\x1da\x1d", 0.0)], False),
    ],
)
def test_detaching_takes_three_presses_in_a_row_within_a_second(presses: Any, detached: bool) -> None:
    watch = DetachWatch()
    assert any(watch.seen(data, now) for data, now in presses) is detached


def test_the_console_gives_the_terminal_away_and_takes_it_back() -> None:
    with terminal([sys.executable, "-m", "tests.tui.programs", "shell"], environment(), 100, 30) as opened:
        opened.wait_for("the console")
        opened.send("s")
        opened.wait_for("welcome")
        # What the container prints may act; its name, which we print, may not.
        assert leaks(bytes(opened.raw).split(b"\x1b[2J\x1b[H")[1].split(b"welcome")[0]) == []
        before = len(opened.raw)
        opened.send("echo q")
        opened.wait_for("echo q")
        assert b"\x1b[?1049h" not in opened.raw[before:]
        opened.send("\rexit\r")
        opened.wait_for("exit code 3")
        assert opened.raw[before:].count(b"\x1b[?1049h") == 1


def test_bash_is_tried_before_sh() -> None:
    assert SHELL[0] == "sh"
    assert SHELL[2].index("bash") < SHELL[2].index("exec sh")
