"""`orchtui status`, `ls` and `ps`: what is wrong, what runs, and where."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from orchtui.cli import names
from orchtui.cli.output import Cell, Column, Output, plain, report, stdout
from orchtui.cli.session import first_snapshot, live_snapshot, opened, run, unreachable
from orchtui.config import Settings
from orchtui.core.exits import explain
from orchtui.core.text import age, count, safe, size
from orchtui.errors import DockerError, EngineUnavailable, OrchtuiError
from orchtui.model.observed import Container, Owner, PortBinding
from orchtui.model.snapshot import Problem, Service, Snapshot, Stack, Status

HEALTHY, DEGRADED, UNREACHABLE = 0, 1, 2

_TONE: Mapping[Status, str] = {
    Status.HEALTHY: "good",
    Status.COMPLETED: "good",
    Status.DEGRADED: "bad",
    Status.FAILED: "bad",
    Status.PAUSED: "warn",
    Status.TAKEN_OVER: "warn",
    Status.STARTING: "warn",
    Status.UPDATING: "warn",
    Status.ROLLING_BACK: "warn",
    Status.REMOVING: "warn",
    Status.STOPPED: "muted",
    Status.SCALED_TO_ZERO: "muted",
}
_DEGRADED = (Status.DEGRADED, Status.FAILED)
_SEVERITY = {3: ("critical", "bad"), 2: ("error", "bad"), 1: ("warning", "warn")}
_OWNER = {Owner.MANAGED: "orchtui", Owner.OTHER_ENGINE: "other engine", Owner.PLAIN: "-"}
_SHOWN_PROBLEMS = 20


def status(arguments: argparse.Namespace, settings: Settings) -> int:
    """Exit 0 healthy, 1 degraded, 2 when Docker cannot be reached (or refuses us)."""
    try:
        snapshot = run(_look(settings))
    except (DockerError, EngineUnavailable) as error:
        return _no_docker(error, json=arguments.json)
    out = stdout()
    stale = snapshot.connection.state != "live"
    if arguments.json:
        out.json(status_document(snapshot))
    elif stale and snapshot.host is None:
        report(unreachable(snapshot))
    else:
        print_status(out, snapshot)
        if stale:
            report(unreachable(snapshot))
    if stale:
        return UNREACHABLE
    return DEGRADED if degraded(snapshot) else HEALTHY


def ls(arguments: argparse.Namespace, settings: Settings) -> int:
    snapshot = run(_live(settings))
    out = stdout()
    if arguments.json:
        out.json([stack_document(snapshot, stack) for stack in snapshot.stacks.values()])
    elif snapshot.stacks:
        print_stacks(out, snapshot)
    else:
        out.line("No stacks and no containers. `orchtui up FILE` deploys a Compose file.")
    return 0


def ps(arguments: argparse.Namespace, settings: Settings) -> int:
    snapshot = run(_live(settings))
    containers = _chosen(snapshot, arguments.targets)
    out = stdout()
    if arguments.json:
        out.json([container_document(each) for each in containers])
    elif containers:
        print_containers(out, containers, snapshot.at)
    else:
        out.line("No containers.")
    return 0


async def _look(settings: Settings) -> Snapshot:
    async with opened(settings, change=False) as engine:
        return await first_snapshot(engine)


async def _live(settings: Settings) -> Snapshot:
    async with opened(settings, change=False) as engine:
        return await live_snapshot(engine)


def _chosen(snapshot: Snapshot, wanted: Sequence[str]) -> tuple[Container, ...]:
    if not wanted:
        return names.in_order(snapshot.containers.values())
    chosen: dict[str, Container] = {}
    for name in wanted:
        for container in names.containers_of(snapshot, names.resolve(snapshot, name)):
            chosen[container.id] = container
    return tuple(chosen.values())


def _no_docker(error: OrchtuiError, *, json: bool) -> int:
    if json:
        document = {"docker": None, "healthy": False, "error": {"message": error.message, "hint": error.hint}}
        stdout().json({**document, "problems": [], "stacks": []})
    else:
        report(error)
    return UNREACHABLE


def degraded(snapshot: Snapshot) -> bool:
    """DESIGN 11, Degraded: a managed service off its counts, a container unhealthy, looping, OOM-killed or dead."""
    return any(service.status in _DEGRADED for service in snapshot.services.values()) or any(
        problem.severity >= 2 for problem in snapshot.problems
    )


def print_status(out: Output, snapshot: Snapshot) -> None:
    _print_problems(out, snapshot)
    host = snapshot.host
    if host is not None:
        where = f"Docker {safe(host.engine_version)} (API {safe(host.api_version)}) on {safe(host.name)}"
        out.line(where, "strong")
        facts = [safe(host.endpoint), f"context {safe(host.context)}"]
        if host.cpus:
            facts.append(count(host.cpus, "CPU"))
        if host.memory:
            facts.append(f"{size(host.memory)} memory")
        if host.swarm != "inactive":
            facts.append(f"swarm {host.swarm}")
        out.wrapped(", ".join(facts), indent="  ")
    out.line()
    if snapshot.stacks:
        print_stacks(out, snapshot)
    else:
        out.line("No stacks and no containers. `orchtui up FILE` deploys a Compose file.")


def _print_problems(out: Output, snapshot: Snapshot) -> None:
    problems = snapshot.problems
    if not problems:
        out.line("No problems.", "good")
        return
    out.line(f"{count(len(problems), 'problem')}:", "strong")
    columns = (
        Column(title="SEVERITY"),
        Column(title="PROBLEM", least=28),
        Column(title="WHY", least=12),
        Column(title="FOR", right=True),
    )
    rows = [_problem_row(problem, snapshot.at) for problem in problems[:_SHOWN_PROBLEMS]]
    out.table(columns, rows, indent="  ")
    if len(problems) > _SHOWN_PROBLEMS:
        out.line(f"  … and {len(problems) - _SHOWN_PROBLEMS} more; `orchtui status --json` has all of them")
    out.line()


def _problem_row(problem: Problem, now: float) -> tuple[Cell | str, ...]:
    word, tone = _SEVERITY.get(problem.severity, ("info", ""))
    since = age(now - problem.since) if problem.since else "-"
    return (Cell(word, tone), problem.title, problem.reason, since)


def problem_subject(snapshot: Snapshot, problem: Problem) -> str:
    """`container:<id>` as the container's name, the others without their kind."""
    kind, _, key = problem.target.partition(":")
    if kind == "container" and key in snapshot.containers:
        return snapshot.containers[key].name
    return key or problem.target


