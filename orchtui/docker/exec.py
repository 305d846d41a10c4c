"""A process in a container, with or without a terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiodocker.execs import Exec
from aiodocker.stream import Stream

from orchtui.docker.connection import Connection, path
from orchtui.docker.faults import translated
from orchtui.errors import DockerRefused

CONSOLE_SIZE = (1, 42)  # from here on the first size goes along with the creation
RESIZE_TRIES = 20  # the process may not have started yet; docker/cli container/tty.go tries ten times as well
RESIZE_PAUSE = 0.02
EXIT_TRIES = 100  # between the end of output and the exit code lie milliseconds
EXIT_PAUSE = 0.02


class DockerExec:
    """An orchtui.engine.ExecSession. Without a TTY, standard output and standard error come as one stream of bytes."""

    def __init__(self, client: Connection, identity: str, stream: Stream) -> None:
        self._client = client
        self._id = identity
        self._stream = stream

    async def read(self) -> bytes:
        """The next bytes; b"" at the end. Raises DockerUnreachable when the connection breaks."""
        with translated(self._client.endpoint, "run a process"):
            message = await self._stream.read_out()
        return message.data if message is not None else b""

    async def write(self, data: bytes) -> None:
        """Input for the process; dropped when it has ended, which `read` tells."""
        try:
            with translated(self._client.endpoint, "take input for a process"):
                await self._stream.write_in(data)
        except AssertionError:  # aiodocker asserts that the connection still stands
            return

    async def resize(self, columns: int, rows: int) -> None:
        """Raises DockerRefused when the process is not there (yet, or any more)."""
        await self._client.call(
            path("exec", self._id, "resize"),
            "POST",
            doing="resize a terminal",
            params={"h": str(rows), "w": str(columns)},
        )

    async def exit_code(self) -> int:
        """Raises DockerRefused when the process still runs although its output has ended (it detached)."""
        for _ in range(EXIT_TRIES):
            document = await self._client.read_json(path("exec", self._id, "json"), doing="tell an exit code")
            if not document.get("Running") and document.get("ExitCode") is not None:
                return int(document["ExitCode"])
            await asyncio.sleep(EXIT_PAUSE)
        raise DockerRefused(
            "The output ended, but the process runs on.",
            hint="The connection broke, or the process went to the background.",
        )

    async def aclose(self) -> None:
        await self._stream.close()


async def open_session(
    client: Connection,
    container: str,
    argv: Sequence[str],
    tty: bool = True,
    columns: int = 80,
    rows: int = 24,
) -> DockerExec:
    """Start `argv` in a running container and attach to it; a TTY has its size before this returns.

    Raises DockerNotFound, DockerConflict (not running, paused), DockerRefused (no such program, where the daemon says
    so at once), DockerUnreachable.
    """
    body: dict[str, object] = {
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": tty,
        "Cmd": list(argv),
    }
    if tty and client.api >= CONSOLE_SIZE:
        body["ConsoleSize"] = [rows, columns]
    if tty:
        body["Env"] = ["TERM=xterm-256color"]
    doing = f"run {argv[0]} in container {container}"
    answer = await client.call(path("containers", container, "exec"), "POST", doing=doing, body=body)
    identity = str(answer["Id"])
    stream = Exec(client.stream_docker, identity, tty).start()
    session = DockerExec(client, identity, stream)
    try:
        with translated(client.endpoint, doing):
            await stream.__aenter__()
        if tty:
            await _first_size(session, columns, rows)
    except BaseException:
        await session.aclose()
        raise
    return session


async def _first_size(session: DockerExec, columns: int, rows: int) -> None:
    """Set the size as soon as the process exists; one that ended at once needs none."""
    for _ in range(RESIZE_TRIES):
        try:
            await session.resize(columns, rows)
        except DockerRefused:
            await asyncio.sleep(RESIZE_PAUSE)
        else:
            return
