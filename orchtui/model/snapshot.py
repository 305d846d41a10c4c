"""The one picture of the box that the console, the command line and the API share (DESIGN 11, One Snapshot).

Objects that did not change keep their identity from one snapshot to the next, so a reader can skip them with `is`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from orchtui.model.observed import Container, Host, Network, Owner, PortBinding, Volume


class Status(StrEnum):
    """A stack's or service's state in one word; the required API's `healthy` and `degraded` are among them."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    STARTING = "starting"
    UPDATING = "updating"
    PAUSED = "paused"
    ROLLING_BACK = "rolling_back"
    FAILED = "failed"
    STOPPED = "stopped"
    COMPLETED = "completed"
    SCALED_TO_ZERO = "scaled_to_zero"
    TAKEN_OVER = "taken_over"
    REMOVING = "removing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How the engine stands to Docker. `since` is when this state began; data is as old as `since` while stale."""

    state: Literal["connecting", "live", "stale"]
    since: float
    reason: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A service's way from one revision to another. `ready` of `total` slots run the new form."""

    state: Literal["progressing", "paused", "completed"]
    revision: int
    started_at: float
    ready: int = 0
    total: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """`key` is `stack/service`. `desired` is None where nobody wishes (shown `–`, never degraded by arithmetic)."""

    key: str
    stack: str
    name: str
    owner: Owner
    image: str
    status: Status
    reason: str = ""
    desired: int | None = None
    running: int = 0
    ready: int = 0
    unhealthy: int = 0
    containers: tuple[str, ...] = ()
    ports: tuple[PortBinding, ...] = ()
    revision: int | None = None
    rollout: Rollout | None = None
    created_at: float = 0.0
    updated_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """`key` names it uniquely (`shop`, `swarm:shop` on a collision, `-` for plain containers); `name` is the project's.

    `serial` grows with every accepted command on the stack; `settled` is the last serial whose work is finished
    (converged, or given up: then `status` and `reason` say which). `--wait` waits for settled >= its receipt's serial.
    """

    key: str
    name: str
    owner: Owner
    status: Status
    reason: str = ""
    services: tuple[str, ...] = ()
    revision: int | None = None
    serial: int = 0
    settled: int = 0
    config_files: tuple[str, ...] = ()
    working_dir: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong now. `severity` 3 is worst.

    `target` is `container:<id>`, `service:<key>`, `stack:<key>`, or `docker:` where Docker itself does not answer.
    """

    severity: int
    target: str
    title: str
    reason: str
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A line for people; nothing is ever decided from it. `id` grows, so a reader can tell what is new."""

    id: int
    at: float
    subject: str
    text: str
    severity: Literal["info", "warning", "error"] = "info"
    actor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    seq: int
    at: float
    connection: Connection
    host: Host | None = None
    stacks: Mapping[str, Stack] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    containers: Mapping[str, Container] = field(default_factory=dict)
    networks: Mapping[str, Network] = field(default_factory=dict)
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    events: tuple[Event, ...] = ()