def print_stacks(out: Output, snapshot: Snapshot) -> None:
    columns = (
        Column(title="STACK", least=12),
        Column(title="OWNER"),
        Column(title="STATUS"),
        Column(title="SERVICES", right=True),
        Column(title="READY", right=True),
        Column(title="REVISION", right=True),
        Column(title="REASON", least=10),
    )
    rows = []
    for stack in snapshot.stacks.values():
        ready, wanted = counts(snapshot, stack)
        rows.append(
            (
                stack.key,
                Cell(_OWNER.get(stack.owner, stack.owner.value)),
                Cell(stack.status.value.replace("_", " "), _TONE[stack.status]),
                str(len(stack.services)),
                f"{ready}/{wanted}",
                str(stack.revision or "-"),
                stack.reason,
            )
        )
    out.table(columns, rows)


def counts(snapshot: Snapshot, stack: Stack) -> tuple[int, int]:
    """Ready containers of a stack, and how many are wished for (where nobody wishes: how many there are)."""
    services = [snapshot.services[key] for key in stack.services]
    return sum(each.ready for each in services), sum(_wanted(each) for each in services)


def _wanted(service: Service) -> int:
    return len(service.containers) if service.desired is None else service.desired


def print_containers(out: Output, containers: Sequence[Container], now: float) -> None:
    columns = (
        Column(title="NAME", least=12),
        Column(title="STATE", least=22),
        Column(title="HEALTH"),
        Column(title="RESTARTS", right=True),
        Column(title="AGE", right=True),
        Column(title="IMAGE", least=8),
        Column(title="PORTS", least=5),
    )
    rows = []
    for each in containers:
        words, tone = state_words(each)
        rows.append(
            (
                each.name,
                Cell(words, tone),
                Cell(each.health if each.health != "none" else "-", _health_tone(each)),
                str(each.restart_count),
                age(now - each.created_at) if each.created_at else "-",
                _image(each.image),
                ports(each.ports),
            )
        )
    out.table(columns, rows)


def state_words(container: Container) -> tuple[str, str]:
    """The state with the exit in words, and its tone."""
    notes = "".join(
        f" ({note})" for note, holds in (("previous", container.previous), ("foreign", container.foreign)) if holds
    )
    if container.state == "running":
        return container.state + notes, "good"
    if container.exit_code is None or container.state in ("paused", "created"):
        return container.state + notes, "warn"
    tone = "muted" if container.exit_code == 0 else "bad"
    words = explain(container)
    if container.state == "exited" and words.startswith("exit "):
        return f"exited {words.removeprefix('exit ')}{notes}", tone
    return f"{container.state}, {words}{notes}", tone


def _health_tone(container: Container) -> str:
    return {"healthy": "good", "unhealthy": "bad", "starting": "warn"}.get(container.health, "muted")


def _image(reference: str) -> str:
    """An image reference for a narrow column: a digest shortened, as docker does."""
    name, _, digest = reference.partition("@sha256:")
    if digest:
        return f"{name}@{digest[:8]}" if name else digest[:12]
    return reference[7:19] if reference.startswith("sha256:") else reference


def ports(bindings: Sequence[PortBinding]) -> str:
    """`8080->80` for published ports, `80` for exposed ones; the same port on IPv4 and IPv6 once."""
    words: list[str] = []
    for each in bindings:
        protocol = "" if each.protocol == "tcp" else f"/{each.protocol}"
        word = f"{each.container_port}{protocol}"
        if each.host_port is not None:
            address = "" if each.host_ip in (None, "", "0.0.0.0", "::") else f"{each.host_ip}:"
            word = f"{address}{each.host_port}->{word}"
        if word not in words:
            words.append(word)
    return ", ".join(words)


def status_document(snapshot: Snapshot) -> dict[str, Any]:
    host = snapshot.host
    connection = snapshot.connection
    error = None
    if connection.state != "live":
        error = {"message": connection.reason or "Docker cannot be reached.", "hint": connection.hint}
    return {
        "docker": None if host is None else plain(host),
        "healthy": connection.state == "live" and not degraded(snapshot),
        "error": error,
        "problems": [
            {**plain(problem), "subject": problem_subject(snapshot, problem)} for problem in snapshot.problems
        ],
        "stacks": [stack_document(snapshot, stack) for stack in snapshot.stacks.values()],
    }


def stack_document(snapshot: Snapshot, stack: Stack) -> dict[str, Any]:
    document: dict[str, Any] = plain(stack)
    document["services"] = [service_document(snapshot.services[key]) for key in stack.services]
    return document


def service_document(service: Service) -> dict[str, Any]:
    document: dict[str, Any] = plain(service)
    return document


def container_document(container: Container) -> dict[str, Any]:
    """Labels stay out: they may hold secrets, and `inspect` shows them masked."""
    document: dict[str, Any] = plain(container, omit=lambda name: name in ("labels", "inspected", "command"))
    document["exit"] = explain(container) if container.exit_code is not None else None
    return document
