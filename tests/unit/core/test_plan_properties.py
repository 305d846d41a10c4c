"""What holds for the planner whatever the world looks like."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orchtui.core.desired import DesiredStack
from orchtui.core.identity import PROJECT, container_labels, final_name, is_ours, is_wanted_form
from orchtui.core.restart import Policy
from orchtui.core.world import World
from orchtui.model.observed import Attachment, Container, Network
from orchtui.model.spec import PortSpec, UpdateSpec
from tests.unit.core.stacks import ENGINE_ID, IMAGE, NOW, Lab, service, stack

FORMS = {form: service(form=form) for form in "abc"}


def existing(index: int, *, form: str, slot: int, mine: bool, **state: Any) -> Container:
    """A container of any form in any state, ours or an unrelated one of another project."""
    labels = container_labels(stack(), FORMS[form], slot=slot, image_id=IMAGE.id, policy=Policy(name="on-failure"))
    return Container(
        id=f"{index:064x}",
        image="demo:1",
        image_id=IMAGE.id,
        labels=labels if mine else {PROJECT: "other"},
        networks=(Attachment(network="shop_default", network_id="net"),),
        **{"created_at": NOW - 1000 + index, "restart_policy": "on-failure", **state},
    )


@st.composite
def containers(draw: st.DrawFn) -> tuple[Container, ...]:
    found: list[Container] = []
    for index in range(draw(st.integers(0, 7))):
        state = draw(st.sampled_from(["running", "running", "exited", "created", "paused", "dead"]))
        slot = draw(st.integers(1, 5))
        final, mine = draw(st.booleans()), draw(st.integers(0, 5)) > 0
        taken = {one.name for one in found}
        name = final_name("shop", "web", slot)
        if not mine:  # with a name of ours Docker would refuse, and a person has to help
            name = f"other-{index}"
        elif not final or name in taken:
            name = f"{name}.{index}"
        found.append(
            existing(
                index,
                form=draw(st.sampled_from("abc")),
                slot=slot,
                mine=mine,
                name=name,
                state=state,
                health=draw(st.sampled_from(["none", "healthy"])) if state == "running" else "none",
                started_at=None if state == "created" else NOW - 900 + index,
                finished_at=NOW - 100 if state in ("exited", "dead") else None,
                exit_code=draw(st.sampled_from([1, 137])) if state in ("exited", "dead") else None,
                restart_policy=draw(st.sampled_from(["on-failure", "no"])),
            )
        )
    return tuple(found)


@st.composite
def wishes(draw: st.DrawFn) -> DesiredStack:
    return stack(
        service(
            form=draw(st.sampled_from("abc")),
            replicas=draw(st.integers(0, 5)),
            update=UpdateSpec(parallelism=draw(st.integers(0, 3)), delay=draw(st.sampled_from([0.0, 5.0]))),
            ports=draw(st.sampled_from([(), (PortSpec(target=80, published="8000-8010"),), (PortSpec(target=80),)])),
        )
    )


def lab_with(found: tuple[Container, ...]) -> Lab:
    network = Network(id="net", name="shop_default")
    # Nobody but a person ends a pause; here somebody does.
    return Lab(
        world=World(containers=found, networks=(network,), images={"demo:1": IMAGE, IMAGE.id: IMAGE}),
        works=lambda one: replace(one, state="running") if one.state == "paused" and is_ours(one, ENGINE_ID) else one,
    )


@settings(max_examples=150, deadline=None)
@given(containers(), wishes())
def test_every_world_converges_to_exactly_what_is_wished(found: tuple[Container, ...], desired: DesiredStack) -> None:
    found = tuple(replace(one, state="running") if one.state == "paused" else one for one in found)
    lab = lab_with(found)
    answer = lab.settle(desired)
    assert answer.converged, answer
    ours = [one for one in lab.world.containers if is_ours(one, ENGINE_ID)]
    wanted = desired.services["web"]
    assert len(ours) == wanted.replicas
    for one in ours:
        assert is_wanted_form(one, wanted)
        assert one.state == "running"
        assert one.restart_policy == "on-failure"
        assert one.name == final_name("shop", "web", int(one.labels["orchtui.slot"]))
    assert lab.look(desired).operations == ()
    assert lab.look(desired).converged


@settings(max_examples=100, deadline=None)
@given(containers(), wishes(), st.booleans())
def test_what_is_not_ours_is_never_touched(found: tuple[Container, ...], desired: DesiredStack, removing: bool) -> None:
    lab = lab_with(found)
    strangers = [one for one in found if not is_ours(one, ENGINE_ID)]
    for _ in range(12):
        answer = lab.step(replace(desired, removing=removing))
        lab.now += answer.requeue_after or 0.0
    assert [one for one in lab.world.containers if not is_ours(one, ENGINE_ID)] == strangers


@settings(max_examples=100, deadline=None)
@given(containers())
def test_down_leaves_nothing_of_ours(found: tuple[Container, ...]) -> None:
    lab = lab_with(found)
    answer = lab.settle(replace(stack(service(replicas=3)), removing=True))
    assert answer.gone
    assert not [one for one in lab.world.containers if is_ours(one, ENGINE_ID)]


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 6), wishes(), st.integers(0, 400))
def test_a_start_first_update_never_has_fewer_ready_than_wished(
    replicas: int, desired: DesiredStack, killed_after: int
) -> None:
    """Also when the engine is killed in the middle and another one goes on with only the store's records."""
    web = replace(desired.services["web"], replicas=replicas)
    desired = replace(desired, services={"web": web})
    lab = Lab()
    lab.settle(replace(desired, services={"web": replace(web, spec_hash=FORMS["a"].spec_hash.replace("61", "7a"))}))
    lab.now += 100

    def watch(world: World) -> None:
        ready = [
            one
            for one in world.containers
            if one.state == "running" and lab.now - (one.started_at or 0.0) >= web.spec.ready_after
        ]
        assert len(ready) >= replicas, [str(one) for one in lab.log[-5:]]

    lab.watch = watch
    for _ in range(killed_after % 40):
        answer = lab.step(replace(desired, applied=2))
        lab.now += (answer.requeue_after or 0.0) if not answer.operations else 0.0
    assert lab.settle(replace(desired, applied=2)).converged


@settings(max_examples=60, deadline=None)
@given(containers(), wishes(), st.lists(st.integers(0, 30), max_size=4))
def test_it_converges_whatever_is_lost_on_the_way(
    found: tuple[Container, ...], desired: DesiredStack, losses: list[int]
) -> None:
    """Containers vanish between passes, as with `docker rm -f`; only part of a pass is carried out, as with kill -9."""
    lab = lab_with(tuple(replace(one, state="running") if one.state == "paused" else one for one in found))
    for loss in losses:
        answer = lab.look(desired)
        for operation in answer.operations[: loss % 3]:
            lab.do(operation)
        ours = [one for one in lab.world.containers if is_ours(one, ENGINE_ID)]
        if ours:
            lab.remove(ours[loss % len(ours)].name)
        lab.now += 2
    assert lab.settle(desired).converged
