"""What Docker says, decoded once at the edge. Placement fields (owner, stack, slot …) are filled in by core.view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

ContainerState = Literal["created", "running", "paused", "restarting", "removing", "exited", "dead"]
Health = Literal["none", "starting", "healthy", "unhealthy"]


class Owner(StrEnum):
    """Who keeps a thing running; decided in this order from labels (DESIGN 11, One Snapshot)."""

    MANAGED = "managed"
    OTHER_ENGINE = "other_engine"
    SWARM = "swarm"
    COMPOSE = "compose"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortBinding:
    container_port: int
    protocol: str = "tcp"
    host_ip: str | None = None
    host_port: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MountPoint:
    kind: str
    target: str
    source: str = ""
    name: str = ""
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    network: str
    network_id: str = ""
    ip: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container. `inspected` is False while only the list call was read (then times, exit and health are partial).

    `exit_code` is None until it has exited once. `foreign` marks a container that carries a managed project's
    Compose labels but not ours: shown, not counted, never touched. `previous` marks a slot's dead predecessor.
    """

    id: str
    name: str
    image: str
    image_id: str
    state: ContainerState
    command: str = ""
    health: Health = "none"
    failing_streak: int = 0
    exit_code: int | None = None
    oom_killed: bool = False
    error: str = ""
    restart_count: int = 0
    restart_policy: str = "no"
    pid: int = 0
    created_at: float = 0.0
    started_at: float | None = None
    finished_at: float | None = None
    tty: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[PortBinding, ...] = ()
    mounts: tuple[MountPoint, ...] = ()
    networks: tuple[Attachment, ...] = ()
    memory_limit: int = 0
    cpu_limit: float = 0.0
    inspected: bool = False
    owner: Owner = Owner.PLAIN
    stack: str = "-"
    service: str = ""
    slot: int | None = None
    revision: int | None = None
    foreign: bool = False
    previous: bool = False

    @property
    def short_id(self) -> str:
        return self.id[:12]

    @property
    def running(self) -> bool:
        return self.state in ("running", "paused", "restarting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    id: str
    name: str
    driver: str = "bridge"
    internal: bool = False
    created_at: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    name: str
    driver: str = "local"
    mountpoint: str = ""
    created_at: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A local image. `digests` are repo digests (`name@sha256:…`); an imported image has none."""

    id: str
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    created_at: float = 0.0
    size: int = 0
    has_healthcheck: bool = False
    architecture: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwarmService:
    """A Swarm service as the manager reports it; `desired` is None for global services without status."""

    id: str
    name: str
    image: str
    desired: int | None
    running: int
    labels: Mapping[str, str] = field(default_factory=dict)
    created_at: float = 0.0
    updated_at: float = 0.0
    update_state: str = ""
    update_message: str = ""
    ports: tuple[PortBinding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The Docker Engine and the machine it runs on. `endpoint` is its URL, `context` the docker context."""

    id: str
    name: str
    endpoint: str
    context: str
    engine_version: str
    api_version: str
    os: str = ""
    kernel: str = ""
    architecture: str = ""
    cpus: int = 0
    memory: int = 0
    swarm: Literal["inactive", "worker", "manager", "pending", "error", "locked"] = "inactive"
    cgroup_version: int = 1
    cgroup_driver: str = "cgroupfs"
    rootless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerEvent:
    """One event of the daemon's stream. `at` comes from timeNano, the daemon's own clock."""

    at: float
    nano: int
    kind: str
    action: str
    id: str
    attributes: Mapping[str, str] = field(default_factory=dict)
