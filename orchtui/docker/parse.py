"""Docker's JSON -> our model. Pure; raw JSON goes no further than this module's callers.

Tolerant to what versions leave out (API 1.41 to 1.52): missing and null fields take their defaults, addresses come from
NetworkSettings.Networks alone (1.52 dropped the others), events from Type, Action, Actor and timeNano alone. Strings
stay what they are, hostile or not: whoever paints them makes them safe.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args

from orchtui.model.observed import (
    Attachment,
    Container,
    ContainerState,
    DockerEvent,
    Health,
    Host,
    Image,
    MountPoint,
    Network,
    PortBinding,
    SwarmService,
    Volume,
)

Json = Mapping[str, Any]

LABEL_LIMIT = 4096  # characters of one label's value that are kept
_STATES: frozenset[str] = frozenset(get_args(ContainerState))
_HEALTHS: frozenset[str] = frozenset(get_args(Health))
_EXITED = re.compile(r"(?:Exited|Restarting) \((-?\d+)\)")
_HEALTH_IN_STATUS = re.compile(r"\((?:health: )?(starting|healthy|unhealthy)\)")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?")


# -- scalars -----------------------------------------------------------------------------------------------------------


def nano(value: object) -> int:
    """An RFC 3339 time in nanoseconds since the epoch; 0 for none, for Go's zero time (year 1) and for nonsense."""
    match = _TIME.match(value) if isinstance(value, str) else None
    if match is None or value[:4] <= "0001":  # type: ignore[index]
        return 0
    base, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(base + (zone if zone and zone != "Z" else "+00:00"))
    except ValueError:
        return 0
    return int(moment.astimezone(UTC).timestamp()) * 1_000_000_000 + int(((fraction or "") + "0" * 9)[:9])


def seconds(value: object) -> float | None:
    """The same in seconds; None where `nano` says 0."""
    found = nano(value)
    return found / 1e9 if found else None


def labels(value: object) -> dict[str, str]:
    """Labels as text, each value cut at LABEL_LIMIT characters: some tools put whole files into one."""
    if not isinstance(value, Mapping):
        return {}
    return {str(key): str(text if text is not None else "")[:LABEL_LIMIT] for key, text in value.items()}


