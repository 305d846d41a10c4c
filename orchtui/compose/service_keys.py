"""The keys of a service whose value has a syntax of its own."""

from __future__ import annotations

import re

from orchtui.compose import words
from orchtui.compose.checks import Check, Scope, boolean, choice, each, mapping, named, text
from orchtui.compose.nodes import Node, describe, wrap
from orchtui.compose.problems import Malformed, quoted

CONDITIONS = ("service_started", "service_healthy", "service_completed_successfully")
_RESTART = re.compile(r"no|always|unless-stopped|on-failure(?::[0-9]{1,9})?")


def command(scope: Scope, node: Node, where: str) -> Node | None:
    """A command or entrypoint: text is split into words, a list is taken as it is, nothing means the image's own."""
    if node.value is None or scope.passes(node):
        return node
    if isinstance(node.value, str):
        try:
            return wrap([*words.split(node.value)], node.at)
        except Malformed as problem:
            scope.report.malformed(node.at, where, problem)
            return None
    if isinstance(node.value, list):
        return each(text)(scope, node, where)
    scope.wrong_type(node, where, "text or a list of words")
    return None


def health_test(scope: Scope, node: Node, where: str) -> Node | None:
    """A probe as Docker's API takes it; text is a command for the container's shell."""
    if isinstance(node.value, str):
        return Node([Node("CMD-SHELL", node.at), Node(node.value, node.at)], node.at)
    probe = each(text)(scope, node, where) if isinstance(node.value, list) else None
    if probe is None:
        scope.wrong_type(node, where, "text or a list")
        return None
    kind = probe.items()[0].value if probe.items() else None
    if kind is not None and kind not in ("CMD", "CMD-SHELL", "NONE"):
        scope.report.error(
            node.at, f"{where} starts with {describe(probe.items()[0])}", 'start with "CMD", "CMD-SHELL"'
        )
        return None
    if kind in ("CMD", "CMD-SHELL") and len(probe.items()) == 1:
        scope.report.error(node.at, f"{where} has no command", 'write ["CMD", "program", "argument"]')
        return None
    return probe


def restart(scope: Scope, node: Node, where: str) -> Node | None:
    if scope.passes(node):
        return node
    if not isinstance(node.value, str):
        scope.wrong_type(node, where, "text", 'write "no", in quotes' if node.value is False else "")
        return None
    if not _RESTART.fullmatch(node.value):
        choices = ("no", "always", "on-failure", "unless-stopped")
        hint = (
            scope.report.suggestion(node.value, choices) or "use no, always, unless-stopped, on-failure or on-failure:5"
        )
        scope.report.error(node.at, f"{where} cannot be {quoted(node.value)}", hint)
        return None
    return node


def signal_name(scope: Scope, node: Node, where: str) -> Node | None:
    """A signal by name or by number, as text; which names exist is the daemon's business."""
    if not isinstance(node.value, str) or not node.value or scope.passes(node):
        return text(scope, node, where)
    if not re.fullmatch(r"(?:SIG)?[A-Z][A-Z0-9+-]*|[1-9][0-9]?", node.value.upper()):
        scope.report.error(node.at, f"{where} cannot be {quoted(node.value)}", 'write "SIGTERM" or "15"')
        return None
    return node


def depends_on(scope: Scope, node: Node, where: str) -> Node | None:
    """Canonically a mapping from service to condition."""
    if not isinstance(node.value, list):
        checked = _DEPENDENCIES(scope, node, where)
        if checked is None:
            return None
        entries = {name: _defaults(entry) for name, entry in checked.entries().items()}
        return Node(entries, checked.at, checked.keys)
    entries = {}
    keys = {}
    for item in node.value:
        if not isinstance(item.value, str):
            scope.wrong_type(item, where, "a list of service names")
            continue
        entries[item.value] = wrap({"condition": "service_started", "required": True}, item.at)
        keys[item.value] = item.at
    return Node(entries, node.at, keys)


def networks(scope: Scope, node: Node, where: str) -> Node | None:
    """Canonically a mapping from network to its settings, which may be empty."""
    if not isinstance(node.value, list):
        return _ATTACHMENTS(scope, node, where)
    entries = {}
    keys = {}
    for item in node.value:
        if not isinstance(item.value, str):
            scope.wrong_type(item, where, "a list of network names")
            continue
        entries[item.value] = Node(None, item.at)
        keys[item.value] = item.at
    return Node(entries, node.at, keys)


def env_file(scope: Scope, node: Node, where: str) -> Node | None:
    """Canonically a list of mappings with `path` and `required`."""
    entries: list[Node] = []
    for item in node.value if isinstance(node.value, list) else [node]:
        if isinstance(item.value, dict) and isinstance(node.value, list):
            entry = _ENV_FILE(scope, item, where)
        else:
            path = text(scope, item, where)
            entry = None if path is None else Node({"path": path, "required": wrap(True, item.at)}, item.at)
        if entry is not None and (path := entry.get("path")) is not None:
            if path.value == "":
                scope.report.error(item.at, f"{where}: the path is empty", "name a file, or remove the entry")
            entries.append(entry.replace({"required": entry.get("required") or wrap(True, item.at)}))
    return Node(entries, node.at)


def ip_address(version: int) -> Check:
    def check(scope: Scope, node: Node, where: str) -> Node | None:
        import ipaddress

        checked = text(scope, node, where)
        if checked is None or scope.passes(checked):
            return checked
        try:
            address = ipaddress.ip_address(str(checked.value))
        except ValueError:
            address = None
        if address is None or address.version != version:
            scope.report.error(node.at, f"{where}: {describe(node)} is no IPv{version} address")
            return None
        return checked

    return check


def _defaults(entry: Node) -> Node:
    """A dependency with `required` spelt out, and `restart` only where it is true."""
    restarts = entry.get("restart")
    return entry.replace(
        {
            "required": entry.get("required") or wrap(True, entry.at),
            "restart": restarts if restarts is not None and restarts.value is not False else None,
        }
    )


def _aliases(scope: Scope, node: Node, where: str) -> Node | None:
    checked = each(text)(scope, node, where)
    if checked is None:
        return None
    return Node(list({str(item.value): item for item in checked.items()}.values()), checked.at)


_ENV_FILE = mapping({"path": text, "required": boolean, "format": choice("raw")}, needs=("path",))
_DEPENDENCIES = named(
    mapping({"condition": choice(*CONDITIONS), "required": boolean, "restart": boolean}, needs=("condition",)),
    "service",
)
_ATTACHMENTS = named(
    mapping(
        {"aliases": _aliases, "ipv4_address": ip_address(4), "ipv6_address": ip_address(6)},
        later=("driver_opts", "gw_priority", "interface_name", "link_local_ips", "mac_address", "priority"),
    ),
    "network",
    nullable=True,
)
