"""The preview of a command: the planner run over a simulated world until nothing is left to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from orchtui.core.desired import DesiredStack
from orchtui.core.identity import SERVICE, is_ours
from orchtui.core.operations import Create, Operation, Remove, RemoveVolume, Start
from orchtui.core.plan import plan
from orchtui.core.restart import policy
from orchtui.core.rollout import RolloutRecord, choose_order
from orchtui.core.simulate import carried_out
from orchtui.core.text import count
from orchtui.core.world import World
from orchtui.model.observed import Container
from orchtui.model.plan import Change, Plan

_MOST_PASSES = 5_000


def forecast(
    desired: DesiredStack,
    world: World,
    rollouts: Mapping[str, RolloutRecord],
    now: float,
    *,
    changes: tuple[Change, ...] = (),
) -> Plan:
    """All operations in order, with risks and notes, provided that everything starts, gets healthy and stays up."""
    operations = _run(desired, world, rollouts, now)
    touched = {operation.service for operation in operations}
    return Plan(
        summary=_summary(desired, world, operations),
        steps=tuple(operation.step for operation in operations),
        changes=changes,
        risks=_risks(desired, world, operations),
        notes=() if desired.removing else _notes(desired, touched),
        unchanged=tuple(name for name in sorted(desired.services) if name not in touched),
    )


def _run(
    desired: DesiredStack, world: World, rollouts: Mapping[str, RolloutRecord], now: float
) -> tuple[Operation, ...]:
    operations: list[Operation] = []
    world = replace(world, pending={})
    for _ in range(_MOST_PASSES):
        answer = plan(desired, world, rollouts, now)
        rollouts = answer.rollouts
        desired = _with_holds(desired, answer.holds)
        if answer.operations:
            for operation in answer.operations:
                world = carried_out(world, operation, now)
            operations += answer.operations
            world = _everything_works(desired, world, now)
            now += 0.001
        elif answer.settled or answer.requeue_after is None:
            break
        else:
            now += max(answer.requeue_after, 0.001)
    return tuple(operations)


def _with_holds(desired: DesiredStack, holds: Mapping[str, Mapping[int, bool]]) -> DesiredStack:
    services = {
        name: replace(
            service,
            held=frozenset(holds.get(name, {})),
            reached=frozenset(slot for slot, reached in holds.get(name, {}).items() if reached),
        )
        for name, service in desired.services.items()
    }
    return replace(desired, services=services)


def _everything_works(desired: DesiredStack, world: World, now: float) -> World:
    """Healthchecks succeed at once and jobs complete at once."""

    def lived(one: Container) -> Container:
        if one.state != "running" or not is_ours(one, desired.engine_id):
            return one
        if desired.job(one.labels.get(SERVICE, "")):
            return replace(one, state="exited", exit_code=0, finished_at=now, health="none")
        return replace(one, health="healthy") if one.health == "starting" else one

    return replace(world, containers=tuple(lived(one) for one in world.containers))


def _summary(desired: DesiredStack, world: World, operations: tuple[Operation, ...]) -> str:
    ids = {one.id for one in world.containers}
    verbs = Counter[str]()
    for operation in operations:
        match operation:
            case Create():
                verbs["replace" if operation.replaces else "create"] += 1
            case Remove(id=id) if id in ids:
                verbs["remove"] += 1
            case Start(id=id) if id in ids:
                verbs["start"] += 1
            case _ if operation.verb == "stop":
                verbs["stop"] += 1
            case _:
                pass
    verbs["remove"] -= verbs["replace"]  # what is replaced is not told twice
    verbs["stop"] -= verbs["replace"] + max(0, verbs["remove"])
    parts = [f"{verb} {count(number, 'container')}" for verb, number in verbs.items() if number > 0]
    if not parts:
        return f"{desired.name}: {'other changes' if operations else 'nothing to do'}"
    return f"{desired.name}: {', '.join(parts)}"


def _risks(desired: DesiredStack, world: World, operations: tuple[Operation, ...]) -> tuple[str, ...]:
    risks: list[str] = []
    ours = [one for one in world.containers if is_ours(one, desired.engine_id) and one.running]
    if desired.removing:
        if ours:
            risks.append(f"{desired.name} stops serving: {count(len(ours), 'running container')} removed")
    else:
        risks += _service_risks(desired, ours, operations)
    risks += [
        f"the volume {operation.name} is deleted with all its data"
        for operation in operations
        if isinstance(operation, RemoveVolume)
    ]
    return tuple(risks)


def _service_risks(desired: DesiredStack, ours: list[Container], operations: tuple[Operation, ...]) -> list[str]:
    risks: list[str] = []
    running = Counter(one.labels.get(SERVICE, "") for one in ours)
    replaced = Counter(one.service for one in operations if isinstance(one, Create) and one.replaces)
    for name in sorted(running):
        service = desired.services.get(name)
        if service is None:
            risks.append(f"{name} is not in the stack any more: {count(running[name], 'container')} removed")
            continue
        order, reason = choose_order(service.spec, service.replicas)
        if service.replicas == 0:
            risks.append(f"{name} stops serving: it is scaled to 0")
        elif len(service.held) >= service.replicas:
            risks.append(f"{name} stops serving until it is started again")
        elif replaced[name] and order == "stop-first":
            at_once = service.spec.update.parallelism or service.replicas
            gap = "downtime" if at_once >= service.replicas else "reduced capacity"
            risks.append(f"{name}: {gap} while it is replaced, stop first: {reason}")
    return risks


def _notes(desired: DesiredStack, touched: set[str]) -> tuple[str, ...]:
    notes = []
    for name in sorted(touched & set(desired.services)):
        spec, job = desired.services[name].spec, desired.job(name)
        if spec.restart in ("always", "on-failure", "no") and not job:
            continue
        docker = policy(spec, job=job)
        if job:
            notes.append(f"{name} is a job: another service waits for it to complete (Docker policy {docker})")
        elif spec.restart is None:
            notes.append(
                f"{name} has no `restart`: exit 0 completes it, a failure restarts it (Docker policy {docker})"
            )
        else:
            notes.append(f"{name}: `unless-stopped` becomes Docker policy {docker}, which survives a crash of dockerd")
    return tuple(notes)
