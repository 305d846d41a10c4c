"""Snapshots as changes: any walk through snapshots arrives as it was, and what did not change keeps its identity."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchtui.api import delta
from orchtui.errors import EngineUnavailable
from orchtui.model.observed import Container, Network
from orchtui.model.snapshot import Connection, Event, Problem, Snapshot

LIVE = Connection(state="live", since=1.0)


def container(key: str, state: int = 0) -> Container:
    return Container(
        id=key, name=f"n{key}", image="i", image_id="sha256:1", state="running", restart_count=state, labels={"k": key}
    )


def snapshot(seq: int, **collections: object) -> Snapshot:
    return replace(Snapshot(seq=seq, at=float(seq), connection=LIVE), **collections)  # type: ignore[arg-type]


def event(number: int) -> Event:
    return Event(id=number, at=float(number), subject="s", text="t")


KEYS = st.lists(st.sampled_from("abcdef"), unique=True, max_size=6)
STATES = st.integers(0, 2)
CONTAINERS = KEYS.flatmap(
    lambda keys: st.tuples(*[STATES for _ in keys]).map(
        lambda states: {key: container(key, state) for key, state in zip(keys, states, strict=True)}
    )
)
EVENTS = st.tuples(st.integers(0, 8), st.integers(0, 8), st.booleans()).map(
    lambda bounds: tuple(event(number) for number in range(bounds[0], bounds[0] + bounds[1]))[:: -1 if bounds[2] else 1]
)
PROBLEMS = st.lists(st.builds(Problem, title=st.sampled_from("xy"), reason=st.just("")), max_size=2).map(tuple)
CHANGES = st.lists(st.tuples(CONTAINERS, EVENTS, PROBLEMS), min_size=1, max_size=5)


@settings(max_examples=200, deadline=None)
@given(CHANGES)
def test_a_walk_through_snapshots_arrives_as_it_was(
    walk: list[tuple[dict[str, Container], tuple[Event, ...], tuple[Problem, ...]]],
) -> None:
    sent: Snapshot | None = None
    received: Snapshot | None = None
    for seq, (containers, events, problems) in enumerate(walk):
        new = snapshot(seq, containers=containers, events=events, problems=problems)
        received = delta.apply(received, delta.decode(delta.encode(sent, new)))
        assert received == new
        assert list(received.containers) == list(new.containers)
        sent = new


def test_only_what_changed_is_sent_and_replaced() -> None:
    first = snapshot(1, containers={key: container(key) for key in "abc"}, networks={"n": Network(id="n", name="n")})
    second = replace(first, seq=2, containers={**first.containers, "b": container("b", 1)})
    message = delta.difference(first, second)
    assert message.networks is None
    assert message.containers is not None
    assert set(message.containers.put) == {"b"}
    assert message.containers.order is None

    seen = delta.apply(None, delta.decode(delta.encode(None, first)))
    after = delta.apply(seen, delta.decode(delta.encode(first, second)))
    assert after.containers["a"] is seen.containers["a"]
    assert after.networks is seen.networks
    assert after.connection is seen.connection
    assert after.containers["b"].restart_count == 1


def test_equal_copies_are_not_sent_again() -> None:
    first = snapshot(1, containers={"a": container("a")}, events=(event(1),))
    second = snapshot(2, containers={"a": container("a")}, events=(event(1),))
    message = delta.difference(first, second)
    assert message.containers is None
    assert message.events is None
    assert message.problems is None


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_full_event_log_sends_the_new_line_only(newest_first: bool) -> None:
    step = -1 if newest_first else 1
    old, new = tuple(map(event, range(100)))[::step], tuple(map(event, range(1, 101)))[::step]
    change = delta.difference(snapshot(1, events=old), snapshot(2, events=new)).events
    assert change is not None
    assert (*change.before, *change.after) == (event(100),)


def test_a_whole_snapshot_after_a_reconnect_keeps_what_is_equal() -> None:
    known = snapshot(7, containers={"a": container("a"), "b": container("b")})
    fresh = snapshot(1, containers={"a": container("a"), "b": container("b", 1)})
    after = delta.apply(known, delta.decode(delta.encode(None, fresh)))
    assert after == fresh
    assert after.containers["a"] is known.containers["a"]


def test_a_change_of_another_base_is_refused() -> None:
    message = delta.difference(snapshot(1), snapshot(2))
    for base in (None, snapshot(5)):
        with pytest.raises(EngineUnavailable):
            delta.apply(base, message)
