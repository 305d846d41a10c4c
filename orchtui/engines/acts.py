"""Direct verbs on what we do not manage: planned as steps, carried out eight at a time, failures told one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from orchtui.commands import Act, ActVerb, Receipt, Target
from orchtui.core.text import count, safe
from orchtui.docker.client import DockerClient
from orchtui.errors import DockerError, NotFound, NotManaged, OrchtuiError, PlanRefused, Refused
from orchtui.model.observed import Container, Owner, SwarmService
from orchtui.model.plan import Plan, Step
from orchtui.model.snapshot import Snapshot

CONCURRENCY = 8  # research/feasibility.md section 5: more only adds latency

_DONE = {
    "start": "started", "stop": "stopped", "restart": "restarted", "kill": "killed", "pause": "paused",
    "unpause": "unpaused", "remove": "removed",
}  # fmt: skip
_INSTEAD_OF_SWARM = {
    "start": "Swarm starts its tasks itself",
    "stop": "Swarm would start another task in its place at once",
    "restart": "Swarm would start another task in its place as soon as it ends",
    "remove": "Swarm would start another task in its place at once",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One verb on one container, or the removal of one Swarm service."""

    subject: str
    id: str
    service: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What an Act comes to now."""

    act: Act
    jobs: tuple[Job, ...]
    unchanged: tuple[str, ...]
    risks: tuple[str, ...]
    notes: tuple[str, ...]

    def plan(self) -> Plan:
        verb = self.act.verb
        cause = f"asked for: {self.act.target}" + (f", {self.act.signal}" if self.act.signal else "")
        return Plan(
            summary=f"{verb} {count(len(self.jobs), 'service' if self.services else 'container')}",
            steps=tuple(Step(verb=verb, subject=job.subject, cause=cause) for job in self.jobs),
            risks=self.risks if self.jobs else (),
            notes=self.notes,
            unchanged=self.unchanged,
        )

    @property
    def services(self) -> bool:
        return any(job.service for job in self.jobs)


def owner(snapshot: Snapshot, target: Target) -> Owner:
    """Who keeps the target running. Raises NotFound."""
    if target.kind == "stack":
        if stack := snapshot.stacks.get(target.key):
            return stack.owner
    elif target.kind == "service":
        if service := snapshot.services.get(target.key):
            return service.owner
    elif container := snapshot.containers.get(target.key):
        return container.owner
    raise _missing(target)


def members(snapshot: Snapshot, target: Target) -> tuple[Container, ...]:
    """The containers of a stack, a service, or the one meant. Raises NotFound."""
    if target.kind == "container":
        container = snapshot.containers.get(target.key)
        if container is None:
            raise _missing(target)
        return (container,)
    if target.kind == "service":
        keys: tuple[str, ...] = (target.key,)
    else:
        stack = snapshot.stacks.get(target.key)
        if stack is None:
            raise _missing(target)
        keys = stack.services
    found: list[Container] = []
    for key in keys:
        service = snapshot.services.get(key)
        if service is None:
            raise _missing(target)
        found.extend(snapshot.containers[id] for id in service.containers if id in snapshot.containers)
    return tuple(found)


def order(snapshot: Snapshot, act: Act, swarm: Mapping[str, SwarmService]) -> Order:
    """What the act comes to; `swarm` are the Swarm services by their key in the snapshot.

    Raises NotFound, NotManaged for what another engine keeps running, Refused and PlanRefused with the reason.
    """
    kept_by = owner(snapshot, act.target)
    if kept_by is Owner.OTHER_ENGINE:
        raise NotManaged(
            f"{act.target} is managed by another orchtui engine, which would undo it.",
            hint="Do it there, in the orchtui of the user who runs that engine.",
        )
    if act.target.kind == "stack" and kept_by is Owner.PLAIN:
        raise Refused("Plain containers are not a stack.", hint=f"Choose the containers to {act.verb} one by one.")
    if kept_by is Owner.SWARM:
        return _swarm_order(snapshot, act, swarm)
    return _container_order(act, members(snapshot, act.target))


def _container_order(act: Act, containers: Sequence[Container]) -> Order:
    if not containers:
        raise Refused(f"{act.target} has no containers to {act.verb}.")
    fitting = [one for one in containers if _fits(act.verb, one, alone=len(containers) == 1)]
    if act.verb == "restart" and not fitting:
        fitting = list(containers)
    if act.verb == "remove" and not act.force:
        running = [one for one in containers if one.running]
        if running:
            raise PlanRefused(
                f"{count(len(running), 'container')} of {act.target} still running."
                if len(containers) > 1
                else f"{running[0].name} is still running.",
                details=tuple(f"{one.name} is {one.state}" for one in running),
                hint="Stop it first, or remove it with force.",
            )
    chosen = {one.id for one in fitting}
    return Order(
        act=act,
        jobs=tuple(Job(subject=one.name, id=one.id) for one in fitting),
        unchanged=tuple(f"{one.name} is {one.state}" for one in containers if one.id not in chosen),
        risks=_risks(act, fitting),
        notes=_notes(act.verb, fitting),
    )


def _fits(verb: ActVerb, one: Container, *, alone: bool) -> bool:
    """Whether the verb would change anything; a person's restart of one container also starts it."""
    match verb:
        case "start":
            return one.state in ("created", "exited")
        case "stop":
            return one.running
        case "restart":
            return one.running or alone
        case "kill":
            return one.state in ("running", "paused", "restarting")
        case "pause":
            return one.state == "running"
        case "unpause":
            return one.state == "paused"
        case "remove":
            return one.state != "removing"
        case _:
            assert_never(verb)


