"""Snapshots as rows: pure, no textual. Which rows a pane shows, in which order and columns, is decided here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from orchtui.core import text
from orchtui.model.observed import Container
from orchtui.model.snapshot import Event, Problem, Service, Snapshot, Stack, Status
from orchtui.model.usage import Usage
from orchtui.tui.columns import FIXED, Cell, Column, Listing, Row
from orchtui.tui.filters import EVERYTHING, Filter, Subject
from orchtui.tui.words import (
    FAULTY,
    OWNERS,
    STATUSES,
    UNICODE,
    Glyphs,
    cpu_cell,
    faulty,
    memory_cell,
    natural_key,
    of_desired,
    ports,
    short_image,
    since,
    state_cell,
    state_of,
    status_cell,
    widest,
)

T = TypeVar("T")
UsageMap = Mapping[str, Usage]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How a person wants to see a table. `stack` and `service` narrow it to what is selected above."""

    filter: Filter = EVERYTHING
    sort: str = "name"
    reverse: bool = False
    stopped: bool = True
    faults: bool = False
    stack: str | None = None
    service: str | None = None


# --- containers -------------------------------------------------------------------------------------------------------

_NAME = Column(key="name", title="NAME", least=20, most=48, grow=True, sort="name")
_CPU = Column(key="cpu", title="CPU", least=5, right=True, drop=3, sort="cpu")
_AGE = Column(key="age", title="AGE", least=4, right=True, drop=4, sort="age")
_PORTS = Column(key="ports", title="PORTS", least=7, most=24, grow=True, drop=6)
_IMAGE = Column(key="image", title="IMAGE", least=16, most=40, grow=True, drop=7)
CONTAINER_COLUMNS = (
    _NAME,
    Column(key="state", title="STATE", least=11, most=15, sort="status"),
    _CPU,
    Column(key="memory", title="MEM", least=5, right=True, drop=3, sort="memory"),
    Column(key="restarts", title="RST", least=3, right=True, drop=5),
    _AGE,
    _PORTS,
    _IMAGE,
)


def containers(snapshot: Snapshot, usage: UsageMap, view: View, glyphs: Glyphs = UNICODE) -> Listing:
    """The containers pane; a row's key is the container's full ID."""
    targets = frozenset(problem.target for problem in snapshot.problems)
    scope = [c for c in snapshot.containers.values() if _in_scope(c.stack, f"{c.stack}/{c.service}", view)]
    items = [
        c
        for c in scope
        if (view.stopped or c.running or faulty(c, targets))
        and (not view.faults or faulty(c, targets))
        and (not view.filter or view.filter.matches(_container_subject(c)))
    ]
    _sort(items, view, _container_orders(usage))
    limits = any(c.memory_limit for c in items)
    memory_width = 9 if limits else 5

    def make(index: int, now: float) -> Row:
        return _container_row(items[index], usage.get(items[index].id), now, glyphs)

    natural = (
        widest(c.name for c in items), widest(state_cell(c, glyphs)[0] for c in items), 5, memory_width,
        3 if any(c.restart_count for c in items) else 0, 4, widest(ports(c.ports) for c in items),
        widest(short_image(c.image) for c in items),
    )  # fmt: skip
    return Listing(
        columns=CONTAINER_COLUMNS, keys=tuple(c.id for c in items), natural=natural, make=make, total=len(scope),
        sort=view.sort, reverse=view.reverse, empty=_empty(len(scope), view, "containers"),
    )  # fmt: skip


def _container_row(container: Container, usage: Usage | None, now: float, glyphs: Glyphs) -> Row:
    running = container.state == "running"
    name_token = "muted" if container.foreign or container.previous or not container.running else ""
    return Row(
        container.id,
        (
            (container.name, name_token),
            state_cell(container, glyphs),
            cpu_cell(usage.cpu if usage and running else None, glyphs),
            memory_cell(usage.memory if usage and running else None, container.memory_limit, glyphs),
            (str(container.restart_count or ""), "warn" if container.restart_count > 2 else "muted"),
            (text.age(now - since(container)), "muted"),
            (ports(container.ports), ""),
            (short_image(container.image), "muted"),
        ),
    )


