"""Direct verbs, planned over hand-made pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from orchtui.commands import Act, ActVerb, Target
from orchtui.core.view import build
from orchtui.docker.client import DockerClient
from orchtui.engines.acts import Order, order, perform
from orchtui.errors import DockerConflict, NotFound, NotManaged, PlanRefused, Refused
from orchtui.model.observed import Container, PortBinding, SwarmService
from orchtui.model.snapshot import Connection, Snapshot

NOW = 1_700_000_000.0
COMPOSE = {"com.docker.compose.project": "blog", "com.docker.compose.service": "app"}
SWARM = {"com.docker.swarm.service.name": "shop_web", "com.docker.stack.namespace": "shop"}
SERVICE = SwarmService(id="s1", name="shop_web", image="i", desired=2, running=2, labels=SWARM)


def container(name: str, labels: dict[str, str] | None = None, **fields: Any) -> Container:
    values: dict[str, Any] = {"id": name, "name": name, "image": "i", "image_id": "sha256:i", "state": "running"}
    return Container(**(values | {"labels": labels or {}, "inspected": True} | fields))


def picture(*containers: Container, services: tuple[SwarmService, ...] = ()) -> Snapshot:
    live = Connection(state="live", since=NOW)
    return build(
        None, host=None, connection=live, containers=containers, swarm_services=services, store_id="us", now=NOW
    )


def ordered(snapshot: Snapshot, verb: ActVerb, kind: str, key: str, **fields: Any) -> Order:
    target = Target(kind=cast(Any, kind), key=key)
    return order(snapshot, Act(verb=verb, target=target, **fields), {"shop/web": SERVICE})


BLOG = picture(
    container("a", COMPOSE, ports=(PortBinding(container_port=80, host_port=8080),)),
    container("b", COMPOSE, state="exited", exit_code=0),
    container("c", COMPOSE, state="paused"),
)


@pytest.mark.parametrize(
    ("verb", "chosen"),
    [
        ("start", ["b"]),
        ("stop", ["a", "c"]),
        ("restart", ["a", "c"]),
        ("kill", ["a", "c"]),
        ("pause", ["a"]),
        ("unpause", ["c"]),
    ],
)
def test_only_what_a_verb_changes(verb: ActVerb, chosen: list[str]) -> None:
    found = ordered(BLOG, verb, "service", "blog/app")
    assert [job.subject for job in found.jobs] == chosen
    plan = found.plan()
    assert [step.verb for step in plan.steps] == [verb] * len(chosen)
    assert len(plan.unchanged) == 3 - len(chosen)


def test_risks_and_notes() -> None:
    plan = ordered(BLOG, "stop", "stack", "blog").plan()
    assert plan.summary == "stop 2 containers"
    assert plan.risks == ("1 container will not serve meanwhile; port 8080 stops answering",)
    always = picture(container("a", restart_policy="always"))
    assert "`always`" in ordered(always, "stop", "container", "a").plan().notes[0]
    assert ordered(always, "kill", "container", "a").plan().notes == ("Docker does not restart what a person killed",)


def test_removing_what_runs_takes_force() -> None:
    with pytest.raises(PlanRefused) as caught:
        ordered(BLOG, "remove", "service", "blog/app")
    assert caught.value.details == ("a is running", "c is paused")
    with pytest.raises(PlanRefused, match="a is still running"):
        ordered(BLOG, "remove", "container", "a")
    assert len(ordered(BLOG, "remove", "service", "blog/app", force=True).jobs) == 3
    plan = ordered(BLOG, "remove", "container", "b").plan()
    assert plan.risks == ("what was written inside, outside volumes and binds, is lost",)


def test_restart_starts_what_stands_still() -> None:
    assert [job.subject for job in ordered(BLOG, "restart", "container", "b").jobs] == ["b"]
    down = picture(container("b", COMPOSE, state="exited"), container("c", COMPOSE, state="exited"))
    assert len(ordered(down, "restart", "service", "blog/app").jobs) == 2


def test_swarm_rules() -> None:
    swarm = picture(container("t", SWARM), services=(SERVICE,))
    on_tasks: tuple[ActVerb, ...] = ("start", "stop", "restart", "remove")
    for verb in on_tasks:
        with pytest.raises(Refused, match="task of a Swarm service"):
            ordered(swarm, verb, "container", "t")
    assert ordered(swarm, "kill", "container", "t").notes == ("Swarm starts another task in its place",)
    on_services: tuple[ActVerb, ...] = ("start", "stop", "restart", "kill", "pause", "unpause")
    for verb in on_services:
        with pytest.raises(Refused, match="Swarm services have no"):
            ordered(swarm, verb, "service", "shop/web")
    removal = ordered(swarm, "remove", "stack", "shop")
    assert [(job.id, job.service) for job in removal.jobs] == [("s1", True)]
    assert removal.plan().summary == "remove 1 service"
    assert removal.plan().risks == ("2 tasks on all nodes end at once",)
    with pytest.raises(Refused, match="on a manager"):
        order(swarm, Act(verb="remove", target=Target(kind="service", key="shop/web")), {})


def test_who_must_not_be_touched() -> None:
    other = picture(container("o", {"orchtui.engine": "them", "orchtui.stack": "shop", "orchtui.service": "web"}))
    for kind, key in (("container", "o"), ("service", "shop/web"), ("stack", "shop")):
        with pytest.raises(NotManaged):
            ordered(other, "stop", kind, key)
    with pytest.raises(Refused, match="not a stack"):
        ordered(picture(container("a")), "stop", "stack", "-")
    for kind in ("container", "service", "stack"):
        with pytest.raises(NotFound):
            ordered(other, "stop", kind, "nothing")


class Daemon:
    """Records verbs; those on `stubborn` containers are refused."""

    def __init__(self, *stubborn: str) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.stubborn = stubborn

    async def stop(self, id: str) -> None:
        if id in self.stubborn:
            raise DockerConflict(f"Docker refused to stop {id}: no.", hint="Try again.", status=409)
        self.calls.append(("stop", id))

    async def remove_swarm_service(self, id: str) -> None:
        self.calls.append(("remove service", id))


async def test_failures_are_told_one_by_one() -> None:
    found = ordered(BLOG, "stop", "service", "blog/app")
    good = Daemon()
    assert (await perform(cast(DockerClient, good), found)).message == "stopped 2 containers"
    assert sorted(good.calls) == [("stop", "a"), ("stop", "c")]
    with pytest.raises(PlanRefused) as partly:
        await perform(cast(DockerClient, Daemon("c")), found)
    assert partly.value.message == "Stopped 1 of 2 containers."
    assert partly.value.details == ("c: Docker refused to stop c: no.",)
    with pytest.raises(DockerConflict):
        await perform(cast(DockerClient, Daemon("a")), ordered(BLOG, "stop", "container", "a"))
    nothing = replace(found, jobs=(), unchanged=("b is exited",))
    assert (await perform(cast(DockerClient, good), nothing)).message == "nothing to stop: b is exited"


async def test_a_swarm_service_is_removed_as_a_whole() -> None:
    daemon = Daemon()
    swarm = picture(container("t", SWARM), services=(SERVICE,))
    receipt = await perform(cast(DockerClient, daemon), ordered(swarm, "remove", "service", "shop/web"))
    assert receipt.message == "removed shop_web"
    assert daemon.calls == [("remove service", "s1")]
