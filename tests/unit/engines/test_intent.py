"""Stops by people, told from those by dockerd and by us."""

from __future__ import annotations

from math import inf

import pytest

from orchtui.core.identity import ENGINE, SERVICE, SLOT, STACK
from orchtui.engines.intent import PATIENCE, Intent
from orchtui.engines.lanes import backoff
from orchtui.model.observed import DockerEvent

LABELS = {ENGINE: "me", STACK: "shop", SERVICE: "web", SLOT: "1"}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def intent(clock: Clock) -> Intent:
    return Intent("me", clock)


def event(action: str, id: str = "c1", **attributes: str) -> DockerEvent:
    return DockerEvent(at=0.0, nano=0, kind="container", action=action, id=id, attributes={**LABELS, **attributes})


def test_a_stop_is_pending_and_then_due_once(intent: Intent, clock: Clock) -> None:
    assert intent.note(event("stop")) == "shop"
    assert intent.pending("shop") == {("web", 1): clock.now + PATIENCE}
    assert intent.due("shop", clock.now) == ()
    assert intent.due("shop", clock.now + PATIENCE) == (("web", 1),)
    assert intent.due("shop", clock.now + PATIENCE) == ()


def test_a_gap_or_a_start_forgets_it(intent: Intent) -> None:
    intent.note(event("stop"))
    intent.gap()
    assert intent.pending("shop") == {}
    intent.note(event("stop"))
    intent.note(event("start"))
    assert intent.pending("shop") == {}


def test_a_removal_of_what_was_stopped_stays_a_stop(intent: Intent) -> None:
    intent.note(event("stop"))
    intent.note(event("destroy"))
    assert intent.pending("shop")


def test_our_own_stops_are_expected(intent: Intent, clock: Clock) -> None:
    intent.expect_stop("c1")
    intent.note(event("kill", signal="15"))
    intent.note(event("stop"))
    assert intent.pending("shop") == {}
    assert intent.signalled() == frozenset()
    clock.now += 100
    intent.expect_stop("c2")  # old expectations go
    intent.note(event("stop"))
    assert intent.pending("shop")


def test_only_stopping_signals_count(intent: Intent) -> None:
    intent.note(event("kill", "a", signal="1"))
    intent.note(event("kill", "b", signal="15"))
    assert intent.signalled() == {"b"}
    intent.note(event("start", "b"))
    assert intent.signalled() == frozenset()


def test_other_engines_and_plain_containers_are_none_of_it(intent: Intent) -> None:
    other = DockerEvent(at=0.0, nano=0, kind="container", action="stop", id="x", attributes={**LABELS, ENGINE: "you"})
    assert intent.note(other) is None
    assert intent.note(DockerEvent(at=0.0, nano=0, kind="network", action="create", id="n")) is None


def test_a_direct_verb_keeps_the_loop_away(intent: Intent) -> None:
    intent.begin("shop", ("web", 1))
    intent.begin("shop", ("web", 1))
    intent.end("shop", ("web", 1))
    assert intent.pending("shop") == {("web", 1): inf}
    intent.end("shop", ("web", 1))
    assert intent.pending("shop") == {}


def test_errors_back_off() -> None:
    assert [backoff(count) for count in (1, 2, 3, 7, 8, 100)] == [0.5, 1.0, 2.0, 32.0, 60.0, 60.0]
