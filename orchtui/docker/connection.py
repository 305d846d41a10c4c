"""One Docker Engine: two connection pools, the API version we agree on, and the few primitives all verbs stand on.

Commands and streams have a pool each: a pool of 100 that is full of streams lets the next command hang for ever, and
aiodocker itself never gives a stream's connection back when its reader leaves early (research/feasibility.md 1.3).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar
from urllib.parse import quote

import aiohttp
from aiodocker import Docker

from orchtui.docker import parse
from orchtui.docker.endpoint import Endpoint
from orchtui.docker.faults import lost, translated
from orchtui.docker.identify import tls_context
from orchtui.errors import DockerError, DockerUnreachable, DockerVersion
from orchtui.model.observed import Host

T = TypeVar("T")
R = TypeVar("R")

MIN_API = (1, 41)  # Engine 20.10
MAX_API = (1, 45)  # Engine 26.1: the newest that the tests run on
COMMAND_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=5, sock_connect=5)
STREAM_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=10, sock_connect=5)
COMMAND_CONNECTIONS = 64
FAN_OUT = 16  # more is slower: feasibility.md section 7


def negotiate(endpoint: Endpoint, *, newest: str, oldest: str, engine: str) -> str:
    """The API version to speak, such as `1.41`: the daemon's newest, capped at ours. Raises DockerVersion.

    `newest` and `oldest` are /version's ApiVersion and MinAPIVersion, `engine` its Version.
    """
    high, low = api_number(newest), api_number(oldest or "1.0")
    if high < MIN_API:
        raise DockerVersion(
            f"Docker Engine {engine} at {endpoint.url} speaks API {newest}; orchtui needs {_text(MIN_API)} or newer.",
            hint="Upgrade Docker to Engine 20.10 or newer.",
        )
    if low > MAX_API:
        raise DockerVersion(
            f"Docker Engine {engine} at {endpoint.url} accepts only API {oldest} and newer; "
            f"this orchtui speaks up to {_text(MAX_API)}.",
            hint="Upgrade orchtui.",
        )
    return _text(min(high, MAX_API))


def api_number(text: str) -> tuple[int, int]:
    """`1.41` as a pair that compares rightly; (0, 0) for what is no version."""
    major, _, minor = text.removeprefix("v").partition(".")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else (0, 0)


def _text(number: tuple[int, int]) -> str:
    return f"{number[0]}.{number[1]}"


def path(*parts: str) -> str:
    """An API path of escaped parts, so that a name with a slash stays one name."""
    return "/".join(quote(part, safe=":@") for part in parts)


class Connection:
    """Connects lazily: making one needs a running event loop but no Docker. `refresh_host` negotiates, each time."""

    def __init__(self, endpoint: Endpoint, *, timeout: aiohttp.ClientTimeout = COMMAND_TIMEOUT) -> None:
        self.endpoint = endpoint
        self._connectors: list[aiohttp.BaseConnector] = []
        self._commands = self._docker(limit=COMMAND_CONNECTIONS, timeout=timeout)
        self._streams = self._docker(limit=0, timeout=STREAM_TIMEOUT)
        self._host: Host | None = None
        self._daemon_nano = 0
        self._closed = False

    def _docker(self, *, limit: int, timeout: aiohttp.ClientTimeout) -> Docker:
        connector: aiohttp.BaseConnector
        if self.endpoint.socket_path is not None:
            connector = aiohttp.UnixConnector(self.endpoint.socket_path, limit=limit)
            url = "unix://localhost"
        else:
            context = tls_context(self.endpoint)
            connector = aiohttp.TCPConnector(limit=limit, ssl=context if context is not None else True)
            url = self.endpoint.url.replace("tcp://", "https://" if context is not None else "http://")
        self._connectors.append(connector)
        return Docker(url=url, connector=connector, timeout=timeout, api_version="v" + _text(MIN_API))

    @property
    def host(self) -> Host:
        """What `refresh_host` saw last. Raises DockerUnreachable before the first time."""
        if self._host is None:
            raise DockerUnreachable(f"Docker at {self.endpoint.url} was not reached yet.")
        return self._host

    @property
    def api(self) -> tuple[int, int]:
        """The API version in use."""
        return api_number(self._commands.api_version)

    @property
    def daemon_nano(self) -> int:
        """The daemon's own clock at the last `refresh_host`, in nanoseconds since the epoch (0: it did not say)."""
        return self._daemon_nano

    async def refresh_host(self) -> Host:
        """Negotiate the API version and read who and what the engine is.

        Called again after each loss: it may be another version, even another daemon, that comes back. Raises
        DockerUnreachable, DockerDenied, DockerVersion.
        """
        version = await self.read_json("version", doing="tell its version", versioned=False)
        if not isinstance(version, dict) or "ApiVersion" not in version:
            raise DockerUnreachable(
                f"What answers at {self.endpoint.url} is not a Docker Engine.",
                hint="Check DOCKER_HOST or the docker context.",
            )
        api = negotiate(
            self.endpoint,
            newest=str(version["ApiVersion"]),
            oldest=str(version.get("MinAPIVersion") or ""),
            engine=str(version.get("Version") or "?"),
        )
        self._commands.api_version = self._streams.api_version = f"v{api}"
        info = await self.read_json("info", doing="describe itself")
        self._daemon_nano = parse.nano(info.get("SystemTime"))
        self._host = parse.host(info, version, api=api, endpoint=self.endpoint.url, context=self.endpoint.context)
        return self._host

    async def ping(self, timeout: float = 5.0) -> None:
        """Return if the daemon answers. Raises DockerUnreachable."""
        await self.call(
            "_ping",
            doing="answer a ping",
            versioned=False,
            timeout=aiohttp.ClientTimeout(total=timeout, connect=timeout),
        )

    async def aclose(self) -> None:
        """Close every connection, streams too. Never raises, and may be called again."""
        if self._closed:
            return
        self._closed = True
        for docker in (self._commands, self._streams):
            await docker.close()
        for connector in self._connectors:
            await connector.close()
        # aiohttp closes transports in the loop's next turn; whoever ends the loop now would leave them behind.
        await asyncio.sleep(0)

    @property
    def stream_docker(self) -> Docker:
        """aiodocker over the unlimited pool, for docker/exec.py alone."""
        return self._streams

    # -- primitives for the verbs ------------------------------------------------------------------------------------

    async def read_json(
        self,
        path: str,
        *,
        doing: str,
        params: Mapping[str, str] | None = None,
        versioned: bool = True,
        on_streams: bool = False,
        timeout: aiohttp.ClientTimeout | None = None,
    ) -> Any:
        """GET and decode. `on_streams` uses the unlimited pool (stats calls wait for a second each on old engines)."""
        docker = self._streams if on_streams else self._commands
        body = await self._whole(docker, "GET", path, doing, params, None, versioned, timeout)
        return self._decoded(body, doing)

    async def call(
        self,
        path: str,
        method: str = "GET",
        *,
        doing: str,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        versioned: bool = True,
        timeout: aiohttp.ClientTimeout | None = None,
    ) -> Any:
        """One command; its decoded JSON answer, None when there is none (204, 304 and plain text)."""
        data = json.dumps(body).encode() if body is not None else None
        answer = await self._whole(self._commands, method, path, doing, params, data, versioned, timeout)
        return self._decoded(answer, doing) if answer[:1] in (b"{", b"[") else None

    async def _whole(
        self,
        docker: Docker,
        method: str,
        path: str,
        doing: str,
        params: Mapping[str, str] | None,
        data: bytes | None,
        versioned: bool,
        timeout: aiohttp.ClientTimeout | None,
    ) -> bytes:
        with translated(self.endpoint, doing):
            response = await docker._do_query(
                path,
                method,
                params=dict(params or {}),
                data=data,
                timeout=timeout or docker._timeout,
                versioned_api=versioned,
            )
            try:
                return await response.read()
            finally:
                response.close()  # a finished one went back to the pool already; a cancelled one must not

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        method: str = "GET",
        *,
        doing: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Chunks]:
        """An answer without an end, as chunks of bytes, on the unlimited pool. Its connection closes with the block."""
        with translated(self.endpoint, doing):
            response = await self._streams._do_query(
                path, method, params=dict(params or {}), headers=dict(headers or {}), timeout=STREAM_TIMEOUT
            )
        try:
            yield Chunks(response, self.endpoint, doing)
        finally:
            response.close()

    def _decoded(self, body: bytes, doing: str) -> Any:
        try:
            return json.loads(body)
        except ValueError as error:
            raise DockerUnreachable(
                f"Docker at {self.endpoint.url} answered something else than JSON when asked to {doing}.",
                hint="Is it a Docker Engine, or a proxy before one?",
            ) from error


class Chunks:
    """A streamed answer, chunk by chunk, with the socket's own back pressure. Waiting may be cancelled and resumed (a
    generator would be finished by it).
    """

    def __init__(self, response: aiohttp.ClientResponse, endpoint: Endpoint, doing: str) -> None:
        self._response = response
        self._endpoint = endpoint
        self._doing = doing

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise lost(self._endpoint, error, self._doing) from error
        if not chunk:
            raise StopAsyncIteration
        return chunk


async def fan_out(items: Sequence[T], each: Callable[[T], Awaitable[R]], *, limit: int = FAN_OUT) -> list[R]:
    """`each` of `items`, at most `limit` at a time, in order. The first DockerError ends the rest, and is raised."""
    results: list[R | None] = [None] * len(items)
    failure: list[DockerError] = []
    queue = iter(enumerate(items))

    async def worker() -> None:
        for index, item in queue:
            if failure:
                return
            try:
                results[index] = await each(item)
            except DockerError as error:
                failure.append(error)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(limit, len(items))):
            group.create_task(worker())
    if failure:
        raise failure[0]
    return results  # type: ignore[return-value]  # every slot was filled: no worker left one out