def _risks(act: Act, fitting: Sequence[Container]) -> tuple[str, ...]:
    serving = [one for one in fitting if one.state == "running"]
    told = []
    if serving and act.verb in ("stop", "restart", "kill", "pause", "remove"):
        published = sorted({port.host_port for one in serving for port in one.ports if port.host_port})
        ports = f"; port {', '.join(map(str, published))} stops answering" if published else ""
        told.append(f"{count(len(serving), 'container')} will not serve meanwhile{ports}")
    if act.verb == "remove" and fitting:
        told.append("what was written inside, outside volumes and binds, is lost")
    return tuple(told)


def _notes(verb: ActVerb, fitting: Sequence[Container]) -> tuple[str, ...]:
    policies = {one.restart_policy for one in fitting if one.restart_policy not in ("", "no")}
    if verb == "stop" and "always" in policies:
        return ("restart policy `always`: Docker starts it again when Docker itself starts",)
    if verb == "kill" and policies:
        return ("Docker does not restart what a person killed",)
    if verb == "remove":
        return ("volumes are kept",)
    return ()


def _swarm_order(snapshot: Snapshot, act: Act, swarm: Mapping[str, SwarmService]) -> Order:
    target, verb = act.target, act.verb
    if target.kind == "container" and verb in ("kill", "pause", "unpause"):
        found = _container_order(act, members(snapshot, target))
        if verb != "kill":
            return found
        note = ("Swarm starts another task in its place",)
        return Order(act=act, jobs=found.jobs, unchanged=found.unchanged, risks=found.risks, notes=note)
    if target.kind == "container" or verb != "remove":
        raise Refused(_swarm_refusal(act), hint=_swarm_hint(snapshot, act))
    stack = snapshot.stacks.get(target.key)
    keys = (target.key,) if target.kind == "service" else stack.services if stack is not None else ()
    known = [swarm[key] for key in keys if key in swarm]
    if not known:
        raise Refused(f"{target} can only be removed on a manager of the swarm.", hint="Run orchtui on a manager node.")
    tasks = sum(service.running for service in known)
    return Order(
        act=act,
        jobs=tuple(Job(subject=service.name, id=service.id, service=True) for service in known),
        unchanged=(),
        risks=(f"{count(tasks, 'task')} on all nodes end at once",) if tasks else (),
        notes=("volumes, networks, configs and secrets are kept",),
    )


def _swarm_refusal(act: Act) -> str:
    if act.target.kind == "container":
        return f"{act.target} is a task of a Swarm service: {_INSTEAD_OF_SWARM[act.verb]}."
    return f"Swarm services have no `{act.verb}`: Swarm keeps the number of tasks that the service asks for."


def _swarm_hint(snapshot: Snapshot, act: Act) -> str:
    if act.target.kind == "stack":
        return "Use `docker service update` or `docker service scale` on its services."
    key = act.target.key
    container = snapshot.containers.get(key)
    name = container.labels.get("com.docker.swarm.service.name", "") if container is not None else ""
    name = safe(name or key.rpartition("/")[2], 80)
    if act.verb in ("stop", "pause"):
        return f"`docker service scale {name}=0` ends its tasks."
    if act.verb == "remove":
        return f"Remove the service, or `docker service scale {name}=…` to have fewer tasks."
    return f"`docker service update --force {name}` replaces its tasks one by one."


async def perform(client: DockerClient, order: Order) -> Receipt:
    """Carry it out, eight at a time. Raises the one error of a single job, PlanRefused with one line a failure else."""
    act = order.act
    limit = asyncio.Semaphore(CONCURRENCY)
    failures: list[tuple[Job, DockerError]] = []

    async def one(job: Job) -> None:
        async with limit:
            try:
                await _call(client, act, job)
            except DockerError as error:
                failures.append((job, error))

    async with asyncio.TaskGroup() as group:
        for job in order.jobs:
            group.create_task(one(job))
    what = "service" if order.services else "container"
    done = _DONE[act.verb]
    if not failures:
        if not order.jobs:
            return Receipt(message=f"nothing to {act.verb}: {', '.join(order.unchanged) or act.target}")
        name = order.jobs[0].subject if len(order.jobs) == 1 else count(len(order.jobs), what)
        return Receipt(message=f"{done} {name}")
    if len(order.jobs) == 1:
        raise failures[0][1]
    worked = len(order.jobs) - len(failures)
    raise PlanRefused(
        f"{done.capitalize()} {worked} of {count(len(order.jobs), what)}.",
        details=tuple(f"{job.subject}: {error.message}" for job, error in failures),
        hint=failures[0][1].hint,
    )


async def _call(client: DockerClient, act: Act, job: Job) -> None:
    if job.service:
        await client.remove_swarm_service(job.id)
        return
    match act.verb:
        case "start":
            await client.start(job.id)
        case "stop":
            await client.stop(job.id)
        case "restart":
            await client.restart(job.id)
        case "kill":
            await client.kill(job.id, act.signal)
        case "pause":
            await client.pause(job.id)
        case "unpause":
            await client.unpause(job.id)
        case "remove":
            await client.remove(job.id, force=act.force)
        case _:
            assert_never(act.verb)


def _missing(target: Target) -> OrchtuiError:
    return NotFound(f"There is no {target} here.", hint="`orchtui ps` lists what there is.")
