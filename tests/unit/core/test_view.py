from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchtui.core.view import build
from orchtui.model.history import ServiceStanding, StackStanding
from orchtui.model.observed import Container, Network, Owner, PortBinding, SwarmService, Volume
from orchtui.model.snapshot import Connection, Event, Rollout, Snapshot, Status

NOW = 1_700_000_000.0
LIVE = Connection(state="live", since=NOW - 60)
OURS = "11111111-2222-3333-4444-555555555555"


def container(name: str, labels: Mapping[str, str] | None = None, **fields: Any) -> Container:
    values: dict[str, Any] = {
        "id": name, "name": name, "image": "busybox", "image_id": "sha256:i", "state": "running",
        "created_at": NOW - 3600, "started_at": NOW - 3600, "labels": labels or {}, "inspected": True,
    }  # fmt: skip
    return Container(**(values | fields))


def managed(name: str, stack: str, service: str, slot: int, *, engine: str = OURS, **fields: Any) -> Container:
    labels = {
        "orchtui.engine": engine, "orchtui.stack": stack, "orchtui.service": service, "orchtui.slot": str(slot),
        "orchtui.revision": "4", "com.docker.compose.project": stack, "com.docker.compose.service": service,
    }  # fmt: skip
    return container(name, labels, **fields)


def compose(name: str, project: str, service: str, **fields: Any) -> Container:
    labels = {"com.docker.compose.project": project, "com.docker.compose.service": service}
    return container(name, labels | fields.pop("more", {}), **fields)


def swarm(name: str, service: str, stack: str = "", **fields: Any) -> Container:
    labels = {"com.docker.swarm.service.name": service, "com.docker.swarm.task.name": name}
    if stack:
        labels["com.docker.stack.namespace"] = stack
    return container(name, labels, **fields)


def standing(name: str, **services: int | ServiceStanding) -> StackStanding:
    wished = {
        key: value if isinstance(value, ServiceStanding) else ServiceStanding(desired=value)
        for key, value in services.items()
    }
    return StackStanding(name=name, revision=4, serial=2, settled=1, services=wished)


def picture(*containers: Container, previous: Snapshot | None = None, now: float = NOW, **fields: Any) -> Snapshot:
    standings: Iterable[StackStanding] = fields.pop("standings", ())
    return build(
        previous,
        **(
            {
                "host": None, "connection": LIVE, "containers": containers, "store_id": OURS, "now": now,
                "standings": {one.name: one for one in standings},
            }
            | fields
        ),
    )  # fmt: skip


def placed(snapshot: Snapshot) -> dict[str, str]:
    return {one.name: f"{one.owner} {one.stack}/{one.service}" for one in snapshot.containers.values()}


def test_owners_in_their_order() -> None:
    everything = {
        "orchtui.engine": OURS, "orchtui.stack": "a", "orchtui.service": "b",
        "com.docker.swarm.service.name": "c_d", "com.docker.stack.namespace": "c",
        "com.docker.compose.project": "e", "com.docker.compose.service": "f",
    }  # fmt: skip
    others = {key: value for key, value in everything.items() if not key.startswith("orchtui")}
    projects = {key: value for key, value in others.items() if "compose" in key}
    snapshot = picture(
        container("one", everything),
        container("two", everything | {"orchtui.engine": "someone", "orchtui.stack": "x"}),
        container("three", others),
        container("four", projects),
        container("five"),
    )
    assert placed(snapshot) == {
        "one": "managed a/b",
        "two": "other_engine x/b",
        "three": "swarm c/d",
        "four": "compose e/f",
        "five": "plain -/five",
    }
    assert {key: stack.owner for key, stack in snapshot.stacks.items()} == {
        "a": Owner.MANAGED, "c": Owner.SWARM, "e": Owner.COMPOSE, "x": Owner.OTHER_ENGINE, "-": Owner.PLAIN,
    }  # fmt: skip


def test_without_a_store_what_orchtui_made_is_another_engine_s() -> None:
    assert placed(picture(managed("a", "shop", "web", 1), store_id="")) == {"a": "other_engine shop/web"}


