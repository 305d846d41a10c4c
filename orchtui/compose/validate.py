"""What only the whole stack shows: references, cycles, values that contradict each other, ports nobody can share."""

from __future__ import annotations

from collections.abc import Iterable

from orchtui.compose.nodes import Node, plain
from orchtui.compose.problems import Position, Report, quoted

# One meaning, two places to write it (compose-go loader/validate.go).
_TWICE = (
    (("scale",), ("deploy", "replicas")),
    (("cpus",), ("deploy", "resources", "limits", "cpus")),
    (("mem_limit",), ("deploy", "resources", "limits", "memory")),
    (("pids_limit",), ("deploy", "resources", "limits", "pids")),
    (("mem_reservation",), ("deploy", "resources", "reservations", "memory")),
)


def validate(stack: Node, report: Report, *, defined: Node | None = None) -> None:
    """Check a canonical tree. `defined` is the stack before disabled services and unused networks were left out."""
    written = defined or stack
    if written.get("services") is None:
        report.error(stack.at, "the stack has no services", "add `services:`")
        return
    for kind in ("networks", "volumes"):
        for key, resource in written.entries(kind).items():
            _external(resource, f"{kind}.{key}", report)
    services = stack.get("services") or stack.replace({})
    for name, service in services.entries().items():
        where = f"services.{name}"
        image = service.get("image")
        if (image is None or not image.value) and not report.speaks_of(where, f"{where}.image"):
            report.error(services.key_at(name), f"{where} has no image", "add `image:`")
        _references(service, where, stack, report)
        _contradictions(service, where, report)
        _replicas(service, where, report)
        _dependencies(name, stack, written, report)
    _cycles(stack, report)


def replicas(service: Node) -> int:
    """How many containers the file wishes."""
    for path in (("scale",), ("deploy", "replicas")):
        node = service.get(*path)
        if node is not None and isinstance(node.value, int):
            return node.value
    return 1


def _external(resource: Node, where: str, report: Report) -> None:
    external = resource.get("external")
    if external is None or external.value is not True:
        return
    for key in ("driver", "driver_opts", "labels", "internal", "attachable"):
        if resource.get(key) is not None:
            report.error(
                resource.key_at(key), f"{where} is external: {key} cannot be set", "remove it, or remove external"
            )


def _references(service: Node, where: str, stack: Node, report: Report) -> None:
    networks = service.get("networks") or service
    for key in service.entries("networks"):
        if key not in stack.entries("networks"):
            _undefined("network", key, networks.key_at(key), where, stack.entries("networks"), report)
    for mount in service.items("volumes"):
        source = mount.get("source")
        if source is None or not isinstance(source.value, str) or not mount.says("type", "volume"):
            continue
        if source.value not in stack.entries("volumes"):
            _undefined("volume", source.value, source.at, where, stack.entries("volumes"), report)


def _undefined(what: str, key: str, at: Position, where: str, known: Iterable[str], report: Report) -> None:
    hint = report.suggestion(key, known) or f"define it under `{what}s:`"
    report.error(at, f"{where} uses the {what} {quoted(key)}, which is not defined", hint)


def _contradictions(service: Node, where: str, report: Report) -> None:
    for short, long in _TWICE:
        one, other = service.get(*short), service.get(*long)
        if one is None or other is None or one.value == other.value:
            continue
        report.error(
            other.at,
            f"{where}: {'.'.join(long)} is {plain(other)} but {short[0]} is {plain(one)} at {one.at}",
            "keep one of the two",
        )
    for key in ("cpus", "memory"):
        limit = service.get("deploy", "resources", "limits", key)
        reserved = service.get("deploy", "resources", "reservations", key)
        if limit and reserved and float(str(reserved.value)) > float(str(limit.value)):
            report.error(reserved.at, f"{where}: the reservation of {key} is above its limit", "raise the limit")


def _replicas(service: Node, where: str, report: Report) -> None:
    """Containers of one service cannot share a host port or an address (DESIGN 11, Published ports)."""
    count = replicas(service)
    if count < 2:
        return
    for port in service.items("ports"):
        published, target = port.get("published"), port.get("target")
        if published is None or target is None or not isinstance(published.value, str) or published.value in ("", "0"):
            continue
        low, _, high = published.value.partition("-")
        if not (low + high).isdigit() or int(high or low) - int(low) + 1 >= count:
            continue
        first = min(int(low), 65_536 - count)
        report.error(
            port.at,
            f"{where}: {count} replicas cannot share the host port {published.value}",
            f'publish a range: "{first}-{first + count - 1}:{target.value}"',
        )
    for network, settings in service.entries("networks").items():
        for key in ("ipv4_address", "ipv6_address"):
            address = settings.get(key)
            if address is not None:
                report.error(
                    address.at, f"{where}: {count} replicas cannot share one {key} on {network}", "remove the address"
                )


def _dependencies(name: str, stack: Node, written: Node, report: Report) -> None:
    services = stack.entries("services")
    dependencies = services[name].get("depends_on")
    if dependencies is None:
        return
    for other, entry in dependencies.entries().items():
        at = dependencies.key_at(other)
        target = services.get(other)
        if target is not None:
            if entry.says("condition", "service_healthy") and _unchecked(target):
                report.error(
                    at,
                    f"services.{name} waits until {quoted(other)} is healthy, but its health check is disabled",
                    "use condition: service_started",
                )
        elif other in written.entries("services"):
            profiles = [str(item.value) for item in written.items("services", other, "profiles")]
            hint = f"enable it with --profile {profiles[0]}" if profiles else ""
            report.error(at, f"services.{name} depends on {quoted(other)}, which no profile enables", hint)
        else:
            hint = report.suggestion(other, services) or "define it under `services:`"
            report.error(at, f"services.{name} depends on {quoted(other)}, which is not defined", hint)


def _unchecked(service: Node) -> bool:
    test = service.items("healthcheck", "test")
    return (service.get("healthcheck") or service).says("disable", True) or [item.value for item in test] == ["NONE"]


def _cycles(stack: Node, report: Report) -> None:
    """Report each circle of dependencies once, without recursion: a chain may be thousands of services long."""
    done: set[str] = set()
    for start in stack.entries("services"):
        path: dict[str, None] = {}
        waiting = [(start, False)]
        while waiting:
            name, leave = waiting.pop()
            if leave:
                path.popitem()
                done.add(name)
            elif name in path:
                names = list(path)
                circle = [*names[names.index(name) :], name]
                dependencies = stack.get("services", circle[-2], "depends_on") or stack
                shown = " -> ".join(circle[:20])
                report.error(
                    dependencies.key_at(name), f"depends_on goes in a circle: {shown}", "remove one dependency"
                )
            elif name not in done:
                path[name] = None
                waiting.append((name, True))
                waiting.extend((other, False) for other in reversed(stack.entries("services", name, "depends_on")))
