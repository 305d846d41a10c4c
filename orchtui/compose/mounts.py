"""Volumes and tmpfs: the short and the long syntax, canonically one long entry for each mount."""

from __future__ import annotations

import posixpath
import re

from orchtui.compose import quantities
from orchtui.compose.checks import Check, Scope, boolean, choice, mapping, memory, not_yet, one_or_many, text
from orchtui.compose.merge import unique
from orchtui.compose.nodes import Node, Plain, describe, wrap
from orchtui.compose.problems import Malformed, quoted

PROPAGATIONS = ("shared", "rshared", "slave", "rslave", "private", "rprivate")
_CONSISTENCIES = ("cached", "delegated", "consistent")
_HINT = 'write "name:/path", "./folder:/path:ro" or "/path"'
_VOLUME_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")


def volumes(scope: Scope, node: Node, where: str) -> Node | None:
    if not isinstance(node.value, list):
        scope.wrong_type(node, where, "a list", _HINT)
        return None
    entries = [_entry(scope, item, f"{where}[{place}]") for place, item in enumerate(node.value)]
    return Node(unique([entry for entry in entries if entry is not None], ("services", "", "volumes")), node.at)


def parse_short(spec: str) -> dict[str, Plain]:
    """The long entry for `[SOURCE:]TARGET[:OPTIONS]` (compose-go format/volume.go). Raises Malformed.

    A source that starts with `.`, `/` or `~` is a path of the host, else a volume's name. Unlike in Compose, an
    option that nobody knows is an error.
    """
    parts = spec.split(":")
    if len(parts) > 3 or not all(parts):
        raise Malformed(f"{quoted(spec)} is no mount", _HINT)
    target = parts[0] if len(parts) == 1 else parts[1]
    if not target.startswith("/"):
        raise Malformed(f"{quoted(spec)}: the path in the container has to start with /", _HINT)
    if len(parts) == 1:
        return {"type": "volume", "target": _clean(target), "volume": {}}
    source = parts[0]
    bind = source[0] in "./~"
    if not bind and not _VOLUME_NAME.fullmatch(source):
        what = "is a drive letter to Compose" if len(source) == 1 else "is no name for a volume"
        raise Malformed(f"{quoted(source)} {what}", "use a name of two letters or more, or a path that starts with ./")
    entry: dict[str, Plain] = {"type": "bind" if bind else "volume", "source": source, "target": _clean(target)}
    detail: dict[str, Plain] = {"create_host_path": True} if bind else {}
    for option in parts[2].split(",") if len(parts) == 3 else ():
        if option in ("ro", "rw"):
            entry["read_only"] = option == "ro"
        elif option == "nocopy" and not bind:
            detail["nocopy"] = True
        elif option in PROPAGATIONS and bind:
            detail["propagation"] = option
        elif option in ("z", "Z"):
            raise Malformed(f"{quoted(spec)}: SELinux labels are not supported yet", f"remove the option {option}")
        elif option not in _CONSISTENCIES:
            raise Malformed(f"{quoted(spec)}: unknown option {quoted(option)}", "use ro, rw, nocopy or a propagation")
    entry["bind" if bind else "volume"] = detail
    return entry


def parse_tmpfs(spec: str) -> tuple[str, int | None, int | None]:
    """The target, size in bytes and mode of `PATH[:size=64m,mode=1770]`. Raises Malformed."""
    target, _, options = spec.partition(":")
    if not target.startswith("/"):
        raise Malformed(f"{quoted(spec)}: the path in the container has to start with /", 'write "/run:size=64m"')
    size = mode = None
    for option in options.split(",") if options else ():
        name, _, value = option.partition("=")
        if name == "size":
            size = quantities.parse_bytes(value)
        elif name == "mode" and re.fullmatch("[0-7]{1,5}", value):
            mode = int(value, 8)
        elif option not in ("rw", "noexec", "nosuid", "nodev"):  # what Docker sets on every tmpfs anyway
            raise Malformed(f"{quoted(spec)}: the option {quoted(option)} is not supported", "use size= and mode=")
    return target, size, mode