def test_a_shared_name_is_told_apart_by_class() -> None:
    snapshot = picture(
        managed("a", "shop", "web", 1, engine="someone"),
        swarm("shop_web.1.x", "shop_web", "shop"),
        compose("c", "blog", "app"),
        swarm("blog_app.1.x", "blog_app", "blog"),
        standings=[standing("shop", web=1)],
    )
    assert sorted(snapshot.stacks) == ["compose:blog", "other:shop", "shop", "swarm:blog", "swarm:shop"]
    assert snapshot.stacks["swarm:shop"].name == "shop"
    assert snapshot.stacks["swarm:shop"].services == ("swarm:shop/web",)
    assert snapshot.stacks["shop"].owner is Owner.MANAGED


def test_plain_containers_are_one_service_each() -> None:
    snapshot = picture(container("b"), container("a", state="exited", exit_code=3))
    assert snapshot.stacks["-"].services == ("-/a", "-/b")
    assert snapshot.services["-/a"].status is Status.STOPPED
    assert snapshot.services["-/a"].reason == "exit 3: failed"
    assert snapshot.services["-/b"].status is Status.HEALTHY
    assert snapshot.services["-/b"].desired is None
    assert snapshot.problems == ()


def test_swarm_services_without_a_stack() -> None:
    snapshot = picture(swarm("web.1.abc", "web"), container("web"))
    assert sorted(snapshot.services) == ["-/web", "swarm:-/web"]
    assert snapshot.containers["web.1.abc"].slot == 1


def test_swarm_services_come_from_the_manager() -> None:
    reported = SwarmService(
        id="s", name="shop_web", image="web:2", desired=3, running=2, labels={"com.docker.stack.namespace": "shop"},
        created_at=1.0, updated_at=2.0, update_state="paused", update_message="task failed",
    )  # fmt: skip
    elsewhere = replace(reported, id="t", name="shop_api", desired=2, running=2, update_state="")
    snapshot = picture(swarm("shop_web.2.x", "shop_web", "shop"), swarm_services=[reported, elsewhere])
    web, api = snapshot.services["shop/web"], snapshot.services["shop/api"]
    assert (web.desired, web.running, web.ready, web.status) == (3, 2, 2, Status.DEGRADED)
    assert web.rollout == Rollout(state="paused", revision=0, started_at=2.0, ready=2, total=3, message="task failed")
    assert (api.status, api.containers, api.image) == (Status.HEALTHY, (), "web:2")
    assert [problem.title for problem in snapshot.problems] == ["the update of shop/web is paused"]


def test_managed_counts() -> None:
    snapshot = picture(
        managed("a", "shop", "web", 1, health="healthy"),
        managed("b", "shop", "web", 2, health="unhealthy", failing_streak=3),
        managed("c", "shop", "web", 3, state="exited", exit_code=1),
        standings=[standing("shop", web=3)],
    )
    web = snapshot.services["shop/web"]
    assert (web.desired, web.running, web.ready, web.unhealthy) == (3, 2, 1, 1)
    assert (web.status, web.reason) == (Status.DEGRADED, "1 of 3 unhealthy: 3 probes failed in a row")
    assert web.revision == 4
    shop = snapshot.stacks["shop"]
    assert (shop.status, shop.revision, shop.serial, shop.settled) == (Status.DEGRADED, 4, 2, 1)
    assert shop.reason == "web: 1 of 3 unhealthy: 3 probes failed in a row"


@pytest.mark.parametrize(
    ("containers", "desired", "status", "reason"),
    [
        ([{}], 1, Status.HEALTHY, ""),
        ([{}], 0, Status.UPDATING, "1 still running"),
        ([], 0, Status.SCALED_TO_ZERO, ""),
        ([], 2, Status.DEGRADED, "0 of 2 ready"),
        ([{}], 2, Status.DEGRADED, "1 of 2 ready"),
        ([{}, {"state": "exited", "exit_code": 143}], 2, Status.DEGRADED, "1 of 2 ready; exit 143: ended by SIGTERM"),
        ([{}, {"health": "starting"}], 2, Status.STARTING, "1 of 2 ready"),
        ([{}, {"state": "created", "created_at": NOW - 1}], 2, Status.STARTING, "1 of 2 ready"),
        ([{}, {}], 1, Status.HEALTHY, "1 more than desired"),
        ([{"state": "restarting", "restart_count": 9, "exit_code": 1}], 1, Status.DEGRADED,
         "exit 1: failed; Docker is restarting it after 9 restarts"),
    ],
)  # fmt: skip
def test_status_by_counting(containers: list[dict[str, Any]], desired: int, status: Status, reason: str) -> None:
    members = [managed(f"c{slot}", "shop", "web", slot, **fields) for slot, fields in enumerate(containers, start=1)]
    web = picture(*members, standings=[standing("shop", web=desired)]).services["shop/web"]
    assert (web.status, web.reason) == (status, reason)


