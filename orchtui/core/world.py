"""What the planner is shown of one stack, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchtui.core.operations import Operation
from orchtui.core.rollout import RolloutRecord
from orchtui.model.history import ServiceStanding
from orchtui.model.observed import Container, Image, Network, Volume
from orchtui.model.snapshot import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One stack as Docker shows it: every container of the project, ours or not, inspected; all networks and volumes.

    `images` maps tags and IDs that exist to their image. `pending` maps (service, slot) to the time until which it is
    left alone because somebody outside stopped it a moment ago, a person's direct verb is at work on it, or its
    container is being made in more than one call.
    `signalled` are containers that got a stopping signal from outside: an exit code 0 of theirs completes nothing.
    `killed` got a SIGKILL from outside and nothing before it: dockerd will not restart them by itself.
    """

    containers: tuple[Container, ...] = ()
    networks: tuple[Network, ...] = ()
    volumes: tuple[Volume, ...] = ()
    images: Mapping[str, Image] = field(default_factory=dict)
    pending: Mapping[tuple[str, int], float] = field(default_factory=dict)
    signalled: frozenset[str] = frozenset()
    killed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What is allowed now, and how everything stands.

    `rollouts` and `holds` (service -> slot -> reached) are the complete new state to remember, `slots` the slot numbers
    that each service is to have. `requeue_after` is in
    seconds, None when only an event can change anything. `settled` means converged or given up; `gone` that nothing of
    a stack under removal is left.
    """

    operations: tuple[Operation, ...] = ()
    standings: Mapping[str, ServiceStanding] = field(default_factory=dict)
    rollouts: Mapping[str, RolloutRecord] = field(default_factory=dict)
    holds: Mapping[str, Mapping[int, bool]] = field(default_factory=dict)
    slots: Mapping[str, frozenset[int]] = field(default_factory=dict)
    requeue_after: float | None = None
    settled: bool = False
    converged: bool = False
    gone: bool = False
    status: Status | None = None
    reason: str = ""

    def __str__(self) -> str:
        """One operation a line."""
        return "\n".join(str(operation) for operation in self.operations)
