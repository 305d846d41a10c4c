"""What is wrong now, worst first (DESIGN 11, Degraded). An unmanaged container that merely exited is not a problem."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from orchtui.core.exits import explain, probes
from orchtui.model.observed import Container
from orchtui.model.snapshot import Connection, Problem, Service, Stack, Status

LOOP_RESTARTS = 3  # exits within LOOP_WINDOW that make a crash loop (DESIGN 11, Deaths and stops)
LOOP_WINDOW = 600.0
LOOP_PAUSE = 60.0  # Docker's longest wait between restarts: what has been up for longer has got over it

URGENT, SERIOUS, NOTICE = 3, 2, 1


def looping(container: Container, now: float) -> bool:
    """Whether Docker restarts it again and again: it waits for its next start, or that start is hardly over."""
    if container.restart_count < LOOP_RESTARTS:
        return False
    if container.state == "restarting":
        return True
    if container.state != "running" or container.health == "healthy":
        return False
    # Three restarts in a year are no loop: the last end and this start must both be recent.
    ended, started = container.finished_at, container.started_at
    return ended is not None and now - ended < LOOP_WINDOW and started is not None and now - started < LOOP_PAUSE


def container_trouble(container: Container, now: float) -> tuple[int, str, str] | None:
    """Severity, `what it is` and why, of a container that is degraded; None for one that is not."""
    if container.previous:
        return None
    if looping(container, now):
        return URGENT, "is crash-looping", explain(container) or f"{container.restart_count} restarts"
    if container.oom_killed and container.state != "running":
        return URGENT, "ran out of memory", explain(container)
    if container.state == "restarting":
        return SERIOUS, "is restarting", explain(container)
    if container.state == "dead":
        return SERIOUS, "is dead", explain(container)
    if container.state == "running" and container.health == "unhealthy":
        return SERIOUS, "is unhealthy", probes(container)
    if container.oom_killed:
        return SERIOUS, "ran short of memory", explain(container)
    if container.state in ("created", "exited") and container.error:
        return SERIOUS, "could not start", explain(container)
    return None


def rank(
    *,
    connection: Connection,
    containers: Mapping[str, Container],
    services: Mapping[str, Service],
    stacks: Mapping[str, Stack],
    previous: Collection[Problem],
    now: float,
) -> tuple[Problem, ...]:
    """All problems, worst first, the oldest first among equals. One that lasts keeps its `since` and its identity."""
    found: list[Problem] = []
    if connection.state == "stale":
        found.append(
            Problem(
                severity=URGENT, target="docker:", title="Docker does not answer", reason=connection.reason,
                since=connection.since,
            )
        )  # fmt: skip
    troubled: set[str] = set()
    for container in containers.values():
        trouble = container_trouble(container, now)
        if trouble is not None:
            severity, title, reason = trouble
            troubled.add(container.id)
            found.append(
                Problem(
                    severity=severity, target=f"container:{container.id}", title=f"{container.name} {title}",
                    reason=reason, since=_since(container, now),
                )
            )  # fmt: skip
    failing: set[str] = set()
    for service in services.values():
        problem = _service_problem(service, troubled, now)
        if problem is not None:
            failing.add(service.stack)
            found.append(problem)
        elif not troubled.isdisjoint(service.containers):
            failing.add(service.stack)
    for stack in stacks.values():
        problem = _stack_problem(stack, now)
        if problem is not None and stack.key not in failing:
            found.append(problem)
    before = {(problem.target, problem.title): problem for problem in previous}
    kept = (_keep(before.get((problem.target, problem.title)), problem) for problem in found)
    return tuple(sorted(kept, key=lambda problem: (-problem.severity, problem.since, problem.title, problem.target)))


def _since(container: Container, now: float) -> float:
    """When it began, as far as the container tells; health tells nothing, so the first sight counts."""
    if container.state != "running" and container.finished_at is not None:
        return container.finished_at
    return now


def _service_problem(service: Service, troubled: Collection[str], now: float) -> Problem | None:
    target = f"service:{service.key}"
    rollout = service.rollout
    if service.status is Status.FAILED or (service.status is Status.DEGRADED and service.desired and not service.ready):
        return Problem(
            severity=URGENT, target=target, title=f"{service.key} is {_word(service)}", reason=service.reason, since=now
        )
    if rollout is not None and rollout.state == "paused":
        return Problem(
            severity=SERIOUS, target=target, title=f"the update of {service.key} is paused",
            reason=rollout.message or service.reason, since=rollout.started_at,
        )  # fmt: skip
    if service.status is Status.DEGRADED and not any(id in troubled for id in service.containers):
        return Problem(
            severity=SERIOUS, target=target, title=f"{service.key} is degraded", reason=service.reason, since=now
        )
    if service.status is Status.TAKEN_OVER:
        return Problem(
            severity=NOTICE, target=target, title=f"{service.key} was taken over", reason=service.reason, since=now
        )
    return None


def _word(service: Service) -> str:
    return "failed" if service.status is Status.FAILED else "down"


def _stack_problem(stack: Stack, now: float) -> Problem | None:
    """A stack's own trouble, for which none of its services stands."""
    if stack.status in (Status.FAILED, Status.DEGRADED):
        severity = URGENT if stack.status is Status.FAILED else SERIOUS
        title = f"{stack.key} is {stack.status.value}"
        return Problem(severity=severity, target=f"stack:{stack.key}", title=title, reason=stack.reason, since=now)
    return None


def _keep(old: Problem | None, new: Problem) -> Problem:
    """The old one where only its clock would differ; the older beginning in any case."""
    if old is None:
        return new
    new = replace(new, since=min(old.since, new.since))
    return old if old == new else new
