"""What a person wishes: the small typed form that `compose.lower` makes from a canonical Compose tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Order = Literal["start-first", "stop-first"]
Condition = Literal["service_started", "service_healthy", "service_completed_successfully"]
RestartCondition = Literal["no", "on-failure", "always", "unless-stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PortSpec:
    """One published port. `published` is None (the daemon picks one), a port or a range such as `8080-8082`."""

    target: int
    published: str | None = None
    host_ip: str | None = None
    protocol: str = "tcp"

    @property
    def width(self) -> int | None:
        """How many host ports this entry offers; None when the daemon picks any."""
        if self.published is None:
            return None
        low, _, high = self.published.partition("-")
        return int(high or low) - int(low) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MountSpec:
    """One mount. `source` is a host path (bind), a volume's real name (volume), or None (tmpfs, anonymous volume)."""

    kind: Literal["bind", "volume", "tmpfs"]
    target: str
    source: str | None = None
    read_only: bool = False
    propagation: str | None = None
    create_host_path: bool = True
    nocopy: bool = False
    tmpfs_size: int | None = None
    tmpfs_mode: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthcheckSpec:
    """`test` as Docker's API takes it (`("CMD", …)`, `("CMD-SHELL", "…")`, `("NONE",)`, `()` = keep the image's)."""

    test: tuple[str, ...] = ()
    interval: float | None = None
    timeout: float | None = None
    start_period: float | None = None
    start_interval: float | None = None
    retries: int | None = None

    @property
    def disabled(self) -> bool:
        return self.test == ("NONE",)


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencySpec:
    service: str
    condition: Condition = "service_started"
    required: bool = True
    restart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcesSpec:
    cpus: float | None = None
    memory: int | None = None
    pids: int | None = None
    reserved_cpus: float | None = None
    reserved_memory: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSpec:
    """`order` None lets the plan choose (start-first unless something forbids it); parallelism 0 means all at once."""

    order: Order | None = None
    parallelism: int = 1
    delay: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentSpec:
    """A service's place on one network; `network` is the key in `StackSpec.networks`."""

    network: str
    aliases: tuple[str, ...] = ()
    ipv4_address: str | None = None
    ipv6_address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    name: str
    image: str
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    environment: Mapping[str, str | None] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[PortSpec, ...] = ()
    mounts: tuple[MountSpec, ...] = ()
    networks: tuple[AttachmentSpec, ...] = ()
    healthcheck: HealthcheckSpec | None = None
    depends_on: tuple[DependencySpec, ...] = ()
    init: bool | None = None
    stop_signal: str | None = None
    stop_grace_period: float | None = None
    restart: RestartCondition | None = None
    restart_max_attempts: int | None = None
    resources: ResourcesSpec = ResourcesSpec()
    replicas: int = 1
    update: UpdateSpec = UpdateSpec()
    hostname: str | None = None
    user: str | None = None
    working_dir: str | None = None
    tty: bool = False
    stdin_open: bool = False
    read_only: bool = False
    ready_after: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """`name` is the real name in Docker (`project_key` unless the file says otherwise)."""

    key: str
    name: str
    external: bool = False
    driver: str | None = None
    driver_opts: Mapping[str, str] = field(default_factory=dict)
    internal: bool = False
    attachable: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeSpec:
    key: str
    name: str
    external: bool = False
    driver: str | None = None
    driver_opts: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSpec:
    """One stack: what `compose.lower` makes of a canonical tree, and all that the engine needs of it."""

    name: str
    services: Mapping[str, ServiceSpec]
    networks: Mapping[str, NetworkSpec] = field(default_factory=dict)
    volumes: Mapping[str, VolumeSpec] = field(default_factory=dict)
