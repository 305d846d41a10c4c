"""Snapshots as rows: what stands in which cell, in which order, and how columns share a width."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchtui.model.observed import Container, PortBinding
from orchtui.model.snapshot import Rollout, Service, Status
from orchtui.tui import present
from orchtui.tui.columns import GAP, Column, Listing, fit
from orchtui.tui.filters import parse
from orchtui.tui.present import View
from orchtui.tui.words import ASCII, natural_key, of_desired, ports, short_image, state_cell, status_cell
from tests.support.worlds import HOUR, NOW, container, shop, usage

WORLD = shop()
USAGE = usage(WORLD)


def cells(listing: Listing, key: str) -> dict[str, str]:
    """One row as title -> text."""
    row = next(row for row in listing.rows(NOW) if row.key == key)
    return {column.title: text for column, (text, _) in zip(listing.columns, row.cells, strict=True)}


def names(listing: Listing) -> list[str]:
    return [row.cells[0][0] for row in listing.rows(NOW)]


def container_named(name: str) -> Container:
    return next(one for one in WORLD.containers.values() if one.name == name)


def test_a_container_row() -> None:
    listing = present.containers(WORLD, USAGE, View())
    assert cells(listing, container_named("shop-web-2").id) == {
        "NAME": "shop-web-2", "STATE": "● healthy", "CPU": "37%", "MEM": "77M/256M", "RST": "", "AGE": "1h",
        "PORTS": "8081→80", "IMAGE": "shop/web:1.14.2",
    }  # fmt: skip
    assert cells(listing, container_named("shop-worker-1").id)["RST"] == "14"
    assert cells(listing, container_named("backup").id)["AGE"] == "5h", "counted from its end"


def test_a_service_row_shows_ready_of_desired_and_the_reason() -> None:
    listing = present.services(WORLD, USAGE, View())
    row = cells(listing, "shop/api")
    assert (row["READY"], row["STATUS"], row["WHY"], row["REV"]) == ("1/2", "▲ degraded", "1 of 2 unhealthy", "7")
    assert cells(listing, "blog/app")["READY"] == "1/–", "nobody wishes a number"
    assert cells(listing, "shop/web")["CPU"] == "111%", "the sum of its containers"


def test_a_rollout_says_how_far_it_is() -> None:
    old = WORLD.services["shop/web"]
    rollout = Rollout(state="progressing", revision=8, started_at=NOW, ready=1, total=3)
    new = replace(old, status=Status.UPDATING, rollout=rollout)
    world = replace(WORLD, services={**WORLD.services, "shop/web": new})
    assert cells(present.services(world, {}, View()), "shop/web")["WHY"] == "to revision 8: 1/3"


def test_problems_come_first_then_stacks_worst_first() -> None:
    keys = present.cluster(WORLD, View(sort="status")).keys
    worker, api = container_named("shop-worker-1").id, container_named("shop-api-2").id
    assert keys[:5] == (
        "#problems",
        f"problem:container:{worker} shop-worker-1 is crash-looping",
        f"#reason problem:container:{worker} shop-worker-1 is crash-looping",
        f"problem:container:{api} shop-api-2 is unhealthy",
        f"#reason problem:container:{api} shop-api-2 is unhealthy",
    )
    assert keys[5:] == (
        "#stacks",
        "all",
        "stack:shop",
        "stack:blog",
        "stack:metrics",
        "stack:-",
        "#events",
        "#event 2",
        "#event 1",
    )


def test_nothing_wrong_is_said() -> None:
    listing = present.cluster(replace(WORLD, problems=()), View())
    assert "✔ nothing is wrong" in names(listing)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web", ["shop-web-1", "shop-web-2", "shop-web-3"]),
        ("shop !web !db", ["shop-api-1", "shop-api-2", "shop-worker-1"]),
        ("state:unhealthy", ["shop-api-2"]),
        ("stack:shop service:api state:healthy", ["shop-api-1"]),
        ("owner:swarm", ["metrics_agent.1.x2f"]),
        ("label:tier=front", ["shop-db-1"]),
        ("-l tier", ["shop-db-1"]),
        ("!-l nothing stack:blog", ["blog-app-1", "blog-mysql-1"]),
        ("MYSQL", ["blog-mysql-1"]),
        ("unknown:word", []),
    ],
)
def test_filters(text: str, expected: list[str]) -> None:
    database = replace(container_named("shop-db-1"), labels={"tier": "front"})
    world = replace(WORLD, containers={**WORLD.containers, database.id: database})
    assert names(present.containers(world, {}, View(filter=parse(text)))) == expected


def test_what_is_hidden_is_said() -> None:
    listing = present.containers(WORLD, {}, View(filter=parse("nonsense"), faults=True))
    assert (len(listing), listing.total) == (0, 12)
    assert listing.empty[0][0] == "12 containers hidden by the filter and faults only"


def test_faults_and_stopped() -> None:
    assert names(present.containers(WORLD, {}, View(faults=True))) == ["shop-api-2", "shop-worker-1"]
    assert "backup" not in names(present.containers(WORLD, {}, View(stopped=False)))
    assert names(present.services(WORLD, {}, View(faults=True))) == ["shop/api", "shop/worker"]


def test_scope() -> None:
    in_stack = present.services(WORLD, {}, View(stack="blog"))
    assert names(in_stack) == ["app", "mysql"], "inside a stack its name is left out"
    assert names(present.containers(WORLD, {}, View(service="shop/api"))) == ["shop-api-1", "shop-api-2"]


@pytest.mark.parametrize(
    ("sort", "first"),
    [("name", "blog-app-1"), ("status", "shop-worker-1"), ("age", "shop-worker-1"), ("cpu", "shop-db-1")],
)
def test_sorting(sort: str, first: str) -> None:
    assert names(present.containers(WORLD, USAGE, View(sort=sort)))[0] == first
    backwards = names(present.containers(WORLD, USAGE, View(sort=sort, reverse=True)))
    assert backwards[-1] == first


def test_numbers_in_names_sort_as_numbers() -> None:
    assert sorted(["web-10", "web-9", "web-1"], key=natural_key) == ["web-1", "web-9", "web-10"]


@given(st.lists(st.text("ab01", max_size=4)))
def test_any_names_can_be_sorted_and_none_are_equal(texts: list[str]) -> None:
    assert len(set(texts)) == len(set(map(natural_key, texts)))
    assert sorted(texts, key=natural_key)[:1] == [min(texts, key=natural_key)] if texts else True


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "● running"),
        ({"health": "starting"}, "◐ starting"),
        ({"health": "unhealthy"}, "▲ unhealthy"),
        ({"state": "paused"}, "‖ paused"),
        ({"state": "exited", "exit_code": 0}, "○ exited 0"),
        ({"state": "exited", "exit_code": 2}, "✖ exited 2"),
        ({"state": "exited", "exit_code": 137, "oom_killed": True}, "✖ out of memory"),
        ({"state": "dead"}, "✖ dead"),
    ],
)
def test_states_are_a_sign_and_a_word(fields: dict[str, Any], expected: str) -> None:
    assert state_cell(container("x", **fields))[0] == expected
    assert state_cell(container("x", **fields), ASCII)[0].isascii()


@pytest.mark.parametrize("status", Status)
def test_every_status_has_a_cell(status: Status) -> None:
    assert status_cell(status, ASCII)[0][2:] == status.value.replace("_", " ")


def test_small_texts() -> None:
    assert of_desired(3, None) == "3/–"
    assert short_image("registry.example.com:5000/shop/web:1.2") == "shop/web:1.2"
    assert short_image("web@sha256:" + "ab" * 32) == "web@sha256:abababababab"
    assert short_image("sha256:" + "cd" * 32) == "cdcdcdcdcdcd"
    four_six = PortBinding(container_port=80, host_ip="0.0.0.0", host_port=8080)
    local = PortBinding(container_port=53, protocol="udp", host_ip="127.0.0.1", host_port=53)
    bare = PortBinding(container_port=9000)
    assert ports((four_six, replace(four_six, host_ip="::"), local, bare)) == "8080→80 127.0.0.1:53→53/udp 9000"


def test_rows_are_made_only_when_they_are_asked_for() -> None:
    many = {f"{n:064}": container(f"c-{n}", id=f"{n:064}") for n in range(10_000)}
    listing = present.containers(replace(WORLD, containers=many), {}, View())
    assert len(listing) == 10_000
    assert listing.make(9_999, NOW).cells[0][0] == "c-9999"


def test_ages_come_from_the_given_now() -> None:
    listing = present.containers(WORLD, {}, View())
    index = listing.keys.index(container_named("shop-worker-1").id)
    assert [listing.make(index, NOW + hours * HOUR).cells[5][0] for hours in (0, 3)] == ["12m", "3h"]


COLUMNS = present.CONTAINER_COLUMNS


@given(st.lists(st.integers(0, 80), min_size=len(COLUMNS), max_size=len(COLUMNS)), st.integers(1, 240))
def test_columns_never_overlap_nor_leave_the_width(natural: list[int], width: int) -> None:
    places = fit(COLUMNS, natural, width)
    for left, right in pairwise(places):
        assert left.start + left.width + GAP == right.start
    if places and width >= 16:
        assert places[-1].start + places[-1].width <= max(width, sum(c.least for c in COLUMNS if c.drop == 0) + GAP)
    assert all(natural[place.index] for place in places)


def test_a_narrow_table_drops_the_least_important_columns() -> None:
    listing = present.containers(WORLD, USAGE, View())
    shown = [listing.columns[place.index].title for place in fit(listing.columns, listing.natural, 60)]
    assert shown == ["NAME", "STATE", "CPU", "MEM", "AGE"]


def test_a_luxury_never_cuts_a_reason_short() -> None:
    columns = (
        Column(key="name", title="NAME", least=8, grow=True),
        Column(key="why", title="WHY", least=8, grow=True, drop=2),
        Column(key="image", title="IMAGE", least=8, grow=True, drop=6),
    )
    assert [place.index for place in fit(columns, (10, 30, 10), 48)] == [0, 1]
    assert [place.index for place in fit(columns, (10, 30, 10), 60)] == [0, 1, 2]


def test_a_service_without_containers_has_no_usage() -> None:
    lonely = Service(key="a/b", stack="a", name="b", owner=WORLD.services["shop/web"].owner, image="x",
                     status=Status.SCALED_TO_ZERO, desired=0)  # fmt: skip
    row = cells(present.services(replace(WORLD, services={"a/b": lonely}), USAGE, View()), "a/b")
    assert (row["READY"], row["CPU"], row["MEM"], row["AGE"]) == ("0/0", "–", "–", "–")
