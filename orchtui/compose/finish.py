"""From merged files to the canonical tree: defaults, real names, absolute paths, the caller's environment.

The form is that of `docker compose config --format json` (checked against 2.40.3); what
Compose leaves out because it is empty or false is left out here too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from orchtui.compose import dotenv
from orchtui.compose.interpolate import Lookup
from orchtui.compose.nodes import Node, wrap
from orchtui.compose.problems import Malformed, Position, Report, quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a stack file's meaning depends on. `read` gives an env file's text, or raises Malformed."""

    name: str
    folder: str
    lookup: Lookup
    read: Callable[[str], str]
    profiles: Collection[str] = ()
    resolve_environment: bool = True
    resolve_paths: bool = True


# What Compose omits when it is empty, false or zero, by the kind of mapping it stands in.
_OMITTED_IN: Mapping[str, tuple[str, ...]] = {
    "service": (
        "tty", "stdin_open", "read_only", "hostname", "user", "working_dir", "stop_signal", "ports", "volumes", "tmpfs",
        "profiles", "environment", "labels", "depends_on", "mem_limit", "mem_reservation", "cpus", "pids_limit",
    ),
    "healthcheck": ("disable", "test"),
    "limits": ("cpus", "memory", "pids"),
    "port": ("host_ip", "name", "app_protocol"),
    "mount": ("read_only", "source"),
    "detail": ("create_host_path", "nocopy", "propagation", "size", "mode"),
    "attachment": ("aliases", "ipv4_address", "ipv6_address"),
    "resource": ("driver", "driver_opts", "internal", "attachable", "external", "labels"),
}  # fmt: skip


def finish(stack: Node, around: Surroundings, report: Report) -> Node:
    """The canonical tree of a whole stack, its places kept."""
    written = stack.get("services") or wrap({}, stack.at)
    enabled = {
        name: _service(service, around, report, f"services.{name}")
        for name, service in written.entries().items()
        if _active(service, around.profiles)
    }
    services = _without_disabled(enabled, written)
    networks = {network for service in services.values() for network in service.entries("networks")}
    volumes = {
        str(source.value)
        for service in services.values()
        for mount in service.items("volumes")
        if mount.says("type", "volume") and (source := mount.get("source")) is not None
    }
    return stack.replace(
        {
            "name": wrap(around.name, stack.key_at("name")),
            "services": Node(services, written.at, written.keys),
            "networks": _resources(stack, "networks", networks, around.name),
            "volumes": _resources(stack, "volumes", volumes, around.name),
        }
    )


def _active(service: Node, profiles: Collection[str]) -> bool:
    wanted = [item.value for item in service.items("profiles")]
    return not wanted or "*" in profiles or any(profile in profiles for profile in wanted)


def _without_disabled(services: dict[str, Node], written: Node) -> dict[str, Node]:
    """Drop optional dependencies on services that no profile enables; Compose prints them and cannot read that."""
    kept = {}
    for name, service in services.items():
        dependencies = service.get("depends_on")
        if dependencies is not None:
            disabled = {
                other: None
                for other, entry in dependencies.entries().items()
                if other not in services and other in written.entries() and entry.says("required", False)
            }
            remaining = dependencies.replace(disabled)
            service = service.replace({"depends_on": remaining if remaining.entries() else None})
        kept[name] = service
    return kept


def _service(service: Node, around: Surroundings, report: Report, where: str) -> Node:
    at = service.at
    changes: dict[str, Node | None] = {
        "command": service.get("command") or Node(None, at),
        "entrypoint": service.get("entrypoint") or Node(None, at),
    }
    networks = service.get("networks")
    if networks is None or not networks.entries():
        changes["networks"] = wrap({"default": None}, service.key_at("networks"))
    else:
        changes["networks"] = _map(networks, lambda node: _pruned(node, "attachment"))
    if around.resolve_environment:
        changes["environment"] = _environment(service, around, report, where)
        changes["env_file"] = None
    if (volumes := service.get("volumes")) is not None:
        changes["volumes"] = Node([_mount(mount, around, report) for mount in volumes.items()], volumes.at)
    if (ports := service.get("ports")) is not None:
        changes["ports"] = Node([_pruned(port, "port") for port in ports.items()], ports.at)
    if (healthcheck := service.get("healthcheck")) is not None:
        changes["healthcheck"] = _pruned(healthcheck, "healthcheck")
    if (deploy := service.get("deploy")) is not None:
        changes["deploy"] = _deploy(deploy)
    return _pruned(service.replace(changes), "service")


