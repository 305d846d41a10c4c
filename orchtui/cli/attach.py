"""How every part of orchtui gets its engine: attach to the background one, start it, look, or run one in-process.

Imports neither aiohttp nor aiodocker, unless the engine runs in this process.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from orchtui import __version__, config
from orchtui.api import codec
from orchtui.api.client import RemoteEngine
from orchtui.config import Settings
from orchtui.docker.endpoint import Endpoint, resolve
from orchtui.docker.identify import engine_id
from orchtui.engine import Engine
from orchtui.errors import DockerUnreachable, EngineUnavailable, Refused

if TYPE_CHECKING:
    from orchtui.engines.local import LocalEngine
    from orchtui.engines.threaded import ThreadedEngine

READY_FD = "ORCHTUI_ENGINE_READY_FD"  # set for a background engine: where it reports that it runs, or why not
READY = b"ready"
TAKEN = b"taken"  # another engine was there first
START_SECONDS = 10.0
_REMEMBERED = "endpoints.json"
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the engine of one Docker Engine lives. `docker_away` is why the daemon itself could not be asked."""

    endpoint: Endpoint
    engine_id: str
    folder: Path
    socket: Path
    docker_away: DockerUnreachable | None = None

    @property
    def log(self) -> Path:
        return self.folder / "engine.log"


def locate(settings: Settings, environ: Mapping[str, str] = os.environ) -> Place:
    """Where the engine for these settings lives, whether it runs or not.

    While Docker is away the place is known from an earlier time, so a running engine is still found. Raises what
    `resolve` raises, DockerDenied, and DockerUnreachable for a Docker Engine that was never seen.
    """
    endpoint = resolve(environ, host=settings.host, context=settings.context)
    away: DockerUnreachable | None = None
    try:
        identity = engine_id(endpoint)
        folder = config.engine_dir(settings.state_dir, identity)
    except DockerUnreachable as error:
        away, identity = error, _remembered(settings.state_dir).get(endpoint.url, "")
        if not identity:
            raise
        folder = config.engine_dir(settings.state_dir, identity)
    except ValueError as error:
        raise DockerUnreachable(
            f"What answers at {endpoint.url} has no Docker Engine ID.", hint="Check DOCKER_HOST or the docker context."
        ) from error
    return Place(
        endpoint=endpoint,
        engine_id=identity,
        folder=folder,
        socket=config.socket_path(folder, environ),
        docker_away=away,
    )


