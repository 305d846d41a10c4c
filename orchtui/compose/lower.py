"""From a canonical Compose tree to the small typed spec that the engine works with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from orchtui.compose import mounts, quantities
from orchtui.compose.checks import Scope
from orchtui.compose.merge import settle
from orchtui.compose.nodes import plain, wrap
from orchtui.compose.problems import Position, Report
from orchtui.compose.schema import check_stack
from orchtui.compose.validate import validate
from orchtui.errors import StackFileError
from orchtui.model.spec import (
    AttachmentSpec,
    Condition,
    DependencySpec,
    HealthcheckSpec,
    MountSpec,
    NetworkSpec,
    Order,
    PortSpec,
    ResourcesSpec,
    RestartCondition,
    ServiceSpec,
    StackSpec,
    UpdateSpec,
    VolumeSpec,
)

_Tree = Mapping[str, Any]


def lower(tree: Mapping[str, Any]) -> StackSpec:
    """The typed spec of a canonical tree. The tree may come from another program: it is checked like a file.

    Raises StackFileError, without places, for a tree that is not canonical or asks for what the engine cannot do.
    """
    checked = _checked(tree)
    networks = {key: _network(key, value) for key, value in sorted(checked.get("networks", {}).items())}
    volumes = {key: _volume(key, value) for key, value in sorted(checked.get("volumes", {}).items())}
    services = {key: _service(key, value, volumes) for key, value in sorted(checked["services"].items())}
    return StackSpec(name=checked["name"], services=services, networks=networks, volumes=volumes)


def _checked(tree: _Tree) -> dict[str, Any]:
    report = Report()
    root = check_stack(Scope(report), wrap(cast("Any", tree), Position("stack")))
    if root is not None:
        root = settle(root)
        validate(root, report)
        for kind in ("networks", "volumes"):
            for key, resource in root.entries(kind).items():
                if resource.get("name") is None:
                    report.error(resource.at, f"{kind}.{key} has no real name", "send the canonical form")
        if root.get("name") is None:
            report.error(root.at, "the stack has no name", "send the canonical form")
    if root is None or report.failed:
        errors = tuple(str(problem) for problem in report.problems if problem.severity == "error")
        raise StackFileError("The stack cannot be deployed.", details=errors, hint="Correct the stack file.")
    return cast("dict[str, Any]", plain(root))


def _service(name: str, tree: _Tree, volumes: Mapping[str, VolumeSpec]) -> ServiceSpec:
    policy, _, attempts = str(tree.get("restart") or "").partition(":")
    deploy = tree.get("deploy") or {}
    extra = tree.get("x-orchtui") or {}
    grace = tree.get("stop_grace_period")
    return ServiceSpec(
        name=name,
        image=tree["image"],
        command=_words(tree.get("command")),
        entrypoint=_words(tree.get("entrypoint")),
        environment=dict(tree.get("environment") or {}),
        labels=dict(tree.get("labels") or {}),
        ports=tuple(_port(port) for port in tree.get("ports") or ()),
        mounts=_mounts(tree, volumes),
        networks=_attachments(tree.get("networks") or {"default": None}),
        healthcheck=_healthcheck(tree["healthcheck"]) if tree.get("healthcheck") else None,
        depends_on=tuple(_dependency(other, entry) for other, entry in sorted((tree.get("depends_on") or {}).items())),
        init=tree.get("init"),
        stop_signal=tree.get("stop_signal"),
        stop_grace_period=None if grace is None else quantities.seconds(grace),
        restart=cast("RestartCondition", policy) if policy else None,
        restart_max_attempts=int(attempts) if attempts else None,
        resources=_resources(tree, deploy.get("resources") or {}),
        replicas=tree.get("scale", deploy.get("replicas", 1)),
        update=_update(deploy.get("update_config") or {}),
        hostname=tree.get("hostname"),
        user=tree.get("user"),
        working_dir=tree.get("working_dir"),
        tty=tree.get("tty", False),
        stdin_open=tree.get("stdin_open", False),
        read_only=tree.get("read_only", False),
        ready_after=quantities.seconds(extra["ready_after"]) if "ready_after" in extra else 1.0,
    )


def _words(value: list[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(value)


def _port(tree: _Tree) -> PortSpec:
    published = tree.get("published")
    return PortSpec(
        target=tree["target"],
        published=None if published in (None, "", "0") else str(published),
        host_ip=tree.get("host_ip") or None,
        protocol=tree.get("protocol", "tcp"),
    )


def _mounts(tree: _Tree, volumes: Mapping[str, VolumeSpec]) -> tuple[MountSpec, ...]:
    found = [_mount(mount, volumes) for mount in tree.get("volumes") or ()]
    for spec in tree.get("tmpfs") or ():
        target, size, mode = mounts.parse_tmpfs(spec)
        found.append(MountSpec(kind="tmpfs", target=target, tmpfs_size=size, tmpfs_mode=mode))
    return tuple(found)


def _mount(tree: _Tree, volumes: Mapping[str, VolumeSpec]) -> MountSpec:
    source = tree.get("source")
    bind, volume, tmpfs = tree.get("bind") or {}, tree.get("volume") or {}, tree.get("tmpfs") or {}
    return MountSpec(
        kind=tree["type"],
        target=tree["target"],
        source=volumes[source].name if source and tree["type"] == "volume" else source,
        read_only=tree.get("read_only", False),
        propagation=bind.get("propagation"),
        # The short syntax says true in so many words; a long entry that says nothing wants an existing path.
        create_host_path=bind.get("create_host_path", False),
        nocopy=volume.get("nocopy", False),
        tmpfs_size=int(tmpfs["size"]) if "size" in tmpfs else None,
        tmpfs_mode=tmpfs.get("mode"),
    )


def _attachments(tree: _Tree) -> tuple[AttachmentSpec, ...]:
    return tuple(
        AttachmentSpec(
            network=key,
            aliases=tuple((settings or {}).get("aliases") or ()),
            ipv4_address=(settings or {}).get("ipv4_address"),
            ipv6_address=(settings or {}).get("ipv6_address"),
        )
        for key, settings in sorted(tree.items())
    )


def _healthcheck(tree: _Tree) -> HealthcheckSpec:
    if tree.get("disable") or tree.get("test") == ["NONE"]:
        return HealthcheckSpec(test=("NONE",))
    lengths = {
        key: quantities.seconds(tree[key])
        for key in ("interval", "timeout", "start_period", "start_interval")
        if key in tree
    }
    return HealthcheckSpec(test=tuple(tree.get("test") or ()), retries=tree.get("retries"), **lengths)


def _dependency(service: str, tree: _Tree) -> DependencySpec:
    return DependencySpec(
        service=service,
        condition=cast("Condition", tree.get("condition", "service_started")),
        required=tree.get("required", True),
        restart=tree.get("restart", False),
    )


def _resources(tree: _Tree, resources: _Tree) -> ResourcesSpec:
    """Limits of the service itself or of its deploy section; validate has made sure that they agree."""
    limits, reserved = resources.get("limits") or {}, resources.get("reservations") or {}
    cpus = tree.get("cpus", limits.get("cpus")) or 0
    memory = int(tree.get("mem_limit", limits.get("memory")) or 0)
    pids = tree.get("pids_limit", limits.get("pids")) or 0
    reserved_cpus = reserved.get("cpus") or 0
    reserved_memory = int(tree.get("mem_reservation", reserved.get("memory")) or 0)
    return ResourcesSpec(
        cpus=float(cpus) if cpus else None,
        memory=memory or None,
        pids=pids if pids > 0 else None,
        reserved_cpus=float(reserved_cpus) if reserved_cpus else None,
        reserved_memory=reserved_memory or None,
    )


def _update(tree: _Tree) -> UpdateSpec:
    return UpdateSpec(
        order=cast("Order | None", tree.get("order")),
        parallelism=tree.get("parallelism", 1),
        delay=quantities.seconds(tree.get("delay", "0s")),
    )


def _network(key: str, tree: _Tree) -> NetworkSpec:
    return NetworkSpec(
        key=key,
        name=tree["name"],
        external=tree.get("external", False),
        driver=tree.get("driver"),
        driver_opts=dict(tree.get("driver_opts") or {}),
        internal=tree.get("internal", False),
        attachable=tree.get("attachable", False),
        labels=dict(tree.get("labels") or {}),
    )


def _volume(key: str, tree: _Tree) -> VolumeSpec:
    return VolumeSpec(
        key=key,
        name=tree["name"],
        external=tree.get("external", False),
        driver=tree.get("driver"),
        driver_opts=dict(tree.get("driver_opts") or {}),
        labels=dict(tree.get("labels") or {}),
    )