def _deploy(deploy: Node) -> Node:
    resources = deploy.get("resources") or wrap({}, deploy.at)
    changes: dict[str, Node | None] = {}
    update = deploy.get("update_config")
    if update is not None and update.says("delay", "0s"):
        changes["update_config"] = update.replace({"delay": None})
    return deploy.replace(
        {
            **changes,
            "resources": _map(resources, lambda node: _pruned(node, "limits")),
            "placement": wrap({}, deploy.at),
        }
    )


def _environment(service: Node, around: Surroundings, report: Report, where: str) -> Node | None:
    """The variables of the env files, then those of `environment`; one without a value takes the caller's."""
    entries: dict[str, Node] = {}
    sources = []
    for item in service.items("env_file"):
        path = item.get("path")
        if path is None or not isinstance(path.value, str):
            continue
        file = _absolute(path.value, around, report, path.at)
        try:
            sources.append((path, (file, around.read(file), item.says("format", "raw"))))
        except Malformed as problem:
            if item.says("required", False) and not os.path.lexists(file):
                continue
            report.error(path.at, f"{where}.env_file {quoted(path.value)}: {problem.message}", problem.hint)
    for name, text in dotenv.merged([source for _, source in sources], around.lookup, report).items():
        entries[name] = Node(text, sources[-1][0].at)
    for name, node in service.entries("environment").items():
        entries[name] = Node(around.lookup(name) if node.value is None else node.value, node.at)
    written = service.get("environment") or wrap({}, service.at)
    return Node(entries, written.at, written.keys) if entries else None


def _mount(mount: Node, around: Surroundings, report: Report) -> Node:
    if not isinstance(mount.value, dict):
        return mount  # a variable that was left in place
    source = mount.get("source")
    changes: dict[str, Node | None] = {
        detail: _pruned(node, "detail")
        for detail in ("bind", "volume", "tmpfs")
        if (node := mount.get(detail)) is not None
    }
    if mount.says("type", "bind") and around.resolve_paths and source is not None and isinstance(source.value, str):
        changes["source"] = Node(_absolute(source.value, around, report, source.at), source.at)
    return _pruned(mount.replace(changes), "mount")


def _absolute(path: str, around: Surroundings, report: Report, at: Position) -> str:
    """A path of the caller's machine, absolute; `~` is the caller's home."""
    if path == "~" or path.startswith("~/"):
        home = around.lookup("HOME")
        if not home:
            report.error(at, f"{quoted(path)}: HOME is not set", "write the path in full")
            return path
        path = home + path[1:]
    elif path.startswith("~"):
        report.error(at, f"{quoted(path)}: only your own home can be written as ~", "write the path in full")
    return path if os.path.isabs(path) else os.path.normpath(os.path.join(around.folder, path))


def _resources(stack: Node, kind: str, used: Collection[str], project: str) -> Node | None:
    """The networks or volumes in use, with their real names; the rest is left out, as Compose does."""
    written = stack.get(kind) or wrap({}, stack.at)
    entries = {}
    for key in sorted(used):
        node = written.get(key)
        if node is None and not (kind == "networks" and key == "default"):
            continue  # an undefined reference: reported by validate
        resource = node if node is not None and isinstance(node.value, dict) else wrap({}, written.key_at(key))
        name = resource.get("name")
        changes = {} if kind == "volumes" else {"ipam": wrap({}, resource.at)}
        if name is None or not name.value:
            real = key if resource.says("external", True) else f"{project}_{key}"
            changes["name"] = wrap(real, resource.at)
        entries[key] = _pruned(resource.replace({**changes}), "resource")
    return Node(entries, written.at, written.keys) if entries else None


def _pruned(node: Node, kind: str) -> Node:
    """Without what Compose leaves out. An amount of memory is text, where nothing is "0"."""
    if not isinstance(node.value, dict):
        return node
    return node.replace({k: None for k in _OMITTED_IN[kind] if (v := node.get(k)) and (not v.value or v.value == "0")})


def _map(node: Node, change: Callable[[Node], Node]) -> Node:
    return Node({key: change(child) for key, child in node.entries().items()}, node.at, node.keys)