def _remembered(state_dir: Path) -> Mapping[str, str]:
    """Docker Engine IDs by endpoint, as seen earlier."""
    try:
        known = json.loads((state_dir / _REMEMBERED).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(known, dict):
        return {}
    return {url: found for url, found in known.items() if isinstance(found, str) and config.is_engine_id(found)}


def remember(state_dir: Path, place: Place) -> None:
    """Keep which Docker Engine answers at the endpoint; without it nothing but the search without Docker is lost."""
    known = _remembered(state_dir)
    if known.get(place.endpoint.url) == place.engine_id:
        return
    path = state_dir / _REMEMBERED
    fresh = path.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        fresh.write_text(json.dumps({**known, place.endpoint.url: place.engine_id}, indent=1), "utf-8")
        fresh.replace(path)


def prepare_folders(place: Place) -> None:
    """Make the state folder and the socket's folder, private to us. Raises EngineUnavailable."""
    try:
        config.private_folder(place.folder)
        if place.socket.parent != place.folder:
            config.private_folder(place.socket.parent)
    except OSError as error:
        reason = str(error) if error.errno is None else f"{error.filename}: {error.strerror}"
        raise EngineUnavailable(
            f"The engine's state folder cannot be used: {reason.rstrip('.')}.",
            hint="Choose another one with ORCHTUI_STATE_DIR.",
        ) from error


async def running(place: Place) -> RemoteEngine | None:
    """The engine that runs for `place`, None if none does. Raises EngineUnavailable for one that does not answer."""
    if not await asyncio.to_thread(answers, place):
        return None
    return await RemoteEngine.connect(place.socket)


def answers(place: Place) -> bool:
    """True if somebody listens on a socket that is ours."""
    if not config.trusted_socket(place.socket):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(str(place.socket))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError:
            return True  # busy or forbidden: whoever talks to it in earnest gets the reason
    return True


class Attachment:
    """An engine that is being attached to, started first if none ran. `await engine()` gives it; call that once."""

    def __init__(self, settings: Settings, place: Place, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._place = place
        self._environ = environ
        self._starting: _Starting | None = None
        if not answers(place):
            if place.docker_away is not None:
                raise place.docker_away
            self._starting = _spawn(settings, place, environ)

    @property
    def started(self) -> bool:
        """True if no engine ran, so one is being started."""
        return self._starting is not None

    async def engine(self) -> RemoteEngine:
        """Raises the starting engine's own error, or EngineUnavailable."""
        if self._starting is not None:
            await _await_start(self._starting, self._place)
        remote = await RemoteEngine.connect(self._place.socket, revive=self._revive)
        _same_version(remote)
        return remote

    async def _revive(self) -> None:
        if not await asyncio.to_thread(answers, self._place):
            await _await_start(_spawn(self._settings, self._place, self._environ), self._place)


def another_machine(place: Place) -> Refused:
    """Why no engine is started here for a Docker Engine behind TCP."""
    return Refused(
        f"Stacks at {place.endpoint.url} belong to the orchtui engine that runs on that machine.",
        hint="Run orchtui there, or use --look here.",
    )


def begin_attach(settings: Settings, environ: Mapping[str, str] = os.environ) -> Attachment:
    """Start the background engine now if none runs, and wait for it later: the caller has imports to do meanwhile.

    Raises what `locate` raises, EngineUnavailable, and Refused for a Docker Engine on another machine.
    """
    place = locate(settings, environ)
    if place.endpoint.socket_path is None:
        raise another_machine(place)
    prepare_folders(place)
    remember(settings.state_dir, place)
    return Attachment(settings, place, environ)


async def attach(settings: Settings, *, start: bool, environ: Mapping[str, str] = os.environ) -> RemoteEngine:
    """The background engine. With `start` it is started if none runs; otherwise EngineUnavailable says so."""
    if start:
        beginning = await asyncio.to_thread(begin_attach, settings, environ)
        return await beginning.engine()
    place = await asyncio.to_thread(locate, settings, environ)
    remote = await running(place)
    if remote is None:
        raise EngineUnavailable("No orchtui engine is running here.", hint="Start it with 'orchtui engine start'.")
    _same_version(remote)
    return remote


def look(settings: Settings, environ: Mapping[str, str] = os.environ) -> LocalEngine:
    """An engine in this process that only looks and starts nothing: an async context manager."""
    from orchtui.engines.local import LocalEngine

    endpoint, folder = _local(settings, environ)
    return LocalEngine(endpoint, folder, manage=False)


def in_process(settings: Settings, environ: Mapping[str, str] = os.environ) -> ThreadedEngine:
    """The managing engine in this process, on a thread of its own: an async context manager.

    It takes the same lock as the background engine, so entering it raises EngineUnavailable while that one runs.
    """
    from orchtui.engines.local import LocalEngine
    from orchtui.engines.threaded import ThreadedEngine

    place = locate(settings, environ)
    prepare_folders(place)
    remember(settings.state_dir, place)
    return ThreadedEngine(lambda: LocalEngine(place.endpoint, place.folder, manage=True))


def _local(settings: Settings, environ: Mapping[str, str]) -> tuple[Endpoint, Path | None]:
    """For looking: a Docker Engine that is away is shown as such, not refused."""
    try:
        place = locate(settings, environ)
    except DockerUnreachable:
        return resolve(environ, host=settings.host, context=settings.context), None
    return place.endpoint, place.folder


async def open_engine(settings: Settings, *, change: bool, environ: Mapping[str, str] = os.environ) -> Engine:
    """The engine for one command; the caller closes it with `aclose`, in the task that opened it.

    In this process if asked for, or to change something behind a Docker Engine on another machine; else the background
    one, started if the command is to `change` something; else, to look, whichever runs already, or one in this process
    that only looks.
    """
    here = resolve(environ, host=settings.host, context=settings.context).socket_path is not None
    if settings.in_process or (change and not here):
        threaded = await asyncio.to_thread(in_process, settings, environ)
        return await threaded.__aenter__()
    if change:
        return await attach(settings, start=True, environ=environ)
    if here and not settings.look:
        try:
            remote = await running(await asyncio.to_thread(locate, settings, environ))
        except DockerUnreachable:
            remote = None
        if remote is not None:
            _same_version(remote)
            return remote
    local = await asyncio.to_thread(look, settings, environ)
    return await local.__aenter__()


def _same_version(remote: RemoteEngine) -> None:
    if remote.info.version != __version__:
        raise EngineUnavailable(
            f"The engine that runs here (process {remote.info.pid}) is orchtui {remote.info.version},"
            f" this is orchtui {__version__}.",
            hint="Restart it with 'orchtui engine stop' and 'orchtui engine start'; containers keep running.",
        )


@dataclass(frozen=True, slots=True)
class _Starting:
    process: subprocess.Popen[bytes]
    report: IO[bytes]


def _spawn(settings: Settings, place: Place, environ: Mapping[str, str]) -> _Starting:
    """Start `orchtui engine run` in a session of its own, without our terminal and folder.

    What the interpreter itself prints (a crash) goes to the log. Raises EngineUnavailable.
    """
    reading, writing = os.pipe()
    try:
        with open(os.open(place.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600), "ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "orchtui", "engine", "run"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(writing,),
                cwd="/",
                start_new_session=True,
                env=_engine_environment(settings, environ, writing),
            )
    except OSError as error:
        os.close(reading)
        raise EngineUnavailable(f"The orchtui engine cannot be started: {error}.") from error
    finally:
        os.close(writing)
    return _Starting(process, open(reading, "rb", buffering=0))


def _engine_environment(settings: Settings, environ: Mapping[str, str], ready_fd: int) -> dict[str, str]:
    """The command line's choices as variables, so that the engine resolves the same Docker Engine and folder."""
    result = dict(environ)
    result["ORCHTUI_STATE_DIR"] = str(settings.state_dir)
    result["ORCHTUI_IDLE_EXIT"] = f"{settings.idle_exit:g}"
    result[READY_FD] = str(ready_fd)
    if settings.host:
        result["DOCKER_HOST"] = settings.host
        result.pop("DOCKER_CONTEXT", None)
    elif settings.context:
        result["DOCKER_CONTEXT"] = settings.context
        result.pop("DOCKER_HOST", None)
    return result


async def _await_start(starting: _Starting, place: Place) -> None:
    """Until the engine reports READY, or somebody else's does after a lost race. Raises what it reports instead."""
    try:
        async with asyncio.timeout(START_SECONDS):
            report = await _read_report(starting)
            if report == TAKEN:
                await _until_answered(place)
            elif report != READY:
                raise codec.decode_error(report) if report else _crashed(place)
    except TimeoutError as error:
        raise EngineUnavailable(
            f"The orchtui engine did not start within {START_SECONDS:g} seconds.", hint=f"Its log is {place.log}."
        ) from error


async def _read_report(starting: _Starting) -> bytes:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), starting.report
    )
    try:
        return await reader.read()
    finally:
        transport.close()
        # It left the engine to a child of its own and is gone, unless it hangs before that.
        starting.process.kill()
        starting.process.wait()


def _crashed(place: Place) -> EngineUnavailable:
    last = ""
    with suppress(OSError):
        last = place.log.read_text("utf-8", "replace")[-4096:].strip().rpartition("\n")[2]
    return EngineUnavailable(
        f"The orchtui engine ended at once: {last or 'it left no word'}.", hint=f"Its log is {place.log}."
    )


async def _until_answered(place: Place) -> None:
    while True:
        if await asyncio.to_thread(answers, place):
            return
        await asyncio.sleep(_POLL_SECONDS)
