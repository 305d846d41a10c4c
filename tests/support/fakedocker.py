"""A tiny daemon that says what a test tells it to: other versions, refusals, event streams. Not a simulator."""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from orchtui.docker.endpoint import Endpoint

INFO: dict[str, Any] = {"ID": "FAKE:ID", "Name": "fake", "NCPU": 2, "SystemTime": "2026-11-23T06:00:00.000000500Z"}


class FakeDocker:
    """`async with FakeDocker() as fake:`, on a unix socket or on TCP.

    `answers` maps a path without its version to JSON or to an aiohttp handler.
    """

    def __init__(
        self,
        *,
        api: str = "1.41",
        oldest: str = "1.12",
        version: str = "20.10.24",
        tcp: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._tcp = tcp or tls is not None
        self._tls = tls
        self.port = 0
        self.folder = Path(tempfile.mkdtemp(prefix="otf"))
        self.path = str(self.folder / "docker.sock")
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.answers: dict[str, Any] = {
            "version": {"Version": version, "ApiVersion": api, "MinAPIVersion": oldest},
            "info": INFO,
            "_ping": "OK",
        }
        self._runner: web.AppRunner | None = None

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens, once entered; a TLS test adds its certificates."""
        url = f"tcp://127.0.0.1:{self.port}" if self._tcp else f"unix://{self.path}"
        return Endpoint(url=url, source="the test", tls=self._tls is not None)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        if self._tcp:
            await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls).start()
            self.port = self._runner.addresses[0][1]
        else:
            await web.UnixSite(self._runner, self.path).start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        first, _, rest = request.path.lstrip("/").partition("/")
        path = rest if first.startswith("v1.") else f"{first}/{rest}".rstrip("/")
        self.requests.append((request.method, request.path, dict(request.query)))
        answer = self.answers.get(path)
        if callable(answer):
            handler: Callable[[web.Request], Awaitable[web.StreamResponse]] = answer
            return await handler(request)
        if answer is None:
            return web.json_response({"message": f"no such page: {path}"}, status=404)
        if isinstance(answer, str):
            return web.Response(text=answer)
        return web.json_response(answer)


class EventScript:
    """A handler for `events`: each connection gets the next list of events, then its end (the last one: silence)."""

    def __init__(self, *connections: list[dict[str, Any]], hold_last: bool = True) -> None:
        self._connections = list(connections)
        self._hold_last = hold_last
        self.since: list[str | None] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.since.append(request.query.get("since"))
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        events = self._connections.pop(0) if self._connections else []
        for event in events:
            await response.write(json.dumps(event).encode() + b"\n")
        if self._hold_last and not self._connections:
            await asyncio.Event().wait()
        return response


def event(
    nano: int, action: str = "die", kind: str = "container", identity: str = "c1", **attributes: str
) -> dict[str, Any]:
    return {
        "Type": kind,
        "Action": action,
        "Actor": {"ID": identity, "Attributes": attributes},
        "time": nano // 1_000_000_000,
        "timeNano": nano,
    }
