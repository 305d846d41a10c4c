"""A service's and a stack's state in one word and one reason."""

from __future__ import annotations

from collections.abc import Sequence

from orchtui.core.exits import explain
from orchtui.core.problems import container_trouble
from orchtui.core.text import count
from orchtui.model.history import ServiceStanding, StackStanding
from orchtui.model.observed import Container
from orchtui.model.snapshot import Service, Status

# What a stack shows when its services differ: the first of these that any has.
_WORST_FIRST = (
    Status.FAILED, Status.DEGRADED, Status.TAKEN_OVER, Status.REMOVING, Status.ROLLING_BACK, Status.UPDATING,
    Status.STARTING, Status.PAUSED,
)  # fmt: skip
_AT_REST = (Status.STOPPED, Status.COMPLETED, Status.SCALED_TO_ZERO)
_START_PATIENCE = 10.0  # a container without a healthcheck that is younger is still starting, not missing


def ready(container: Container) -> bool:
    """Running, and healthy where it has a healthcheck."""
    return container.state == "running" and container.health in ("none", "healthy")


def service_state(
    members: Sequence[Container],
    *,
    standing: ServiceStanding | None,
    desired: int | None,
    running: int,
    ready: int,
    now: float,
) -> tuple[Status, str]:
    """`members` are the containers that count: neither foreign nor a slot's dead predecessor."""
    if standing is not None and standing.status is not None:
        return standing.status, standing.reason or _trouble(members, now)
    trouble = _trouble(members, now)
    if standing is not None and standing.rollout is not None and standing.rollout.state != "completed":
        paused = standing.rollout.state == "paused"
        return (Status.PAUSED if paused else Status.UPDATING), standing.reason or standing.rollout.message
    if trouble:
        return Status.DEGRADED, trouble
    if desired is not None:
        return _counted(members, desired=desired, running=running, ready=ready, now=now)
    return _as_it_is(members)


def stack_state(services: Sequence[Service], standing: StackStanding | None) -> tuple[Status, str]:
    """The worst that any service is; at rest only if all are."""
    if standing is not None and standing.status is not None:
        return standing.status, standing.reason
    reason = standing.reason if standing is not None else ""
    states = [service.status for service in services]
    if not states:
        return Status.STOPPED, reason
    if all(state in _AT_REST for state in states):
        same = states[0] if len(set(states)) == 1 else Status.STOPPED
        return same, reason
    for status in _WORST_FIRST:
        if affected := [service for service in services if service.status is status]:
            return status, reason or _some(affected, len(services), status)
    return Status.HEALTHY, reason


def _some(affected: Sequence[Service], total: int, status: Status) -> str:
    word = status.value.replace("_", " ")
    if len(affected) == 1:
        one = affected[0]
        return f"{one.name}: {one.reason or word}"
    return f"{len(affected)} of {total} services {word}"


def _trouble(members: Sequence[Container], now: float) -> str:
    """The worst trouble of any container, in words; "" without any."""
    found = [(trouble, one) for one in members if (trouble := container_trouble(one, now)) is not None]
    if not found:
        return ""
    (_, title, reason), _ = max(found, key=lambda item: item[0][0])
    if len(found) == 1 and len(members) == 1:
        return reason or title.removeprefix("is ")
    word = title.removeprefix("is ")
    return f"{len(found)} of {len(members)} {word}" + (f": {reason}" if reason else "")


def _counted(members: Sequence[Container], *, desired: int, running: int, ready: int, now: float) -> tuple[Status, str]:
    if desired == 0:
        return (Status.SCALED_TO_ZERO, "") if not running else (Status.UPDATING, f"{running} still running")
    if ready >= desired:
        if running > desired:
            return Status.HEALTHY, f"{running - desired} more than desired"
        return Status.HEALTHY, ""
    reason = f"{ready} of {desired} ready"
    if any(_starting(one, now) for one in members):
        return Status.STARTING, reason
    stopped = next((one for one in members if not one.running), None)
    return Status.DEGRADED, reason + (f"; {explain(stopped)}" if stopped is not None else "")


def _starting(container: Container, now: float) -> bool:
    if container.state == "running" and container.health == "starting":
        return True
    begun = container.started_at if container.state == "running" else container.created_at
    return container.state in ("created", "running") and begun is not None and now - begun < _START_PATIENCE


def _as_it_is(members: Sequence[Container]) -> tuple[Status, str]:
    """A service of which nobody says how many there should be."""
    up = [one for one in members if one.running]
    if not up:
        return Status.STOPPED, explain(members[-1]) if members else ""
    if all(one.state == "paused" for one in up):
        return Status.PAUSED, ""
    if any(one.health == "starting" for one in up):
        return Status.STARTING, ""
    stopped = len(members) - len(up)
    return Status.HEALTHY, f"{count(stopped, 'container')} not running" if stopped else ""