def test_what_the_reconciler_says_wins() -> None:
    wished = ServiceStanding(desired=1, status=Status.COMPLETED, reason="finished")
    snapshot = picture(standings=[standing("shop", job=wished)])
    assert (snapshot.services["shop/job"].status, snapshot.stacks["shop"].status) == (Status.COMPLETED,) * 2
    whole = replace(standing("shop", job=1), status=Status.REMOVING, reason="down", config_files=("/x.yaml",))
    stack = picture(standings=[whole]).stacks["shop"]
    assert (stack.status, stack.reason, stack.config_files) == (Status.REMOVING, "down", ("/x.yaml",))


def test_a_rollout_shows() -> None:
    moving = Rollout(state="progressing", revision=5, started_at=NOW, ready=1, total=3)
    services = {
        "web": ServiceStanding(desired=1, rollout=moving),
        "api": ServiceStanding(desired=1, rollout=replace(moving, state="paused", message="probe failed")),
    }
    whole = standing("shop", **services)
    snapshot = picture(managed("a", "shop", "web", 1), managed("b", "shop", "api", 1), standings=[whole])
    assert snapshot.services["shop/web"].status is Status.UPDATING
    assert snapshot.services["shop/web"].rollout is moving
    assert (snapshot.services["shop/api"].status, snapshot.services["shop/api"].reason) == (
        Status.PAUSED,
        "probe failed",
    )


def test_a_foreign_container_is_shown_but_not_counted() -> None:
    snapshot = picture(
        managed("shop-web-1", "shop", "web", 1),
        compose("shop-web-2", "shop", "web"),
        compose("shop-extra-1", "shop", "extra"),
        standings=[standing("shop", web=1)],
    )
    web = snapshot.services["shop/web"]
    assert (web.running, web.containers) == (1, ("shop-web-1", "shop-web-2"))
    foreign = snapshot.containers["shop-web-2"]
    assert (foreign.foreign, foreign.owner, foreign.stack) == (True, Owner.COMPOSE, "shop")
    assert snapshot.services["shop/extra"].desired is None
    assert list(snapshot.stacks) == ["shop"]


def test_copied_labels_on_another_image_are_foreign() -> None:
    ours = managed("a", "shop", "web", 1)
    copied = replace(ours, id="b", name="b", labels={**ours.labels, "com.docker.compose.image": "sha256:other"})
    snapshot = picture(ours, copied, standings=[standing("shop", web=1)])
    assert snapshot.containers["b"].foreign
    assert not snapshot.containers["a"].foreign
    assert snapshot.services["shop/web"].running == 1


def test_the_dead_predecessor_of_a_slot() -> None:
    old = managed("old", "shop", "web", 1, state="exited", exit_code=137, oom_killed=True, created_at=NOW - 900)
    new = managed("new", "shop", "web", 1)
    snapshot = picture(replace(new, created_at=NOW - 5), old, standings=[standing("shop", web=1)])
    assert snapshot.containers["old"].previous
    assert not snapshot.containers["new"].previous
    assert snapshot.services["shop/web"].status is Status.HEALTHY
    assert snapshot.problems == ()
    alive = replace(old, state="running", oom_killed=False)
    assert not picture(replace(new, created_at=NOW), alive).containers["old"].previous


def test_order() -> None:
    snapshot = picture(
        managed("shop-web-10", "shop", "web", 10),
        managed("shop-web-2", "shop", "web", 2),
        container("zz"),
        compose("b", "blog", "app"),
        managed("shop-api-1", "shop", "api", 1),
    )
    assert list(snapshot.stacks) == ["blog", "shop", "-"]
    assert list(snapshot.services) == ["blog/app", "shop/api", "shop/web", "-/zz"]
    assert list(snapshot.containers) == ["b", "shop-api-1", "shop-web-2", "shop-web-10", "zz"]


