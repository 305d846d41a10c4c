"""The planner, by the text of what it would do."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import inf
from typing import Any

from orchtui.core.desired import DesiredStack
from orchtui.core.identity import ENGINE, PROJECT
from orchtui.model.observed import Container, Network
from orchtui.model.snapshot import Status
from orchtui.model.spec import (
    AttachmentSpec,
    Condition,
    DependencySpec,
    MountSpec,
    NetworkSpec,
    PortSpec,
    UpdateSpec,
    VolumeSpec,
)
from tests.unit.core.stacks import CHECK, ENGINE_ID, IMAGE, NOW, Lab, service, stack

A = "shop-web-1.61616161"
B = "shop-web-1.62626262"


def settled(desired: DesiredStack) -> Lab:
    lab = Lab()
    assert lab.settle(desired).converged
    lab.text()
    return lab


def update(**fields: Any) -> tuple[DesiredStack, DesiredStack]:
    """The stack before and after a change of `web`."""
    return stack(service(**fields)), stack(service(form="b", revision=2, **fields), revision=2, serial=2, applied=2)


def fails(lab: Lab, part: str, code: int = 3) -> None:
    """Containers with `part` in their name exit at once."""
    lab.works = lambda one: (
        replace(one, state="exited", exit_code=code, finished_at=lab.now) if part in one.name else one
    )


def test_a_first_creation_makes_the_network_first_and_gates_nothing_on_readiness() -> None:
    lab = Lab()
    assert lab.settle(stack(service(replicas=2))).converged
    assert lab.text() == [
        "create-network shop_default",
        "create shop-web-1",
        "create shop-web-2",
        "start shop-web-1",
        "start shop-web-2",
    ]
    assert str(lab.look(stack(service(replicas=2)))) == ""


def test_at_most_eight_are_begun_at_once() -> None:
    lab = Lab()
    lab.step(stack(service(replicas=20)))
    lab.step(stack(service(replicas=20)))
    assert sum(one.verb == "create" for one in lab.log) == 8
    assert lab.settle(stack(service(replicas=20))).converged
    assert len(lab.names()) == 20


def test_a_missing_image_is_pulled_once_for_two_services() -> None:
    lab = Lab()
    lab.world = replace(lab.world, images={})
    desired = stack(service("a", image_id=""), service("b", image_id=""))
    lab.settle(desired)
    assert [line for line in lab.text() if line.startswith("pull")] == ["pull demo:1"]


def test_an_update_starts_first_one_slot_at_a_time() -> None:
    old, new = update(replicas=2)
    lab = settled(old)
    assert lab.settle(new).converged
    assert lab.text() == [
        f"create {B}",
        f"start {B}",
        "set-restart shop-web-1 to no",
        "stop shop-web-1",
        "remove shop-web-1",
        f"rename {B} to shop-web-1",
        "create shop-web-2.62626262",
        "start shop-web-2.62626262",
        "set-restart shop-web-2 to no",
        "stop shop-web-2",
        "remove shop-web-2",
        "rename shop-web-2.62626262 to shop-web-2",
    ]


def test_a_writer_of_a_named_volume_is_stopped_first() -> None:
    mount = MountSpec(kind="volume", target="/data", source="shop_data")
    volumes = {"data": VolumeSpec(key="data", name="shop_data")}
    old, new = (replace(one, volumes=volumes) for one in update(mounts=(mount,)))
    lab = settled(old)
    assert lab.settle(new).converged
    assert lab.text() == [
        "set-restart shop-web-1 to no",
        "stop shop-web-1",
        f"create {B}",
        f"start {B}",
        "remove shop-web-1",
        f"rename {B} to shop-web-1",
    ]


def test_parallelism_and_delay_bind_an_update() -> None:
    old, new = update(replicas=4, update=UpdateSpec(parallelism=2, delay=30.0))
    lab = settled(old)
    answer = lab.step(new)
    assert len(answer.operations) == 2
    begun = lab.now
    lab.settle(new)
    creates = [one for one in lab.text() if one.startswith("create")]
    assert len(creates) == 4
    assert lab.now - begun > 30.0
    assert lab.look(new).converged


def test_parallelism_zero_means_all_at_once() -> None:
    old, new = update(replicas=4, update=UpdateSpec(parallelism=0))
    assert len(settled(old).step(new).operations) == 4


def test_a_failing_replacement_pauses_and_the_old_one_stays() -> None:
    old, new = update(replicas=2)
    lab = settled(old)
    fails(lab, "62626262")
    answer = lab.settle(new)
    assert lab.text() == [f"create {B}", f"start {B}", f"set-restart {B} to no"]
    assert answer.settled
    assert not answer.converged
    rollout = answer.standings["web"].rollout
    assert rollout is not None
    assert (rollout.state, rollout.message) == ("paused", f"the new container {B} exited with code 3")
    lab.now += 10_000
    assert str(lab.look(new)) == ""

    # the same again is a new attempt; going back only removes what failed
    again = replace(new, serial=3, applied=3)
    lab.settle(again)
    assert lab.text() == [f"remove {B}", f"create {B}", f"start {B}", f"set-restart {B} to no"]
    assert lab.settle(replace(old, serial=4, applied=4)).converged
    assert lab.text() == [f"remove {B}"]


def test_an_unhealthy_replacement_is_stopped_and_kept() -> None:
    old, new = update(healthcheck=CHECK)
    lab = settled(old)
    lab.works = lambda one: replace(one, health="unhealthy") if "62" in one.name else one
    answer = lab.settle(new)
    assert lab.text() == [f"create {B}", f"start {B}", f"set-restart {B} to no", f"stop {B}"]
    assert answer.standings["web"].rollout is not None
    assert lab.get("shop-web-1").state == "running"


def test_a_failed_stop_first_update_brings_the_old_one_back() -> None:
    old, new = update(ports=(PortSpec(target=80, published="8080"),))
    lab = settled(old)
    fails(lab, "62626262")
    answer = lab.settle(new)
    assert lab.text()[-2:] == ["set-restart shop-web-1 to on-failure", "start shop-web-1"]
    assert lab.get("shop-web-1").state == "running"
    assert answer.settled


def test_no_progress_for_ten_minutes_pauses() -> None:
    old, new = update(healthcheck=CHECK)
    lab = settled(old)
    lab.works = lambda one: one  # probes never answer
    answer = lab.settle(new)
    assert lab.now - NOW >= 600
    assert answer.standings["web"].rollout is not None
    assert answer.standings["web"].rollout.message == "no progress for 600 s"
    assert lab.get("shop-web-1").state == "running"


def test_the_deadline_does_not_hide_what_is_wrong() -> None:
    desired = stack(service(healthcheck=CHECK))
    lab = Lab()
    lab.works = lambda one: replace(one, health="unhealthy")
    answer = lab.settle(desired)
    while lab.now - NOW < 660:
        lab.now += 60
        answer = lab.step(desired)
    assert answer.standings["web"].reason.startswith("no progress for 600 s; the new container shop-web-1 is unhealthy")


def test_a_killed_container_is_replaced_at_once_and_kept_until_then() -> None:
    desired = stack(service(replicas=2, restart="always"))
    lab = settled(desired)
    lab.kill("shop-web-1")
    assert [str(one) for one in lab.step(desired).operations] == [
        "set-restart shop-web-1 to no  (its replacement takes over)",
        f"create {A}  (shop-web-1: exit 137: killed by SIGKILL)",
    ]
    lab.step(desired)
    lab.now += 0.5
    assert lab.look(desired).operations == ()  # not ready yet: the dead one stays
    assert lab.settle(desired).converged
    assert lab.text()[2:] == [f"start {A}", "remove shop-web-1", f"rename {A} to shop-web-1"]


def test_what_docker_kill_ended_needs_no_waiting_for_dockerd() -> None:
    desired = stack(service(restart="always"))
    lab = settled(desired)
    lab.now += 10
    lab.change("shop-web-1", state="exited", exit_code=137, finished_at=lab.now)
    assert str(lab.look(desired)) == ""
    lab.world = replace(lab.world, killed=frozenset({lab.get("shop-web-1").id}))
    assert str(lab.look(desired)).splitlines()[-1].startswith("create")
    by_kill = stack(service(restart="always", stop_signal="SIGKILL"))
    assert str(lab.look(by_kill)) == ""  # it may have been a stop


def test_a_clock_that_was_set_back_keeps_nobody_waiting() -> None:
    desired = stack(service(restart="always"))
    lab = settled(desired)
    lab.now -= 7200
    assert lab.look(desired).converged
    lab.change("shop-web-1", state="exited", exit_code=137, finished_at=lab.now + 7200)
    assert lab.settle(desired).converged
    assert "create " + A in lab.text()


def test_a_container_whose_making_was_cut_short_is_made_again() -> None:
    spec = service(networks=(AttachmentSpec(network="default"), AttachmentSpec(network="back")))
    networks = {key: NetworkSpec(key=key, name=f"shop_{key}") for key in ("default", "back")}
    desired = stack(spec, networks=networks)
    lab = Lab()
    while "shop-web-1" not in lab.names():
        lab.step(desired)
    made = lab.get("shop-web-1")
    lab.change("shop-web-1", networks=made.networks[:1])
    lab.world = replace(lab.world, pending={("web", 1): inf})  # we are at it
    assert str(lab.look(desired)) == ""
    lab.world = replace(lab.world, pending={})
    assert [str(one.verb) for one in lab.look(desired).operations] == ["remove"]
    assert lab.settle(desired).converged
    assert {one.network for one in lab.get("shop-web-1").networks} == {"shop_default", "shop_back"}


def test_what_dockerd_may_restart_is_left_alone() -> None:
    desired = stack(service(restart="always"))
    lab = settled(desired)
    lab.now += 10
    lab.change("shop-web-1", state="exited", exit_code=1, finished_at=lab.now)
    answer = lab.look(desired)
    assert answer.operations == ()
    assert answer.requeue_after is not None
    assert 0 < answer.requeue_after <= 0.3
    lab.change("shop-web-1", state="restarting")
    lab.now += 100
    assert lab.look(desired).operations == ()


def test_a_removed_container_is_made_again() -> None:
    desired = stack(service(replicas=2))
    lab = settled(desired)
    lab.remove("shop-web-1")
    lab.settle(desired)
    assert lab.text() == ["create shop-web-1", "start shop-web-1"]


def test_failed_starts_are_retried_under_back_off() -> None:
    desired = stack(service())
    lab = Lab()
    lab.works = lambda one: replace(one, state="created", error="exec failed", started_at=None)
    at = [lab.now]
    for _ in range(200):
        answer = lab.step(desired)
        if any(one.verb == "start" for one in answer.operations):
            at.append(lab.now)
        lab.now += max(answer.requeue_after or 0.0, 0.0)
        if len(at) == 7:
            break
    gaps = [round(b - a) for a, b in pairwise(at[1:])]
    assert gaps == [0, 10, 20, 40, 80]
    assert answer.standings["web"].status is Status.FAILED
    assert answer.settled
    assert len(lab.names()) <= 3  # the newest, its predecessor, and one on its way out


def test_no_restart_is_honoured_and_success_completes() -> None:
    desired = stack(service(restart="no"), service("job"))
    lab = settled(desired)
    lab.now += 5
    lab.change("shop-web-1", state="exited", exit_code=1, finished_at=lab.now)
    lab.change("shop-job-1", state="exited", exit_code=0, finished_at=lab.now)
    lab.now += 5
    answer = lab.look(desired)
    assert answer.operations == ()
    assert answer.standings["web"].status is Status.FAILED
    assert answer.standings["job"].status is Status.COMPLETED


def test_success_by_a_signal_from_outside_completes_nothing() -> None:
    desired = stack(service())
    lab = settled(desired)
    lab.kill("shop-web-1")
    lab.change("shop-web-1", exit_code=0)
    lab.world = replace(lab.world, signalled=frozenset({lab.get("shop-web-1").id}))
    lab.settle(desired)
    assert f"create {A}" in lab.text()


def test_a_hold_stops_and_its_end_starts_the_same_container() -> None:
    desired = stack(service(replicas=2, restart="always"))
    lab = settled(desired)
    held = stack(service(replicas=2, restart="always", held=frozenset({1, 2})))
    answer = lab.settle(held)
    assert lab.text() == [
        "set-restart shop-web-1 to no",
        "stop shop-web-1",
        "set-restart shop-web-2 to no",
        "stop shop-web-2",
    ]
    assert answer.converged
    assert answer.holds == {"web": {1: True, 2: True}}
    assert answer.standings["web"].status is Status.STOPPED
    lab.settle(desired)
    assert lab.text() == [
        "set-restart shop-web-1 to always",
        "start shop-web-1",
        "set-restart shop-web-2 to always",
        "start shop-web-2",
    ]


def test_a_held_slot_that_somebody_starts_is_released() -> None:
    desired = stack(service(held=frozenset({1}), reached=frozenset({1})))
    lab = settled(stack(service()))
    lab.change("shop-web-1", restart_policy="no")
    answer = lab.step(desired)
    assert answer.holds == {}
    assert lab.text() == ["set-restart shop-web-1 to on-failure"]


def test_a_hold_survives_a_removal() -> None:
    lab = settled(stack(service()))
    lab.remove("shop-web-1")
    assert lab.look(stack(service(held=frozenset({1}), reached=frozenset({1})))).operations == ()


def test_a_pending_stop_is_left_alone() -> None:
    desired = stack(service(restart="always"))
    lab = settled(desired)
    lab.kill("shop-web-1")
    lab.world = replace(lab.world, pending={("web", 1): lab.now + 20})
    answer = lab.look(desired)
    assert answer.operations == ()
    assert answer.requeue_after == 20


def test_scale_down_takes_what_is_not_ready_first_then_the_highest() -> None:
    lab = settled(stack(service(replicas=4)))
    lab.change("shop-web-2", state="paused")
    lab.settle(stack(service(replicas=2)))
    assert lab.names() == ["shop-web-1", "shop-web-3"]
    lab.settle(stack(service(replicas=3)))
    assert lab.names() == ["shop-web-1", "shop-web-2", "shop-web-3"]


def test_restart_is_a_rolling_replacement() -> None:
    lab = settled(stack(service(replicas=2)))
    answer = lab.settle(stack(service(replicas=2, generation=1)))
    assert answer.converged
    lines = lab.text()
    assert lines[0] == f"create {A}-1"
    assert len([line for line in lines if line.startswith("create")]) == 2


def test_a_spec_label_of_another_version_is_recomputed() -> None:
    lab = settled(stack(service()))
    labels = {**lab.get("shop-web-1").labels, "orchtui.spec": "v0:abc"}
    lab.change("shop-web-1", labels=labels)
    known = service(known_specs={1: service().spec_hash})
    assert lab.look(stack(known)).operations == ()
    assert lab.look(stack(service())).operations != ()


def dependent(condition: Condition, **fields: Any) -> DesiredStack:
    dependency = DependencySpec(service="db", condition=condition, required=fields.pop("required", True))
    return stack(service("db", **fields), service("web", depends_on=(dependency,)))


def test_dependants_wait_until_the_dependency_is_healthy() -> None:
    desired = dependent("service_healthy", healthcheck=CHECK)
    lab = Lab(works=lambda one: one)
    for _ in range(4):
        answer = lab.step(desired)
    assert lab.names() == ["shop-db-1"]
    assert answer.standings["web"].status is Status.STARTING
    assert answer.standings["web"].reason == "waits for db to be healthy"
    assert not answer.settled
    lab.change("shop-db-1", health="healthy")
    assert lab.settle(desired).converged
    lab.change("shop-db-1", health="unhealthy")  # later troubles of the dependency do not bind any more
    lab.remove("shop-web-1")
    lab.settle(desired)
    assert "shop-web-1" in lab.names()


def test_an_unhealthy_dependency_is_given_up_unless_it_is_not_required() -> None:
    for required in (True, False):
        lab = Lab(works=lambda one: replace(one, health="unhealthy") if "db" in one.name else one)
        answer = lab.settle(dependent("service_healthy", healthcheck=CHECK, required=required))
        assert answer.settled
        assert ("shop-web-1" in lab.names()) is not required


def test_a_failed_job_lets_nothing_start() -> None:
    lab = Lab()
    fails(lab, "db")
    answer = lab.settle(dependent("service_completed_successfully", restart="no"))
    assert answer.settled
    assert lab.names() == ["shop-db-1"]
    assert answer.standings["web"].reason.startswith("waits for db: shop-db-1: exit 3")


def test_dependants_are_updated_after_their_dependency() -> None:
    lab = settled(dependent("service_started"))
    changed = {
        name: replace(one, spec_hash="v1:" + "b" * 64, revision=2)
        for name, one in dependent("service_started").services.items()
    }
    lab.settle(replace(dependent("service_started"), services=changed, applied=2))
    creates = [line for line in lab.text() if line.startswith(("create", "remove"))]
    assert creates == [
        "create shop-db-1.bbbbbbbb",
        "remove shop-db-1",
        "create shop-web-1.bbbbbbbb",
        "remove shop-web-1",
    ]


def test_down_goes_in_reverse_order_and_leaves_what_is_not_ours() -> None:
    desired = dependent("service_started")
    external = NetworkSpec(key="edge", name="edge", external=True)
    desired = replace(
        desired,
        networks={**desired.networks, "edge": external},
        volumes={"data": VolumeSpec(key="data", name="shop_data")},
    )
    lab = Lab()
    lab.world = replace(lab.world, networks=(Network(id="edge", name="edge"),))
    lab.settle(desired)
    lab.text()
    answer = lab.settle(replace(desired, removing=True))
    assert answer.gone
    assert lab.text() == [
        "set-restart shop-web-1 to no",
        "stop shop-web-1",
        "remove shop-web-1",
        "set-restart shop-db-1 to no",
        "stop shop-db-1",
        "remove shop-db-1",
        "remove-network shop_default",
    ]
    assert [one.name for one in lab.world.volumes] == ["shop_data"]
    lab.settle(replace(desired, removing=True, remove_volumes=True))
    assert lab.text() == ["remove-volume shop_data"]
    assert [one.name for one in lab.world.networks] == ["edge"]


def test_a_service_that_left_the_stack_is_removed() -> None:
    lab = settled(stack(service(), service("old")))
    lab.settle(stack(service()))
    assert lab.names() == ["shop-web-1"]


def test_somebody_elses_container_of_a_service_means_taken_over() -> None:
    desired = stack(service(replicas=2))
    lab = settled(desired)
    lab.remove("shop-web-1")
    foreign = Container(
        id="f" * 64, name="shop-web-9", image="demo:1", image_id=IMAGE.id, state="running",
        labels={PROJECT: "shop", "com.docker.compose.service": "web", "com.docker.compose.oneoff": "False"},
    )  # fmt: skip
    lab.world = replace(lab.world, containers=(*lab.world.containers, foreign))
    answer = lab.look(desired)
    assert answer.operations == ()
    assert answer.standings["web"].status is Status.TAKEN_OVER
    assert answer.standings["web"].foreign


def test_our_labels_on_another_image_are_not_ours() -> None:
    lab = settled(stack(service()))
    lab.change("shop-web-1", image_id="sha256:" + "9" * 64)
    assert lab.look(stack(service())).standings["web"].status is Status.TAKEN_OVER
    answer = lab.look(replace(stack(service()), removing=True))
    assert answer.operations == ()  # nor its network while that container is on it
    assert answer.gone


def test_only_unused_twins_of_ours_among_networks_go() -> None:
    desired = stack(service())
    lab = settled(desired)
    ours = {ENGINE: ENGINE_ID}
    twins = (
        Network(id="twin", name="shop_default", created_at=NOW + 5, labels=ours),
        Network(id="theirs", name="shop_default", created_at=NOW + 6),
    )
    lab.world = replace(lab.world, networks=(*lab.world.networks, *twins))
    assert [f"{one.verb} {getattr(one, 'id', '')}" for one in lab.look(desired).operations] == ["remove-network twin"]


def test_an_image_that_is_gone_is_said_and_not_replaced_by_another() -> None:
    lab = settled(stack(service()))
    lab.remove("shop-web-1")
    other = replace(IMAGE, id="sha256:" + "2" * 64)
    lab.world = replace(lab.world, images={"demo:1": other, other.id: other})
    answer = lab.look(stack(service()))
    assert answer.operations == ()
    assert answer.settled
    assert "is gone; demo:1 is another now" in answer.standings["web"].reason