def tmpfs(scope: Scope, node: Node, where: str) -> Node | None:
    listed = _TMPFS_LIST(scope, node, where)
    return None if listed is None else Node(unique(listed.items(), ("services", "", "tmpfs")), listed.at)


def _tmpfs_item(scope: Scope, node: Node, where: str) -> Node | None:
    checked = text(scope, node, where)
    if checked is None or scope.passes(checked):
        return checked
    try:
        parse_tmpfs(str(checked.value))
    except Malformed as problem:
        scope.report.malformed(node.at, where, problem)
        return None
    return checked


def _entry(scope: Scope, item: Node, where: str) -> Node | None:
    if scope.passes(item):
        return item
    if isinstance(item.value, dict):
        checked = _LONG(scope, item, where)
        return checked if checked is not None and _consistent(scope, checked, where) else None
    if not isinstance(item.value, str):
        scope.report.error(item.at, f"{where} cannot be {describe(item)}", _HINT)
        return None
    try:
        return wrap(parse_short(item.value), item.at)
    except Malformed as problem:
        scope.report.malformed(item.at, where, problem)
        return None


def _consistent(scope: Scope, entry: Node, where: str) -> bool:
    """Whether the parts of a long entry fit its type."""
    kind, source, target = (entry.get(key) for key in ("type", "source", "target"))
    if kind is None or target is None:
        return False
    complaint = ""
    if isinstance(target.value, str) and not target.value.startswith("/") and not scope.passes(target):
        complaint = "the path in the container (target) has to start with /"
    elif kind.value == "bind" and (source is None or source.value == ""):
        complaint = "a bind mount needs a source, the path on the host"
    elif kind.value == "tmpfs" and source is not None:
        complaint = "a tmpfs has no source"
    elif kind.value == "volume" and source is not None and not _VOLUME_NAME.fullmatch(str(source.value)):
        complaint = f"{quoted(str(source.value))} is no name for a volume"
    for other in {"bind", "volume", "tmpfs"} - {str(kind.value)}:
        if entry.get(other) is not None:
            complaint = complaint or f"{quoted(other)} does not belong to a mount of type {kind.value}"
    if complaint:
        scope.report.error(entry.at, f"{where}: {complaint}")
    return not complaint


def _type(scope: Scope, node: Node, where: str) -> Node | None:
    if node.value in ("cluster", "npipe", "image"):
        not_yet(scope, node, f"{where} {node.value}", "use bind, volume or tmpfs")
        return None
    return choice("bind", "volume", "tmpfs")(scope, node, where)


def _target(scope: Scope, node: Node, where: str) -> Node | None:
    checked = text(scope, node, where)
    return checked if checked is None or scope.passes(checked) else Node(_clean(str(checked.value)), node.at)


def _clean(path: str) -> str:
    """A path in the container without `..`, doubled or trailing slashes."""
    return "/" + posixpath.normpath(path).lstrip("/") if path.startswith("/") else path


def _mode(scope: Scope, node: Node, where: str) -> Node | None:
    if isinstance(node.value, int) and not isinstance(node.value, bool) and 0 <= node.value <= 0o7777:
        return node
    scope.wrong_type(node, where, "an octal file mode", "write 0o1777, without quotes")
    return None


_TMPFS_LIST = one_or_many(_tmpfs_item)
_LONG: Check = mapping(
    {
        "type": _type,
        "source": text,
        "target": _target,
        "read_only": boolean,
        "bind": mapping(
            {"propagation": choice(*PROPAGATIONS), "create_host_path": boolean}, later=("selinux", "recursive")
        ),
        "volume": mapping({"nocopy": boolean}, later=("labels", "subpath")),
        "tmpfs": mapping({"size": memory(numbers=True), "mode": _mode}),
    },
    later=("consistency", "image"),
    needs=("type", "target"),
)