def _container_subject(container: Container) -> Subject:
    state = f"{container.state} {state_of(container)[1]} {container.health}"
    fields = {
        "state": state, "stack": container.stack, "service": container.service, "image": container.image,
        "owner": container.owner.value, "name": container.name,
    }  # fmt: skip
    lowered = {key: value.lower() for key, value in fields.items()}
    whole = " ".join((*lowered.values(), container.id, ports(container.ports)))
    return Subject(whole, lowered, (container.labels,))


def _container_orders(usage: UsageMap) -> Mapping[str, Callable[[Container], object]]:
    return {
        "status": lambda c: state_of(c)[3],
        "age": lambda c: -since(c),
        "cpu": lambda c: -((u.cpu or 0.0) if (u := usage.get(c.id)) else -1.0),
        "memory": lambda c: -(u.memory if (u := usage.get(c.id)) else -1),
        "name": lambda c: (c.stack == "-", natural_key(c.name)),
    }


# --- services ---------------------------------------------------------------------------------------------------------

SERVICE_COLUMNS = (
    _NAME,
    Column(key="status", title="STATUS", least=11, most=16, sort="status"),
    Column(key="ready", title="READY", least=5, right=True),
    _CPU,
    Column(key="memory", title="MEM", least=5, right=True, drop=3, sort="memory"),
    Column(key="revision", title="REV", least=3, right=True, drop=5),
    _AGE,
    Column(key="why", title="WHY", least=24, most=60, grow=True, drop=2),
    _PORTS,
    _IMAGE,
)


def services(snapshot: Snapshot, usage: UsageMap, view: View, glyphs: Glyphs = UNICODE) -> Listing:
    """The services pane; a row's key is the service's key. Inside one stack the stack's name is left out."""
    scope = [s for s in snapshot.services.values() if view.stack is None or s.stack == view.stack]
    items = [
        s
        for s in scope
        if (view.stopped or s.running or s.desired or s.status in FAULTY)
        and (not view.faults or s.status in FAULTY)
        and (not view.filter or view.filter.matches(_service_subject(s, snapshot)))
    ]
    sums = {s.key: _sum(s, usage) for s in items}
    _sort(items, view, _service_orders(sums))
    bare = view.stack is not None
    labels = {s.key: s.name if bare or s.stack == "-" else f"{s.stack}/{s.name}" for s in items}
    # An image's name tells less than a reason does.
    why = widest(_why(s) for s in items)

    def make(index: int, now: float) -> Row:
        one = items[index]
        return _service_row(one, labels[one.key], sums[one.key], now, glyphs)

    natural = (
        widest(labels.values()), widest(status_cell(s.status, glyphs)[0] for s in items),
        widest(of_desired(s.ready, s.desired) for s in items), 5, 5,
        3 if any(s.revision for s in items) else 0, 4, why, widest(ports(s.ports) for s in items),
        widest(short_image(s.image) for s in items),
    )  # fmt: skip
    return Listing(
        columns=SERVICE_COLUMNS, keys=tuple(s.key for s in items), natural=natural, make=make, total=len(scope),
        sort=view.sort, reverse=view.reverse, empty=_empty(len(scope), view, "services"),
    )  # fmt: skip


def _service_row(
    service: Service, label: str, total: tuple[float | None, int | None], now: float, glyphs: Glyphs
) -> Row:
    desired = service.desired
    short = desired is not None and service.ready < desired
    return Row(
        service.key,
        (
            (label, "muted" if service.status in (Status.STOPPED, Status.COMPLETED) else ""),
            status_cell(service.status, glyphs),
            (of_desired(service.ready, desired, glyphs), "warn" if short else ""),
            cpu_cell(total[0], glyphs),
            memory_cell(total[1], 0, glyphs),
            (str(service.revision or ""), "muted"),
            (text.age(now - service.updated_at) if service.updated_at else glyphs.none, "muted"),
            (_why(service), "warn" if service.status in FAULTY else "busy"),
            (ports(service.ports), ""),
            (short_image(service.image), "muted"),
        ),
    )


def _why(service: Service) -> str:
    if service.rollout is not None and service.rollout.state != "completed":
        rollout = service.rollout
        words = f"to revision {rollout.revision}: {rollout.ready}/{rollout.total}"
        return f"{words} {service.reason or rollout.message}".strip()
    return service.reason


