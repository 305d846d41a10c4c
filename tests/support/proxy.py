"""A unix socket before Docker's own that can be cut, restored and stalled: the network, or dockerd, going away."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Self

from orchtui.docker.endpoint import Endpoint


class SocketProxy:
    """`async with SocketProxy(socket path) as proxy:` then talk to `proxy.endpoint`.

    `open` counts connections that stand now, `total` all there ever were. Belongs to the event loop it was entered in.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.folder = Path(tempfile.mkdtemp(prefix="otp"))  # short: a socket path has 107 bytes
        self.path = str(self.folder / "docker.sock")
        self.total = 0
        self._server: asyncio.Server | None = None
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._quiet = asyncio.Event()
        self._quiet.set()

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(url=f"unix://{self.path}", source="the test proxy")

    @property
    def open(self) -> int:
        return len(self._pairs)

    async def __aenter__(self) -> Self:
        await self.restore()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.cut()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def cut(self) -> None:
        """Drop every connection and listen no more; the socket file goes away, as when dockerd stops."""
        self.resume()
        if self._server is not None:
            self._server.close()
            self._server = None
            self._remove_socket()
        self.drop()
        await self._quiet.wait()

    def _remove_socket(self) -> None:
        Path(self.path).unlink(missing_ok=True)

    async def restore(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_unix_server(self._serve, self.path)

    def drop(self) -> None:
        """Break the connections that stand, but take new ones."""
        for pair in tuple(self._pairs):
            for writer in pair:
                writer.transport.abort()

    def stall(self) -> None:
        """Keep everything open and deliver nothing: a daemon that hangs."""
        self._flowing.clear()

    def resume(self) -> None:
        self._flowing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.total += 1
        try:
            up_reader, up_writer = await asyncio.open_unix_connection(self.upstream)
        except OSError:
            writer.close()
            return
        pair = (writer, up_writer)
        self._pairs.add(pair)
        self._quiet.clear()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, up_writer, pair))
                group.create_task(self._pump(up_reader, writer, pair))
        finally:
            self._pairs.discard(pair)
            if not self._pairs:
                self._quiet.set()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        pair: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
    ) -> None:
        """Copy until either side ends, then end both (nothing here half-closes)."""
        try:
            while data := await reader.read(65536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            for end in pair:
                end.close()
