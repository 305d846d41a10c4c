"""The preview: the same planner, told as a Plan."""

from __future__ import annotations

from dataclasses import replace

from orchtui.core.changes import tree_changes
from orchtui.core.forecast import forecast
from orchtui.core.redact import MASK
from orchtui.model.spec import DependencySpec, MountSpec, UpdateSpec, VolumeSpec
from tests.unit.core.stacks import CHECK, NOW, Lab, service, stack


def test_a_first_up_is_told_in_order_with_what_is_assumed() -> None:
    dependency = DependencySpec(service="db", condition="service_healthy")
    desired = stack(
        service("db", healthcheck=CHECK, restart="unless-stopped"), service("web", depends_on=(dependency,))
    )
    plan = forecast(desired, Lab().world, {}, NOW)
    assert [str(step) for step in plan.steps] == [
        "create-network shop_default  (stack shop needs it)",
        "create shop-db-1  (slot 1 of db is empty)",
        "start shop-db-1  (slot 1 of db is wanted)",
        "create shop-web-1  (slot 1 of web is empty)",
        "start shop-web-1  (slot 1 of web is wanted)",
    ]
    assert plan.summary == "shop: create 2 containers"
    assert plan.risks == ()
    assert plan.notes == (
        "db: `unless-stopped` becomes Docker policy always, which survives a crash of dockerd",
        "web has no `restart`: exit 0 completes it, a failure restarts it (Docker policy on-failure)",
    )


def test_jobs_complete_in_the_forecast() -> None:
    dependency = DependencySpec(service="job", condition="service_completed_successfully")
    plan = forecast(stack(service("job"), service("web", depends_on=(dependency,))), Lab().world, {}, NOW)
    assert [step.subject for step in plan.steps if step.verb == "start"] == ["shop-job-1", "shop-web-1"]
    assert any("job is a job" in note for note in plan.notes)


def test_an_update_names_what_stays_and_what_is_at_risk() -> None:
    mount = MountSpec(kind="volume", target="/data", source="shop_data")
    volumes = {"data": VolumeSpec(key="data", name="shop_data")}
    lab = Lab()
    lab.settle(stack(service("db", mounts=(mount,)), service("web"), volumes=volumes))
    new = stack(service("db", form="b", mounts=(mount,)), service("web"), volumes=volumes, applied=2)
    plan = forecast(new, lab.world, lab.rollouts, lab.now)
    assert plan.summary == "shop: replace 1 container"
    assert plan.unchanged == ("web",)
    assert plan.risks == (
        "db: downtime while it is replaced, stop first: two containers would write to the volume shop_data",
    )


def test_a_slow_update_is_forecast_to_its_end() -> None:
    lab = Lab()
    lab.settle(stack(service(replicas=3)))
    update = UpdateSpec(delay=3600.0)
    plan = forecast(stack(service(form="b", replicas=3, update=update), applied=2), lab.world, lab.rollouts, lab.now)
    assert [step.verb for step in plan.steps].count("rename") == 3
    assert plan.risks == ()


def test_nothing_to_do_is_an_empty_plan() -> None:
    lab = Lab()
    lab.settle(stack(service()))
    plan = forecast(stack(service(), applied=2), lab.world, lab.rollouts, lab.now)
    assert plan.empty
    assert plan.summary == "shop: nothing to do"
    assert plan.unchanged == ("web",)


def test_down_and_scale_to_zero_are_risks() -> None:
    volumes = {"data": VolumeSpec(key="data", name="shop_data")}
    lab = Lab()
    lab.settle(stack(service(replicas=2), volumes=volumes))
    down = replace(stack(service(replicas=2), volumes=volumes), removing=True, remove_volumes=True)
    plan = forecast(down, lab.world, lab.rollouts, lab.now)
    assert plan.risks == (
        "shop stops serving: 2 running containers removed",
        "the volume shop_data is deleted with all its data",
    )
    assert plan.summary == "shop: remove 2 containers"
    zero = forecast(stack(service(replicas=0), volumes=volumes), lab.world, lab.rollouts, lab.now)
    assert zero.risks == ("web stops serving: it is scaled to 0",)


def test_changes_are_found_raw_and_shown_masked() -> None:
    old = {
        "services": {
            "web": {"image": "a:1", "environment": {"PASSWORD": "one-secret", "A": "1"}},
            "old": {"image": "o"},
        }
    }
    new = {
        "services": {
            "web": {"image": "a:2", "environment": {"PASSWORD": "two-secret", "A": "1"}},
            "new": {"image": "n"},
        }
    }
    changes = tree_changes(old, new)
    assert [(one.subject, one.field, one.old, one.new) for one in changes] == [
        ("new", "", "", "n"),
        ("old", "", "o", ""),
        ("web", "environment.PASSWORD", MASK, MASK),
        ("web", "image", "a:1", "a:2"),
    ]