def _sum(service: Service, usage: UsageMap) -> tuple[float | None, int | None]:
    samples = [sample for key in service.containers if (sample := usage.get(key)) is not None]
    if not samples:
        return None, None
    cpus = [sample.cpu for sample in samples if sample.cpu is not None]
    return (sum(cpus) if cpus else None), sum(sample.memory for sample in samples)


def _service_subject(service: Service, snapshot: Snapshot) -> Subject:
    members = [c for key in service.containers if (c := snapshot.containers.get(key)) is not None]
    unhealthy = " unhealthy" if service.unhealthy else ""
    fields = {
        "state": f"{service.status.value}{unhealthy}", "stack": service.stack, "service": service.name,
        "image": service.image, "owner": service.owner.value, "name": service.name,
    }  # fmt: skip
    lowered = {key: value.lower() for key, value in fields.items()}
    whole = " ".join((*lowered.values(), service.key.lower(), service.reason.lower(), ports(service.ports)))
    return Subject(whole, lowered, tuple(c.labels for c in members))


def _service_orders(
    sums: Mapping[str, tuple[float | None, int | None]],
) -> Mapping[str, Callable[[Service], object]]:
    return {
        "status": lambda s: STATUSES[s.status][2],
        "age": lambda s: -s.updated_at,
        "cpu": lambda s: -(sums[s.key][0] or 0.0),
        "memory": lambda s: -(sums[s.key][1] or 0),
        "name": lambda s: (s.stack == "-", natural_key(s.key)),
    }


# --- cluster: problems, host, stacks ----------------------------------------------------------------------------------

STACK_COLUMNS = (
    Column(key="name", title="NAME", least=10, most=40, grow=True, sort="name"),
    Column(key="status", title="STATUS", least=10, most=16, sort="status"),
    Column(key="services", title="UP", least=3, right=True),
    Column(key="owner", title="OWNER", least=7, most=12, drop=3),
    Column(key="revision", title="REV", least=3, right=True, drop=4),
)
ALL_STACKS = "all"
PROBLEM, STACK = "problem:", "stack:"
EVENTS = 40
_SEVERITY = {"info": "muted", "warning": "warn", "error": "bad"}


def cluster(snapshot: Snapshot, view: View, glyphs: Glyphs = UNICODE) -> Listing:
    """The first pane: problems, worst first, each with its reason beneath; then the stacks; then what happened.

    Keys are `problem:<target> <title>` and `stack:<key>`; `all` stands for every stack. Other rows cannot be selected.
    """
    problems = [p for p in snapshot.problems if not view.filter or view.filter.matches(_problem_subject(p))]
    stacks = [
        s
        for s in snapshot.stacks.values()
        if (not view.filter or view.filter.matches(_stack_subject(s))) and (not view.faults or s.status in FAULTY)
    ]
    _sort(stacks, view, _STACK_ORDERS)
    makers: list[Callable[[float], Row]] = []
    keys: list[str] = []

    def add(key: str, make: Callable[[float], Row]) -> None:
        keys.append(key)
        makers.append(make)

    def fixed(key: str, *cells: Cell) -> None:
        row = Row(key, cells, span=True)
        add(key, lambda now: row)

    fixed(FIXED + "problems", ("PROBLEMS", "heading"), (str(len(problems)) if problems else "", "heading"))
    for problem in problems:
        add(problem_key(problem), lambda now, problem=problem: _problem_row(problem, now, glyphs))  # type: ignore[misc]
        if problem.reason:
            fixed(f"{FIXED}reason {problem_key(problem)}", ("  " + problem.reason, "muted"))
    if not problems:
        fixed(FIXED + "none", (f"{glyphs.done} nothing is wrong", "good"))
    fixed(FIXED + "stacks", ("STACKS", "heading"), (str(len(stacks)), "heading"))
    if not view.filter and not view.faults:
        fixed(ALL_STACKS, ("all stacks", ""), (text.count(len(snapshot.services), "service"), "muted"))
    for stack in stacks:
        row = _stack_row(stack, snapshot, glyphs)
        add(STACK + stack.key, lambda now, row=row: row)  # type: ignore[misc]
    if snapshot.events:
        fixed(FIXED + "events", ("RECENTLY", "heading"), ("", ""))
    for event in reversed(snapshot.events[-EVENTS:]):
        add(f"{FIXED}event {event.id}", lambda now, event=event: _event_row(event, now))  # type: ignore[misc]
    natural = (
        widest(_stack_name(s) for s in stacks) or 1, widest(status_cell(s.status, glyphs)[0] for s in stacks),
        max((2 * len(str(len(s.services))) + 1 for s in stacks), default=3),
        widest(OWNERS[s.owner] for s in stacks), 3 if any(s.revision for s in stacks) else 0,
    )  # fmt: skip
    return Listing(
        columns=STACK_COLUMNS, keys=tuple(keys), natural=natural, make=lambda index, now: makers[index](now),
        total=len(snapshot.stacks), sort=view.sort, reverse=view.reverse,
    )  # fmt: skip


