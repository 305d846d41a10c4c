from __future__ import annotations

from typing import Any

import pytest

from orchtui.core.problems import container_trouble, rank
from orchtui.model.observed import Container, Owner
from orchtui.model.snapshot import Connection, Problem, Rollout, Service, Stack, Status

NOW = 1_700_000_000.0
LIVE = Connection(state="live", since=NOW - 60)


def container(name: str = "web", **fields: Any) -> Container:
    values: dict[str, Any] = {"id": name, "name": name, "image": "i", "image_id": "sha256:i", "state": "running"}
    return Container(**(values | {"started_at": NOW - 3600, "inspected": True} | fields))


def service(**fields: Any) -> Service:
    values: dict[str, Any] = {"key": "shop/web", "stack": "shop", "name": "web", "owner": Owner.MANAGED, "image": "i"}
    return Service(**(values | {"status": Status.HEALTHY} | fields))


def ranked(
    *containers: Container,
    services: tuple[Service, ...] = (),
    stacks: tuple[Stack, ...] = (),
    previous: tuple[Problem, ...] = (),
    connection: Connection = LIVE,
    now: float = NOW,
) -> tuple[Problem, ...]:
    return rank(
        connection=connection,
        containers={one.id: one for one in containers},
        services={one.key: one for one in services},
        stacks={one.key: one for one in stacks},
        previous=previous,
        now=now,
    )


def titles(problems: tuple[Problem, ...]) -> list[str]:
    return [f"{problem.severity} {problem.title}" for problem in problems]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"state": "exited", "exit_code": 1},
        {"state": "exited", "exit_code": 137},
        {"state": "created"},
        {"state": "paused"},
        {"health": "starting"},
        {"restart_count": 50, "finished_at": NOW - 7200},
        {"restart_count": 5, "started_at": NOW - 300, "finished_at": NOW - 301},
        {"restart_count": 5, "started_at": NOW - 5, "finished_at": NOW - 6, "health": "healthy"},
        {"state": "exited", "exit_code": 137, "oom_killed": True, "previous": True},
    ],
)
def test_what_is_no_problem(fields: dict[str, Any]) -> None:
    assert container_trouble(container(**fields), NOW) is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"state": "restarting", "restart_count": 14, "exit_code": 1}, "3 web is crash-looping"),
        ({"state": "restarting", "restart_count": 1, "exit_code": 1}, "2 web is restarting"),
        ({"restart_count": 3, "started_at": NOW - 5, "finished_at": NOW - 7}, "3 web is crash-looping"),
        ({"state": "exited", "exit_code": 137, "oom_killed": True}, "3 web ran out of memory"),
        ({"oom_killed": True}, "2 web ran short of memory"),
        ({"health": "unhealthy"}, "2 web is unhealthy"),
        ({"state": "dead"}, "2 web is dead"),
        ({"state": "created", "error": "port is already allocated"}, "2 web could not start"),
    ],
)
def test_trouble_of_a_container(fields: dict[str, Any], expected: str) -> None:
    assert titles(ranked(container(**fields))) == [expected]


def test_worst_first_then_oldest() -> None:
    problems = ranked(
        container("a", health="unhealthy"),
        container("b", state="restarting", restart_count=9, exit_code=1, finished_at=NOW - 5),
        container("c", state="exited", oom_killed=True, exit_code=137, finished_at=NOW - 50),
        connection=Connection(state="stale", since=NOW - 20, reason="connection refused"),
    )
    assert titles(problems) == [
        "3 c ran out of memory",
        "3 Docker does not answer",
        "3 b is crash-looping",
        "2 a is unhealthy",
    ]


def test_a_lasting_problem_keeps_its_beginning_and_its_identity() -> None:
    first = ranked(container(health="unhealthy", failing_streak=3))
    again = ranked(container(health="unhealthy", failing_streak=3), previous=first, now=NOW + 60)
    assert again[0] is first[0]
    longer = ranked(container(health="unhealthy", failing_streak=4), previous=first, now=NOW + 60)
    assert longer[0].reason == "4 probes failed in a row"
    assert longer[0].since == NOW
    assert ranked(container(), previous=first) == ()


def test_a_degraded_service_is_not_told_twice() -> None:
    sick = container(health="unhealthy")
    degraded = service(status=Status.DEGRADED, reason="1 of 2 ready", desired=2, ready=1, containers=("web",))
    stack = Stack(key="shop", name="shop", owner=Owner.MANAGED, status=Status.DEGRADED, services=("shop/web",))
    assert titles(ranked(sick, services=(degraded,), stacks=(stack,))) == ["2 web is unhealthy"]
    assert titles(ranked(container(), services=(degraded,), stacks=(stack,))) == ["2 shop/web is degraded"]


def test_services_and_stacks() -> None:
    down = service(status=Status.DEGRADED, desired=2, ready=0, reason="0 of 2 ready")
    assert titles(ranked(services=(down,))) == ["3 shop/web is down"]
    failed = service(status=Status.FAILED, reason="image not found")
    assert titles(ranked(services=(failed,))) == ["3 shop/web is failed"]
    paused = Rollout(state="paused", revision=4, started_at=NOW - 9, message="2 of 3 failed")
    assert ranked(services=(service(status=Status.PAUSED, rollout=paused),)) == (
        Problem(
            severity=2, target="service:shop/web", title="the update of shop/web is paused",
            reason="2 of 3 failed", since=NOW - 9,
        ),
    )  # fmt: skip
    stack = Stack(key="shop", name="shop", owner=Owner.MANAGED, status=Status.FAILED, reason="no space")
    assert titles(ranked(stacks=(stack,))) == ["3 shop is failed"]
    assert titles(ranked(services=(service(status=Status.TAKEN_OVER),))) == ["1 shop/web was taken over"]