def test_ports_and_compose_files() -> None:
    port = PortBinding(container_port=80, host_ip="0.0.0.0", host_port=8080)
    more = {
        "com.docker.compose.project.config_files": "/srv/a.yaml,/srv/b.yaml",
        "com.docker.compose.project.working_dir": "/srv",
    }
    snapshot = picture(
        compose("a", "blog", "app", ports=(port,), more=more),
        compose("b", "blog", "app", ports=(port, replace(port, host_port=8079)), more=more),
        compose("c", "blog", "app", ports=(replace(port, host_port=1),), state="exited", exit_code=0, more=more),
    )
    app = snapshot.services["blog/app"]
    assert [one.host_port for one in app.ports] == [8079, 8080]
    assert (app.status, app.reason) == (Status.HEALTHY, "1 container not running")
    assert snapshot.stacks["blog"].config_files == ("/srv/a.yaml", "/srv/b.yaml")
    assert snapshot.stacks["blog"].working_dir == "/srv"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, Status.HEALTHY),
        ({"state": "paused"}, Status.PAUSED),
        ({"health": "starting"}, Status.STARTING),
        ({"health": "unhealthy"}, Status.DEGRADED),
        ({"state": "created"}, Status.STOPPED),
        ({"state": "exited", "exit_code": 1}, Status.STOPPED),
        ({"state": "dead"}, Status.DEGRADED),
        ({"state": "exited", "exit_code": 137, "oom_killed": True}, Status.DEGRADED),
    ],
)
def test_status_where_nobody_wishes(fields: dict[str, Any], status: Status) -> None:
    snapshot = picture(compose("a", "blog", "app", **fields))
    assert snapshot.services["blog/app"].status is status
    assert snapshot.stacks["blog"].status is status


def world() -> dict[str, Any]:
    return {
        "networks": [Network(id="n", name="shop_default")],
        "volumes": [Volume(name="v")],
        "standings": [standing("shop", web=2)],
        "events": (Event(id=1, at=NOW, subject="a", text="started"),),
    }


def members() -> list[Container]:
    return [
        managed("a", "shop", "web", 1, health="unhealthy"),
        managed("b", "shop", "web", 2),
        compose("c", "blog", "app"),
        container("d"),
    ]


def test_nothing_changed_is_the_very_same_snapshot() -> None:
    first = picture(*members(), **world())
    assert picture(*members(), previous=first, now=NOW + 30, **world()) is first


def test_what_did_not_change_keeps_its_identity() -> None:
    first = picture(*members(), **world())
    changed = members()
    changed[2] = replace(changed[2], state="exited", exit_code=0)
    second = picture(*changed, previous=first, now=NOW + 1, **world())
    assert second.seq == first.seq + 1
    for kind in ("containers", "services", "stacks"):
        old, new = getattr(first, kind), getattr(second, kind)
        different = {key for key in new if new[key] is not old.get(key)}
        assert different == {{"containers": "c", "services": "blog/app", "stacks": "blog"}[kind]}
    assert second.networks is first.networks
    assert second.volumes is first.volumes
    assert second.problems is first.problems
    assert second.events is first.events
    assert second.connection is first.connection


def test_going_and_coming() -> None:
    first = picture(*members())
    gone = picture(*members()[:3], previous=first)
    assert "-" not in gone.stacks
    assert "d" not in gone.containers
    assert list(picture(*members(), previous=gone).containers) == list(first.containers)


hostile = st.text(alphabet=st.characters(codec="utf-8"), max_size=8)


@given(st.lists(st.dictionaries(st.sampled_from([
    "orchtui.engine", "orchtui.stack", "orchtui.service", "orchtui.slot", "com.docker.compose.project",
    "com.docker.compose.service", "com.docker.compose.container-number", "com.docker.swarm.service.name",
    "com.docker.stack.namespace", "com.docker.swarm.task.name",
]), hostile | st.just(OURS))))  # fmt: skip
def test_whatever_the_labels_say_every_container_is_shown_once(labels: list[dict[str, str]]) -> None:
    containers = [container(f"c{index}", each) for index, each in enumerate(labels)]
    snapshot = picture(*containers)
    assert set(snapshot.containers) == {one.id for one in containers}
    listed = [id for service in snapshot.services.values() for id in service.containers]
    assert sorted(listed) == sorted(snapshot.containers)
    for service in snapshot.services.values():
        assert service.key in snapshot.stacks[service.stack].services
    assert picture(*containers, previous=snapshot, now=NOW + 1) is snapshot
    assert placed(picture(*reversed(containers))) == placed(snapshot)
