"""ServiceSpec -> the JSON of POST /containers/create. Pure: what we wish in, exactly one request out.

Sources of the rules: moby api/swagger.yaml (field names, units) and docker/compose pkg/compose/create.go (binds against
mounts, which network comes first, aliases).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchtui.model.spec import (
    AttachmentSpec,
    HealthcheckSpec,
    MountSpec,
    NetworkSpec,
    PortSpec,
    ServiceSpec,
    VolumeSpec,
)

Json = dict[str, Any]

MANY_NETWORKS = (1, 44)  # from here on a container can be created on several networks at once
START_INTERVAL = (1, 44)
CREATE_MOUNTPOINT = (1, 42)


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """`config` creates the container; `connects` joins it to more networks (name, endpoint) before its start."""

    config: Json
    connects: tuple[tuple[str, Json], ...] = ()


def container(
    *,
    spec: ServiceSpec,
    image: str,
    labels: Mapping[str, str],
    networks: Mapping[str, str],
    aliases: Sequence[str],
    restart: str,
    restart_max: int = 0,
    api: tuple[int, int] = (1, 41),
) -> Creation:
    """One container of `spec`. `networks` gives the real name of each network key; `aliases` hold on each of them."""
    ends = [(networks[place.network], _endpoint(place, aliases)) for place in spec.networks]
    at_create = ends if api >= MANY_NETWORKS else ends[:1]
    exposed, bindings = _ports(spec.ports)
    config: Json = {
        "Image": image,
        "Labels": {**spec.labels, **labels},
        "Env": [key if value is None else f"{key}={value}" for key, value in spec.environment.items()],
        "ExposedPorts": exposed,
        "Tty": spec.tty,
        "OpenStdin": spec.stdin_open,
        "HostConfig": _host_config(spec, bindings, ends[0][0] if ends else None, restart, restart_max, api),
        "NetworkingConfig": {"EndpointsConfig": dict(at_create)},
    }
    if spec.command is not None:
        config["Cmd"] = list(spec.command)
    if spec.entrypoint is not None:
        # Docker's API: one empty string resets the image's entrypoint; an empty list would keep it.
        config["Entrypoint"] = list(spec.entrypoint) or [""]
    if spec.healthcheck is not None:
        config["Healthcheck"] = healthcheck(spec.healthcheck, api)
    for field, value in (
        ("Hostname", spec.hostname),
        ("User", spec.user),
        ("WorkingDir", spec.working_dir),
        ("StopSignal", spec.stop_signal),
    ):
        if value is not None:
            config[field] = value
    if spec.stop_grace_period is not None:
        config["StopTimeout"] = whole_seconds(spec.stop_grace_period)
    return Creation(config=config, connects=tuple(ends[len(at_create) :]))


def whole_seconds(duration: float) -> int:
    """Docker counts grace periods in whole seconds; half a second must not become none."""
    return math.ceil(duration)


def healthcheck(check: HealthcheckSpec, api: tuple[int, int]) -> Json:
    """Durations in nanoseconds; what is not given is left out, so that the image's own value stays."""
    found: Json = {"Test": list(check.test)} if check.test else {}
    durations = {"Interval": check.interval, "Timeout": check.timeout, "StartPeriod": check.start_period}
    if api >= START_INTERVAL:
        durations["StartInterval"] = check.start_interval
    found.update({name: nanoseconds(value) for name, value in durations.items() if value is not None})
    if check.retries is not None:
        found["Retries"] = check.retries
    return found


def nanoseconds(duration: float) -> int:
    return round(duration * 1_000_000_000)


def network(spec: NetworkSpec, labels: Mapping[str, str]) -> Json:
    """POST /networks/create. CheckDuplicate is best effort on 20.10 (research/ops.md fact 7) and gone in API 1.44."""
    return {
        "Name": spec.name,
        "CheckDuplicate": True,
        "Driver": spec.driver or "bridge",
        "Internal": spec.internal,
        "Attachable": spec.attachable,
        "Options": dict(spec.driver_opts),
        "Labels": {**spec.labels, **labels},
    }


