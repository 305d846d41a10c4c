"""What the loop remembers of operations between passes: which are at work, and which failed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from orchtui.core.rollout import RolloutRecord
from orchtui.core.world import Pass

BACKOFF_FIRST, BACKOFF_LAST = 0.5, 60.0
ABSENCE = 90.0  # seconds without a pass (one is due every 30) after which nobody was looking


@dataclass(frozen=True, slots=True)
class Failure:
    """A lane that failed `count` times in a row. `refused`: Docker answered no, rather than not at all. `until` is on
    the event loop's clock, which nobody sets.
    """

    message: str
    service: str
    count: int
    until: float
    refused: bool

    @property
    def final(self) -> bool:
        """Not a hiccup: nobody should wait for it."""
        return self.refused and self.count >= 2


@dataclass(slots=True)
class Desk:
    """What is remembered of one stack between passes, and may be lost."""

    wake: asyncio.Event = field(default_factory=asyncio.Event)
    busy: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    making: dict[str, tuple[str, int]] = field(default_factory=dict)  # lane -> slot whose container it makes in steps
    looked: float | None = None  # when the last pass was
    failures: dict[str, Failure] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)  # service -> why its replacement could not be created
    told: dict[str, str] = field(default_factory=dict)

    def gave_up(self, lane: str) -> bool:
        """Whether nobody should wait for this lane's operations."""
        failure = self.failures.get(lane)
        return failure is not None and failure.final


def backoff(count: int) -> float:
    """Seconds after so many failures in a row."""
    return min(BACKOFF_LAST, BACKOFF_FIRST * 2.0 ** (min(count, 16) - 1))


def with_refusals(rollouts: Mapping[str, RolloutRecord], refused: Mapping[str, str]) -> Mapping[str, RolloutRecord]:
    if not refused:
        return rollouts
    return {
        service: record.paused(refused[service]) if service in refused and record.state == "progressing" else record
        for service, record in rollouts.items()
    }


def attended(rollouts: Mapping[str, RolloutRecord], looked: float | None, now: float) -> Mapping[str, RolloutRecord]:
    """The rollouts, their deadlines begun anew if nobody could look for a while: we or Docker were away, or the clock
    was set. A slot that had no chance to get further has not failed to.
    """
    if looked is not None and 0 <= now - looked <= ABSENCE:
        return rollouts
    return {
        service: replace(record, progress_at=now) if record.state == "progressing" else record
        for service, record in rollouts.items()
    }


def failed_services(answer: Pass, failures: Mapping[str, Failure]) -> Mapping[str, str]:
    """Why services (or "", the stack itself) cannot get on, from the operations that Docker refuses."""
    lanes = {operation.lane for operation in answer.operations}
    return {failure.service: failure.message for lane, failure in failures.items() if lane in lanes and failure.final}