def problem_key(problem: Problem) -> str:
    return f"{PROBLEM}{problem.target} {problem.title}"


def _problem_row(problem: Problem, now: float, glyphs: Glyphs) -> Row:
    sign, token = (glyphs.bad, "bad") if problem.severity >= 3 else (glyphs.warn, "warn")
    cells = ((f"{sign} ", token), (problem.title, "strong"), (text.age(now - problem.since), "muted"))
    return Row(problem_key(problem), cells, span=True)


def _event_row(event: Event, now: float) -> Row:
    by = f" by {event.actor}" if event.actor else ""
    text_cell = (f"{event.text}{by}", _SEVERITY[event.severity])
    return Row(
        f"{FIXED}event {event.id}",
        ((f"{event.subject} ", ""), text_cell, (text.age(now - event.at), "muted")),
        span=True,
    )


def _stack_name(stack: Stack) -> str:
    return "(no stack)" if stack.key == "-" else stack.key


def _stack_row(stack: Stack, snapshot: Snapshot, glyphs: Glyphs) -> Row:
    members = [s for key in stack.services if (s := snapshot.services.get(key)) is not None]
    up = sum(s.status not in FAULTY and s.ready > 0 for s in members)
    cells = (
        (_stack_name(stack), "strong"),
        status_cell(stack.status, glyphs),
        (f"{up}/{len(members)}", "warn" if stack.status in FAULTY else ""),
        (OWNERS[stack.owner], "muted"),
        (str(stack.revision or ""), "muted"),
    )
    return Row(STACK + stack.key, cells)


def _problem_subject(problem: Problem) -> Subject:
    return Subject(f"{problem.title} {problem.reason} {problem.target}".lower(), {})


def _stack_subject(stack: Stack) -> Subject:
    fields = {"state": stack.status.value, "stack": stack.key.lower(), "owner": stack.owner.value}
    return Subject(f"{stack.key} {stack.status.value} {stack.reason} {OWNERS[stack.owner]}".lower(), fields)


_STACK_ORDERS: Mapping[str, Callable[[Stack], object]] = {
    "status": lambda s: STATUSES[s.status][2],
    "name": lambda s: (s.key == "-", natural_key(s.key)),
}


# --- shared -----------------------------------------------------------------------------------------------------------


def _in_scope(stack: str, service: str, view: View) -> bool:
    if view.service is not None:
        return service == view.service
    return view.stack is None or stack == view.stack


def _sort(items: list[T], view: View, orders: Mapping[str, Callable[[T], object]]) -> None:
    items.sort(key=orders["name"])  # type: ignore[arg-type]
    if view.sort != "name" and view.sort in orders:
        items.sort(key=orders[view.sort])  # type: ignore[arg-type]
    if view.reverse:
        items.reverse()


def _empty(total: int, view: View, noun: str) -> tuple[Cell, ...]:
    if not total:
        nothing = f"no {noun}" + ("" if view.stack or view.service else "; `orchtui up FILE` deploys a stack")
        return ((nothing, "muted"),)
    reasons = [
        word
        for word, on in (("the filter", bool(view.filter)), ("faults only", view.faults), ("stopped", not view.stopped))
        if on
    ]
    return ((f"{text.count(total, noun[:-1])} hidden by {' and '.join(reasons)}", "muted"),)