def volume(spec: VolumeSpec, labels: Mapping[str, str]) -> Json:
    """POST /volumes/create, which returns an existing volume of that name untouched."""
    return {
        "Name": spec.name,
        "Driver": spec.driver or "local",
        "DriverOpts": dict(spec.driver_opts),
        "Labels": {**spec.labels, **labels},
    }


def restart_policy(policy: str, max_retries: int = 0) -> Json:
    """Docker allows a retry count with `on-failure` only."""
    return {"Name": policy, "MaximumRetryCount": max_retries if policy == "on-failure" else 0}


def _host_config(
    spec: ServiceSpec,
    bindings: Json,
    network_mode: str | None,
    restart: str,
    restart_max: int,
    api: tuple[int, int],
) -> Json:
    binds, mounts = _mounts(spec.mounts, api)
    config: Json = {
        "PortBindings": bindings,
        "Binds": binds,
        "Mounts": mounts,
        "RestartPolicy": restart_policy(restart, restart_max),
        "ReadonlyRootfs": spec.read_only,
    }
    if network_mode is not None:
        config["NetworkMode"] = network_mode
    if spec.init is not None:
        config["Init"] = spec.init
    resources = spec.resources
    if resources.cpus is not None:
        config["NanoCpus"] = round(resources.cpus * 1e9)
    if resources.memory is not None:
        config["Memory"] = resources.memory
    if resources.reserved_memory is not None:
        config["MemoryReservation"] = resources.reserved_memory
    if resources.pids is not None:
        config["PidsLimit"] = resources.pids
    return config


def _ports(ports: Sequence[PortSpec]) -> tuple[Json, Json]:
    exposed: Json = {}
    bindings: dict[str, list[Json]] = {}
    for port in ports:
        key = f"{port.target}/{port.protocol}"
        exposed[key] = {}
        # An empty HostPort lets the daemon pick any; a range lets it pick the first that is free.
        bindings.setdefault(key, []).append({"HostIp": port.host_ip or "", "HostPort": port.published or ""})
    return exposed, bindings


def _mounts(mounts: Sequence[MountSpec], api: tuple[int, int]) -> tuple[list[str], list[Json]]:
    """`Binds` text makes the daemon create a missing host path; `Mounts` refuses one. So each says what was wished."""
    binds: list[str] = []
    typed: list[Json] = []
    for mount in mounts:
        textual = ":" not in (mount.source or "") and ":" not in mount.target
        if mount.kind == "bind" and mount.create_host_path and (textual or api < CREATE_MOUNTPOINT):
            options = [word for word in ("ro" if mount.read_only else "", mount.propagation or "") if word]
            binds.append(":".join([mount.source or "", mount.target, *([",".join(options)] if options else [])]))
        else:
            typed.append(_mount(mount))
    return binds, typed


def _mount(mount: MountSpec) -> Json:
    found: Json = {"Type": mount.kind, "Target": mount.target, "ReadOnly": mount.read_only}
    if mount.source:
        found["Source"] = mount.source
    match mount.kind:
        case "bind":
            options: Json = {"Propagation": mount.propagation} if mount.propagation else {}
            if mount.create_host_path:
                options["CreateMountpoint"] = True
            if options:
                found["BindOptions"] = options
        case "volume":
            if mount.nocopy:
                found["VolumeOptions"] = {"NoCopy": True}
        case "tmpfs":
            limits = {"SizeBytes": mount.tmpfs_size, "Mode": mount.tmpfs_mode}
            if given := {name: value for name, value in limits.items() if value is not None}:
                found["TmpfsOptions"] = given
    return found


def _endpoint(place: AttachmentSpec, aliases: Sequence[str]) -> Json:
    found: Json = {"Aliases": list(dict.fromkeys([*aliases, *place.aliases]))}
    addresses = {"IPv4Address": place.ipv4_address, "IPv6Address": place.ipv6_address}
    if fixed := {name: address for name, address in addresses.items() if address}:
        found["IPAMConfig"] = fixed
    return found
