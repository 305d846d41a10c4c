"""One container in full, for `describe`: typed where the console shows it, raw beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchtui.docker import parse
from orchtui.model.observed import Container

PROBE_LIMIT = 4096  # characters of one probe's output; dockerd itself keeps that many bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One run of the health check. Times in seconds since the epoch; `ended` None while it runs."""

    started: float | None
    ended: float | None
    exit_code: int
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerDocument:
    """`env` are KEY=VALUE texts, unmasked; `image_digests` the image's repo digests (none for a local build); `raw` the
    daemon's own document, unmasked too. Whoever shows any of it masks it first.
    """

    container: Container
    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    working_dir: str = ""
    user: str = ""
    hostname: str = ""
    stop_signal: str = ""
    stop_timeout: int | None = None
    healthcheck: tuple[str, ...] = ()
    probes: tuple[Probe, ...] = ()
    restart_max: int = 0
    network_mode: str = ""
    log_driver: str = ""
    log_path: str = ""
    init: bool | None = None
    privileged: bool = False
    read_only: bool = False
    image_digests: tuple[str, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)


def container_document(document: Mapping[str, Any], image_digests: tuple[str, ...] = ()) -> ContainerDocument:
    """GET /containers/{id}/json in full."""
    config: Mapping[str, Any] = document.get("Config") or {}
    host: Mapping[str, Any] = document.get("HostConfig") or {}
    health: Mapping[str, Any] = (document.get("State") or {}).get("Health") or {}
    timeout = config.get("StopTimeout")
    return ContainerDocument(
        container=parse.inspected_container(document),
        env=_strings(config.get("Env")),
        entrypoint=_strings(config.get("Entrypoint")),
        command=_strings(config.get("Cmd")),
        working_dir=str(config.get("WorkingDir") or ""),
        user=str(config.get("User") or ""),
        hostname=str(config.get("Hostname") or ""),
        stop_signal=str(config.get("StopSignal") or ""),
        stop_timeout=timeout if isinstance(timeout, int) else None,
        healthcheck=_strings((config.get("Healthcheck") or {}).get("Test")),
        probes=tuple(_probe(entry) for entry in health.get("Log") or ()),
        restart_max=int((host.get("RestartPolicy") or {}).get("MaximumRetryCount") or 0),
        network_mode=str(host.get("NetworkMode") or ""),
        log_driver=str((host.get("LogConfig") or {}).get("Type") or ""),
        log_path=str(document.get("LogPath") or ""),
        init=host.get("Init"),
        privileged=bool(host.get("Privileged")),
        read_only=bool(host.get("ReadonlyRootfs")),
        image_digests=image_digests,
        raw=document,
    )


def _probe(entry: Mapping[str, Any]) -> Probe:
    return Probe(
        started=parse.seconds(entry.get("Start")),
        ended=parse.seconds(entry.get("End")),
        exit_code=int(entry.get("ExitCode") or 0),
        output=str(entry.get("Output") or "")[:PROBE_LIMIT],
    )


def _strings(value: object) -> tuple[str, ...]:
    if isinstance(value, str):  # very old images keep a plain string here
        return (value,)
    return tuple(str(item) for item in value) if isinstance(value, list) else ()
