"""Spec hashes, labels and names."""

from __future__ import annotations

from typing import Any

import pytest

from orchtui.core.identity import (
    SPEC_VERSION,
    container_labels,
    is_ours,
    is_wanted_form,
    replacement_name,
    same_identity,
    spec_hash,
)
from orchtui.core.restart import Policy, backoff, judge, parse_policy, policy
from orchtui.model.observed import Container
from orchtui.model.spec import DependencySpec, ServiceSpec
from tests.unit.core.stacks import ENGINE_ID, IMAGE, NOW, service, stack


def tree(**web: Any) -> dict[str, Any]:
    return {
        "name": "shop",
        "services": {"web": {"image": "demo:1", "networks": {"default": None}, **web}},
        "networks": {"default": {"name": "shop_default"}},
    }


def test_the_hash_is_stable() -> None:
    """Recorded: a change of this value would replace every container of every user."""
    assert spec_hash(tree(), "web") == "v1:18c614ebdf5bb7736fbc4da1dce77bb4d084648561222b96bebdc54f54cb9a13"


@pytest.mark.parametrize(
    "same",
    [
        {"deploy": {"replicas": 3}},
        {"deploy": {"update_config": {"order": "stop-first"}}},
        {"scale": 3},
        {"depends_on": {"db": {"condition": "service_started"}}},
        {"profiles": ["x"]},
        {"x-orchtui": {"ready_after": "5s"}},
    ],
)
def test_what_says_how_many_and_when_is_not_in_it(same: dict[str, Any]) -> None:
    assert spec_hash(tree(**same), "web") == spec_hash(tree(), "web")


@pytest.mark.parametrize(
    "other",
    [
        {"image": "demo:2"},
        {"environment": {"A": "1"}},
        {"deploy": {"resources": {"limits": {"cpus": 1}}}},
        {"labels": {"a": "b"}},
        {"restart": "always"},
    ],
)
def test_all_else_is(other: dict[str, Any]) -> None:
    assert spec_hash(tree(**other), "web") != spec_hash(tree(), "web")


def test_real_names_of_what_it_uses_are_in_it_and_others_not() -> None:
    renamed = tree() | {"networks": {"default": {"name": "other"}}}
    assert spec_hash(renamed, "web") != spec_hash(tree(), "web")
    unused = tree()
    unused["networks"]["more"] = {"name": "shop_more"}
    assert spec_hash(unused, "web") == spec_hash(tree(), "web")


def test_labels_are_complete_and_say_what_is_ours() -> None:
    web = service(depends_on=(DependencySpec(service="db", condition="service_healthy", restart=True),))
    labels = container_labels(
        stack(web, config_files=("/a.yaml", "/b.yaml"), working_dir="/"),
        web,
        slot=2,
        image_id=IMAGE.id,
        policy=Policy(),
    )
    assert labels["com.docker.compose.depends_on"] == "db:service_healthy:true"
    assert labels["com.docker.compose.project.config_files"] == "/a.yaml,/b.yaml"
    assert len(labels["com.docker.compose.config-hash"]) == 64
    assert labels["com.docker.compose.container-number"] == labels["orchtui.slot"] == "2"
    one = Container(id="x", name="x", image="demo:1", image_id=IMAGE.id, state="running", labels=labels)
    assert is_ours(one, ENGINE_ID)
    assert is_wanted_form(one, web)
    assert not is_ours(one, "another")
    assert same_identity(labels, labels)
    assert not same_identity(labels, labels | {"orchtui.slot": "3"})


def test_a_replacement_name_avoids_those_in_use() -> None:
    web = service()
    base = f"shop-web-1.{web.spec_hash.removeprefix(SPEC_VERSION)[:8]}"
    assert replacement_name("shop", web, 1, frozenset()) == base
    assert replacement_name("shop", web, 1, frozenset({base})) == f"{base}.2"
    assert replacement_name("shop", service(generation=3), 1, frozenset()) == f"{base}-3"


def test_restart_policies() -> None:
    def of(restart: Any, *, job: bool = False, attempts: int | None = None) -> str:
        return str(policy(ServiceSpec(name="a", image="b", restart=restart, restart_max_attempts=attempts), job=job))

    assert [of(one) for one in (None, "no", "on-failure", "always", "unless-stopped")] == [
        "on-failure", "no", "on-failure", "always", "always",
    ]  # fmt: skip
    assert of("always", job=True) == "on-failure"
    assert of("on-failure", attempts=3) == "on-failure:3"
    assert str(parse_policy("on-failure:3")) == "on-failure:3"
    assert str(parse_policy("nonsense")) == "no"
    assert [backoff(count) for count in range(9)] == [0, 0, 10, 20, 40, 80, 160, 300, 300]


def test_an_exhausted_on_failure_stays_down() -> None:
    one = Container(
        id="x", name="x", image="demo:1", image_id=IMAGE.id, state="exited", exit_code=1, restart_count=3,
        restart_policy="on-failure", started_at=NOW - 60, finished_at=NOW - 30, created_at=NOW - 90,
    )  # fmt: skip
    limited = Policy(name="on-failure", max_retries=3)
    assert judge(one, limited, failures=0, interrupted=False, now=NOW).verdict == "failed"
    assert judge(one, Policy(name="on-failure"), failures=0, interrupted=False, now=NOW).verdict == "replace"
