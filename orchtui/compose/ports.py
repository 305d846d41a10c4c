"""Published ports: the short and the long syntax, canonically one long entry for each container port."""

from __future__ import annotations

import ipaddress
import re

from orchtui.compose.checks import MAX_PORTS, Check, Scope, choice, integer, mapping, text
from orchtui.compose.merge import unique
from orchtui.compose.nodes import Node, Plain, describe, wrap
from orchtui.compose.problems import Malformed, quoted

_HINT = 'write "8080:80", "127.0.0.1:8080:80/udp" or "8080-8082:80"'
_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
PROTOCOLS = ("tcp", "udp", "sctp")


def ports(scope: Scope, node: Node, where: str) -> Node | None:
    if not isinstance(node.value, list):
        scope.wrong_type(node, where, "a list", _HINT)
        return None
    entries: list[Node] = []
    for place, item in enumerate(node.value):
        entries.extend(_entry(scope, item, f"{where}[{place}]"))
    return Node(unique(entries, ("services", "", "ports")), node.at)


def parse_short(spec: str) -> list[dict[str, Plain]]:
    """The long entries for `[[HOST_IP:]HOST_PORTS:]CONTAINER_PORTS[/PROTOCOL]` (nat.ParsePortSpec).

    A host range as long as the container range is paired with it; one for a single container port is a choice that the
    daemon makes, and stays a range. Raises Malformed.
    """
    rest, slash, protocol = spec.partition("/")
    protocol = protocol.lower() if slash else "tcp"
    if protocol not in PROTOCOLS:
        raise Malformed(f"{quoted(protocol)} is no protocol for a port", "use tcp, udp or sctp")
    head, _, container = rest.rpartition(":")
    address, _, host = head.rpartition(":")
    low, high = _range(container, spec)
    if high - low >= MAX_PORTS:
        raise Malformed(f"{quoted(spec)} is more than {MAX_PORTS:,} ports", "publish fewer")
    if not low:
        raise Malformed(f"{quoted(spec)}: a container has no port 0", _HINT)
    entry: dict[str, Plain] = {"mode": "ingress", "protocol": protocol}
    if address:
        entry["host_ip"] = _short_address(address)
    if not host:
        return [{**entry, "target": port} for port in range(low, high + 1)]
    first, last = _range(host, spec)
    if last - first == high - low:
        return [{**entry, "target": low + i, "published": str(first + i)} for i in range(high - low + 1)]
    if low != high:
        raise Malformed(f"{quoted(spec)}: the two port ranges are not equally long", _HINT)
    return [{**entry, "target": low, "published": f"{first}-{last}"}]


def _entry(scope: Scope, item: Node, where: str) -> list[Node]:
    if scope.passes(item):
        return [item]
    if isinstance(item.value, dict):
        checked = _LONG(scope, item, where)
        if checked is None or checked.get("target") is None:
            return []
        defaults = {"mode": wrap("ingress", item.at), "protocol": wrap("tcp", item.at)}
        published = checked.get("published")
        empty = published is not None and published.value == ""
        return [checked.replace({**defaults, **checked.entries(), **({"published": None} if empty else {})})]
    if isinstance(item.value, bool) or not isinstance(item.value, int | str):
        scope.report.error(item.at, f"{where} cannot be {describe(item)}", _HINT)
        return []
    if scope.ports_left < 0:
        return []
    try:
        found = parse_short(str(item.value))
    except Malformed as problem:
        scope.report.malformed(item.at, where, problem)
        return []
    scope.ports_left -= len(found)
    if scope.ports_left < 0:
        scope.report.error(item.at, f"the stack publishes more than {MAX_PORTS:,} ports", "publish fewer")
        return []
    return [wrap(entry, item.at) for entry in found]


def _published(scope: Scope, node: Node, where: str) -> Node | None:
    value = str(node.value) if isinstance(node.value, int) and not isinstance(node.value, bool) else node.value
    if scope.passes(node) or value == "":
        return node
    if not isinstance(value, str):
        scope.wrong_type(node, where, "a port or a range of ports")
        return None
    try:
        low, high = _range(value, value)
    except Malformed as problem:
        scope.report.malformed(node.at, where, problem)
        return None
    return Node(str(low) if low == high else f"{low}-{high}", node.at)


def _host_ip(scope: Scope, node: Node, where: str) -> Node | None:
    if not isinstance(node.value, str):
        return text(scope, node, where)
    try:
        return node if scope.passes(node) else Node(_address(node.value), node.at)
    except Malformed as problem:
        scope.report.malformed(node.at, where, problem)
        return None


def _range(ports: str, spec: str) -> tuple[int, int]:
    within = "" if ports == spec else f"{quoted(spec)}: "
    if not ports:
        raise Malformed(f"{within}there is no container port", _HINT)
    match = _RANGE.fullmatch(ports)
    if match is None:
        raise Malformed(f"{within}{quoted(ports)} is no port", _HINT)
    low, high = int(match.group(1)), int(match.group(2) or match.group(1))
    if low > high or high > 65_535:
        raise Malformed(f"{within}{quoted(ports)} is no port, or range of ports, up to 65535", _HINT)
    return low, high


def _address(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise Malformed(f"{quoted(text)} is no IP address", "use an address of the host, such as 127.0.0.1") from None
    return text


def _short_address(text: str) -> str:
    if text.startswith("[") and text.endswith("]"):
        return _address(text[1:-1])
    if ":" in text:
        raise Malformed(f"{quoted(text)} is no IP address", 'put an IPv6 address in brackets: "[::1]:8080:80"')
    return _address(text)


_LONG: Check = mapping(
    {
        "name": text,
        "mode": choice("ingress", "host"),
        "host_ip": _host_ip,
        "target": integer(1, 65_535),
        "published": _published,
        "protocol": choice(*PROTOCOLS),
        "app_protocol": text,
    },
    needs=("target",),
)
