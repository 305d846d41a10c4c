"""As much HTTP/1.1 as the client needs, over a unix socket: one request a connection, streams in both directions."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType

from orchtui.errors import EngineUnavailable

READ_SIZE = 1 << 20


class Dechunker:
    """The payload out of a chunked body that arrives in arbitrary pieces (RFC 9112 7.1; trailers are passed over)."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._left = -1  # payload bytes of the chunk still to come; -1: its size line comes next
        self.ended = False

    def feed(self, data: bytes) -> bytes:
        """The payload in `data`. Raises ValueError for what is no chunk."""
        self._buffer += data
        payload = bytearray()
        while not self.ended and self._step(payload):
            pass
        return bytes(payload)

    def _step(self, payload: bytearray) -> bool:
        if self._left < 0:
            line_end = self._buffer.find(b"\r\n")
            if line_end < 0:
                return False
            self._left = int(bytes(self._buffer[:line_end]).partition(b";")[0], 16)
            del self._buffer[: line_end + 2]
            self.ended = self._left == 0
            return True
        if self._left:
            part = self._buffer[: self._left]
            payload += part
            del self._buffer[: len(part)]
            self._left -= len(part)
            if self._left:
                return False
        if len(self._buffer) < 2:  # the CRLF after the payload
            return False
        if self._buffer[:2] != b"\r\n":
            raise ValueError("a chunk without its end")
        del self._buffer[:2]
        self._left = -1
        return True


class Connection:
    """One request and its reply. Use as an async context manager: leaving it ends the connection at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._dechunker: Dechunker | None = None
        self._left = 0
        self.status = 0
        self.content_type = ""

    async def __aenter__(self) -> Connection:
        """Raises EngineUnavailable when nobody answers."""
        try:
            self._streams = await asyncio.open_unix_connection(str(self._path), limit=READ_SIZE)
        except PermissionError as error:
            raise EngineUnavailable(
                f"The orchtui engine's socket {self._path} belongs to another user.",
                hint="Use that user's account, or choose a state folder of your own with ORCHTUI_STATE_DIR.",
            ) from error
        except OSError as error:
            raise EngineUnavailable(
                "No orchtui engine is running here.", hint="Start it with 'orchtui engine start'."
            ) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()

    async def send(self, method: str, target: str, body: bytes | None) -> None:
        """The request. With `body` None the body follows by `send_chunk`."""
        length = "Transfer-Encoding: chunked" if body is None else f"Content-Length: {len(body)}"
        head = f"{method} {target} HTTP/1.1\r\nHost: orchtui\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
        await self._write(head.encode("ascii") + (body or b""))

    async def send_chunk(self, data: bytes) -> None:
        """A piece of the body; b"" is its end."""
        await self._write(b"%x\r\n%b\r\n" % (len(data), data))

    async def _write(self, data: bytes) -> None:
        try:
            writer = self._open()[1]
            writer.write(data)
            await writer.drain()
        except OSError as error:
            raise _lost() from error

    async def read_head(self) -> None:
        """Wait for the reply; then `status` and `content_type` are set and `read` gives its body."""
        try:
            head = await self._open()[0].readuntil(b"\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise _lost() from error
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = dict(_field(line) for line in lines if ":" in line)
        try:
            self.status = int(first.split(" ")[1])
            self._left = int(fields.get("content-length", "0"))
        except (IndexError, ValueError) as error:
            raise _garbled() from error
        self.content_type = fields.get("content-type", "").partition(";")[0].strip()
        if fields.get("transfer-encoding") == "chunked":
            self._dechunker = Dechunker()

    async def read(self) -> bytes:
        """What has come of the body, as much as there is but at least one byte; b"" at its proper end.

        Raises EngineUnavailable when the connection ends before that.
        """
        while True:
            if self._dechunker.ended if self._dechunker else self._left <= 0:
                return b""
            try:
                data = await self._open()[0].read(2 * READ_SIZE)
                if not data:
                    raise _lost()
                payload = self._dechunker.feed(data) if self._dechunker else data
            except OSError as error:
                raise _lost() from error
            except ValueError as error:
                raise _garbled() from error
            if self._dechunker is None:
                self._left -= len(data)
            if payload:
                return payload

    async def read_all(self) -> bytes:
        parts = []
        while data := await self.read():
            parts.append(data)
        return b"".join(parts)

    def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            raise RuntimeError("the connection was not entered")
        return self._streams


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


def _lost() -> EngineUnavailable:
    return EngineUnavailable("The orchtui engine ended the connection.", hint="Look at 'orchtui engine status'.")


def _garbled() -> EngineUnavailable:
    return EngineUnavailable("What answers on the engine's socket is not an orchtui engine.")
