"""Docker's states and facts in a few characters: the signs, words and style tokens that every view shares. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from orchtui.core import text
from orchtui.model.observed import Container, Owner, PortBinding
from orchtui.model.snapshot import Status
from orchtui.tui.columns import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """The signs of the console. Each always stands beside a word, so that neither colour nor sign is alone."""

    good: str = "●"
    busy: str = "◐"
    warn: str = "▲"
    bad: str = "✖"
    idle: str = "○"
    done: str = "✔"
    paused: str = "‖"
    ascending: str = "↑"
    descending: str = "↓"
    none: str = "–"
    cursor: str = "▸"
    mark: str = "◆"
    dot: str = "·"


UNICODE = Glyphs()
ASCII = Glyphs(
    good="*", busy="~", warn="!", bad="x", idle="o", done="+", paused="=", ascending="^", descending="v", none="-",
    cursor=">", mark="#", dot="-",
)  # fmt: skip


STATUSES: Mapping[Status, tuple[str, str, int]] = {
    Status.FAILED: ("bad", "bad", 0),
    Status.DEGRADED: ("warn", "warn", 1),
    Status.TAKEN_OVER: ("warn", "warn", 2),
    Status.PAUSED: ("paused", "warn", 3),
    Status.ROLLING_BACK: ("busy", "warn", 4),
    Status.UPDATING: ("busy", "busy", 5),
    Status.STARTING: ("busy", "busy", 6),
    Status.REMOVING: ("busy", "busy", 7),
    Status.STOPPED: ("idle", "muted", 8),
    Status.SCALED_TO_ZERO: ("idle", "muted", 9),
    Status.COMPLETED: ("done", "muted", 10),
    Status.HEALTHY: ("good", "good", 11),
}
FAULTY = frozenset({Status.FAILED, Status.DEGRADED, Status.TAKEN_OVER})
OWNERS: Mapping[Owner, str] = {
    Owner.MANAGED: "managed", Owner.OTHER_ENGINE: "other engine", Owner.SWARM: "swarm", Owner.COMPOSE: "compose",
    Owner.PLAIN: "plain",
}  # fmt: skip


def status_cell(status: Status, glyphs: Glyphs = UNICODE) -> Cell:
    glyph, token, _ = STATUSES[status]
    return f"{getattr(glyphs, glyph)} {status.value.replace('_', ' ')}", token


def state_of(container: Container) -> tuple[str, str, str, int]:
    """A container's state as (glyph name, word, style token, rank); the worst ranks lowest."""
    match container.state:
        case "running" if container.health == "unhealthy":
            return "warn", "unhealthy", "bad", 2
        case "running" if container.health == "starting":
            return "busy", "starting", "busy", 4
        case "running" if container.health == "healthy":
            return "good", "healthy", "good", 8
        case "running":
            return "good", "running", "good", 8
        case "paused":
            return "paused", "paused", "warn", 3
        case "restarting":
            return "busy", "restarting", "bad", 1
        case "dead":
            return "bad", "dead", "bad", 0
        case "removing":
            return "busy", "removing", "busy", 5
        case "created":
            return "idle", "created", "muted", 6
    if container.oom_killed:
        return "bad", "out of memory", "bad", 1
    if container.exit_code:
        return "bad", f"exited {container.exit_code}", "warn", 3
    return "idle", "exited 0" if container.exit_code == 0 else "exited", "muted", 9


def state_cell(container: Container, glyphs: Glyphs = UNICODE) -> Cell:
    glyph, word, token, _ = state_of(container)
    return f"{getattr(glyphs, glyph)} {word}", token


def since(container: Container) -> float:
    """When the container came into its present state, as far as Docker says."""
    if container.running:
        return container.started_at or container.created_at
    return container.finished_at or container.created_at


def faulty(container: Container, targets: frozenset[str]) -> bool:
    """Whether the container is part of what is wrong now."""
    return (
        f"container:{container.id}" in targets
        or (container.state == "running" and container.health == "unhealthy")
        or container.state in ("restarting", "dead")
    )


def ports(bindings: Iterable[PortBinding]) -> str:
    """`8080→80 443/udp`: published ports first, each once, the address only where it narrows access."""
    published: dict[str, None] = {}
    internal: dict[str, None] = {}
    for port in bindings:
        tail = "" if port.protocol == "tcp" else f"/{port.protocol}"
        if port.host_port:
            address = "" if port.host_ip in (None, "", "0.0.0.0", "::") else f"{port.host_ip}:"
            published[f"{address}{port.host_port}→{port.container_port}{tail}"] = None
        else:
            internal[f"{port.container_port}{tail}"] = None
    return " ".join([*published, *internal])


def short_image(image: str) -> str:
    """An image without its registry, a digest cut to twelve digits: `shop/web:1.14.2`, `web@sha256:0123456789ab`."""
    if image.startswith("sha256:"):
        return image[7:19]
    name, at, digest = image.partition("@")
    host, slash, rest = name.partition("/")
    if slash and ("." in host or ":" in host or host == "localhost"):
        name = rest
    if not at:
        return name
    return name if ":" in name else f"{name}@{digest[:19]}"


def of_desired(ready: int, desired: int | None, glyphs: Glyphs = UNICODE) -> str:
    """`3/5`; `3/–` where nobody wishes a number."""
    return f"{ready}/{glyphs.none if desired is None else desired}"


@lru_cache(maxsize=16_384)
def natural_key(name: str) -> tuple[tuple[int, str], ...]:
    """A sort key in which `web-2` stands before `web-10`."""
    parts = re.split(r"([0-9]{1,18})", name)
    return (*((int(part), "") if part.isdigit() and part.isascii() else (-1, part) for part in parts), (-2, name))


def cpu_cell(value: float | None, glyphs: Glyphs) -> Cell:
    if value is None:
        return glyphs.none, "muted"
    return text.percent(value if value >= 0.0005 else 0.0), "muted" if value < 0.005 else ""


def memory_cell(used: int | None, limit: int, glyphs: Glyphs) -> Cell:
    if used is None:
        return glyphs.none, "muted"
    if not limit:
        return text.size(used), ""
    share = used / limit
    return f"{text.size(used)}/{text.size(limit)}", "bad" if share >= 0.95 else "warn" if share >= 0.8 else ""


def widest(texts: Iterable[str]) -> int:
    return max(map(len, texts), default=0)