def _mapping(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _records(value: object) -> list[Json]:
    return [item for item in _items(value) if isinstance(item, Mapping)]


def _strings(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in _items(value))


def _int(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _state(value: object) -> ContainerState:
    text = str(value or "").lower()
    return cast(ContainerState, text) if text in _STATES else "dead" if text == "removed" else "created"


def _health(value: object) -> Health:
    text = str(value or "none")
    return cast(Health, text) if text in _HEALTHS else "none"


# -- containers --------------------------------------------------------------------------------------------------------


def status_text(status: str) -> tuple[Health, int | None]:
    """Health and last exit code from a Status such as `Up 3 minutes (healthy)` or `Exited (137) 2 hours ago`."""
    health = _HEALTH_IN_STATUS.search(status)
    exited = _EXITED.match(status)
    return _health(health.group(1) if health else "none"), int(exited.group(1)) if exited else None


def listed_container(item: Json) -> Container:
    """One entry of GET /containers/json."""
    health, exit_code = status_text(str(item.get("Status") or ""))
    names = [name.lstrip("/") for name in _strings(item.get("Names"))]
    identity = str(item.get("Id") or "")
    health_field = _mapping(item.get("Health"))  # API 1.52 and newer
    return Container(
        id=identity,
        name=_own_name(names) or identity[:12],
        image=str(item.get("Image") or ""),
        image_id=str(item.get("ImageID") or ""),
        state=_state(item.get("State")),
        command=str(item.get("Command") or ""),
        health=_health(health_field["Status"]) if "Status" in health_field else health,
        failing_streak=_int(health_field.get("FailingStreak")),
        exit_code=exit_code,
        created_at=float(_int(item.get("Created"))),
        labels=labels(item.get("Labels")),
        ports=tuple(sorted((_listed_port(port) for port in _records(item.get("Ports"))), key=_port_order)),
        mounts=tuple(_mount(mount) for mount in _records(item.get("Mounts"))),
        networks=_attachments(item),
    )


def _own_name(names: list[str]) -> str:
    # Legacy links add names such as `other/alias`; the container's own has no slash.
    return next((name for name in names if "/" not in name), names[0] if names else "")


def inspected_container(document: Json) -> Container:
    """GET /containers/{id}/json."""
    state = _mapping(document.get("State"))
    config = _mapping(document.get("Config"))
    host = _mapping(document.get("HostConfig"))
    policy = _mapping(host.get("RestartPolicy"))
    health = _mapping(state.get("Health"))
    status = _state(state.get("Status"))
    finished = seconds(state.get("FinishedAt"))
    cpus = _int(host.get("NanoCpus")) / 1e9
    if not cpus and _int(host.get("CpuQuota")) > 0:
        cpus = _int(host.get("CpuQuota")) / (_int(host.get("CpuPeriod")) or 100_000)
    return Container(
        id=str(document.get("Id") or ""),
        name=str(document.get("Name") or "").lstrip("/"),
        image=str(config.get("Image") or ""),
        image_id=str(document.get("Image") or ""),
        state=status,
        command=" ".join([str(document.get("Path") or ""), *_strings(document.get("Args"))]).strip(),
        health=_health(health.get("Status")),
        failing_streak=_int(health.get("FailingStreak")),
        exit_code=_exit_code(status, state, finished),
        oom_killed=bool(state.get("OOMKilled")),
        error=str(state.get("Error") or ""),
        restart_count=_int(document.get("RestartCount")),
        restart_policy=str(policy.get("Name") or "no"),
        pid=_int(state.get("Pid")),
        created_at=seconds(document.get("Created")) or 0.0,
        started_at=seconds(state.get("StartedAt")),
        finished_at=finished,
        tty=bool(config.get("Tty")),
        labels=labels(config.get("Labels")),
        ports=tuple(sorted(_inspected_ports(document), key=_port_order)),
        mounts=tuple(_mount(mount) for mount in _records(document.get("Mounts"))),
        networks=_attachments(document),
        memory_limit=_int(host.get("Memory")),
        cpu_limit=cpus,
        inspected=True,
    )


def _exit_code(status: ContainerState, state: Json, finished: float | None) -> int | None:
    """dockerd resets ExitCode to 0 on each start, so only what stands still, or failed to start, has one."""
    code = _int(state.get("ExitCode"))
    if status in ("running", "paused"):
        return None
    if status == "created":  # a start that failed leaves `created` with 126, 127 or 128
        return code or None
    return code if finished is not None or code else None


def _listed_port(port: Json) -> PortBinding:
    return PortBinding(
        container_port=_int(port.get("PrivatePort")),
        protocol=str(port.get("Type") or "tcp"),
        host_ip=str(port["IP"]) if port.get("IP") else None,
        host_port=_int(port.get("PublicPort")) or None,
    )


def _inspected_ports(document: Json) -> list[PortBinding]:
    found: list[PortBinding] = []
    for key, bindings in _mapping(_mapping(document.get("NetworkSettings")).get("Ports")).items():
        number, _, protocol = str(key).partition("/")
        if not number.isdigit():
            continue
        for binding in _records(bindings) or [{}]:
            port = str(binding.get("HostPort") or "")
            found.append(
                PortBinding(
                    container_port=int(number),
                    protocol=protocol or "tcp",
                    host_ip=str(binding["HostIp"]) if binding.get("HostIp") else None,
                    host_port=int(port) if port.isdigit() and int(port) else None,
                )
            )
    return found


def _port_order(port: PortBinding) -> tuple[int, str, int, str]:
    return (port.container_port, port.protocol, port.host_port or 0, port.host_ip or "")


def _mount(mount: Json) -> MountPoint:
    return MountPoint(
        kind=str(mount.get("Type") or "bind"),
        target=str(mount.get("Destination") or ""),
        source=str(mount.get("Source") or ""),
        name=str(mount.get("Name") or ""),
        read_only=not mount.get("RW", True),
    )


def _attachments(document: Json) -> tuple[Attachment, ...]:
    networks = _mapping(_mapping(document.get("NetworkSettings")).get("Networks"))
    return tuple(
        Attachment(
            network=str(name),
            network_id=str(_mapping(end).get("NetworkID") or ""),
            ip=str(_mapping(end).get("IPAddress") or _mapping(end).get("GlobalIPv6Address") or ""),
            aliases=_strings(_mapping(end).get("Aliases")),
        )
        for name, end in sorted(networks.items())
    )


# -- the rest ----------------------------------------------------------------------------------------------------------


def network(item: Json) -> Network:
    return Network(
        id=str(item.get("Id") or ""),
        name=str(item.get("Name") or ""),
        driver=str(item.get("Driver") or ""),
        internal=bool(item.get("Internal")),
        created_at=seconds(item.get("Created")) or 0.0,
        labels=labels(item.get("Labels")),
    )


def volume(item: Json) -> Volume:
    return Volume(
        name=str(item.get("Name") or ""),
        driver=str(item.get("Driver") or ""),
        mountpoint=str(item.get("Mountpoint") or ""),
        created_at=seconds(item.get("CreatedAt")) or 0.0,
        labels=labels(item.get("Labels")),
        options=labels(item.get("Options")),
    )


def image(document: Json) -> Image:
    """GET /images/{name}/json."""
    config = _mapping(document.get("Config"))
    test = _strings(_mapping(config.get("Healthcheck")).get("Test"))
    return Image(
        id=str(document.get("Id") or ""),
        tags=_strings(document.get("RepoTags")),
        digests=_strings(document.get("RepoDigests")),
        created_at=seconds(document.get("Created")) or 0.0,
        size=_int(document.get("Size")),
        has_healthcheck=bool(test) and test[0] != "NONE",
        architecture=str(document.get("Architecture") or ""),
    )


def swarm_service(item: Json) -> SwarmService:
    """One entry of GET /services?status=true."""
    spec = _mapping(item.get("Spec"))
    status = _mapping(item.get("ServiceStatus"))
    replicated = _mapping(_mapping(spec.get("Mode")).get("Replicated"))
    desired = status.get("DesiredTasks", replicated.get("Replicas"))
    update = _mapping(item.get("UpdateStatus"))
    container = _mapping(_mapping(spec.get("TaskTemplate")).get("ContainerSpec"))
    return SwarmService(
        id=str(item.get("ID") or ""),
        name=str(spec.get("Name") or ""),
        image=str(container.get("Image") or ""),
        desired=desired if isinstance(desired, int) else None,
        running=_int(status.get("RunningTasks")),
        labels=labels(spec.get("Labels")),
        created_at=seconds(item.get("CreatedAt")) or 0.0,
        updated_at=seconds(item.get("UpdatedAt")) or 0.0,
        update_state=str(update.get("State") or ""),
        update_message=str(update.get("Message") or ""),
        ports=tuple(
            PortBinding(
                container_port=_int(port.get("TargetPort")),
                protocol=str(port.get("Protocol") or "tcp"),
                host_port=_int(port.get("PublishedPort")) or None,
            )
            for port in _records(_mapping(item.get("Endpoint")).get("Ports"))
        ),
    )


def event(item: Json) -> DockerEvent | None:
    """One event; None for what is none (no type or no action)."""
    actor = _mapping(item.get("Actor"))
    moment = item.get("timeNano")
    if not isinstance(moment, int):
        moment = _int(item.get("time")) * 1_000_000_000
    kind, action = item.get("Type"), item.get("Action")
    if not isinstance(kind, str) or not isinstance(action, str):
        return None
    return DockerEvent(
        at=moment / 1e9,
        nano=moment,
        kind=kind,
        action=action,
        id=str(actor.get("ID") or ""),
        attributes=labels(actor.get("Attributes")),
    )


def host(info: Json, version: Json, *, api: str, endpoint: str, context: str) -> Host:
    """GET /info and GET /version together; `api` is the version agreed on."""
    return Host(
        id=str(info.get("ID") or ""),
        name=str(info.get("Name") or ""),
        endpoint=endpoint,
        context=context,
        engine_version=str(version.get("Version") or info.get("ServerVersion") or ""),
        api_version=api,
        os=str(info.get("OperatingSystem") or ""),
        kernel=str(info.get("KernelVersion") or ""),
        architecture=str(info.get("Architecture") or ""),
        cpus=_int(info.get("NCPU")),
        memory=_int(info.get("MemTotal")),
        swarm=_swarm_role(_mapping(info.get("Swarm"))),
        cgroup_version=2 if str(info.get("CgroupVersion")) == "2" else 1,
        cgroup_driver=str(info.get("CgroupDriver") or ""),
        rootless=any("name=rootless" in option for option in _strings(info.get("SecurityOptions"))),
    )


def _swarm_role(swarm: Json) -> Literal["inactive", "worker", "manager", "pending", "error", "locked"]:
    match swarm.get("LocalNodeState"):
        case "active":
            return "manager" if swarm.get("ControlAvailable") else "worker"
        case "pending":
            return "pending"
        case "error":
            return "error"
        case "locked":
            return "locked"
    return "inactive"
