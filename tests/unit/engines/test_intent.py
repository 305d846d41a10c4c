"""Stops by people, told from those by dockerd and by us."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from orchtui.core.identity import ENGINE, SERVICE, SLOT, STACK
from orchtui.core.rollout import RolloutRecord
from orchtui.engines.intent import PATIENCE, Intent
from orchtui.engines.lanes import attended, backoff
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


def event(action: str, id: str = "c1", at: float = 0.0, **attributes: str) -> DockerEvent:
    return DockerEvent(at=at, nano=0, kind="container", action=action, id=id, attributes={**LABELS, **attributes})


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
    intent.note(event("start", at=clock.now + 1))
    intent.note(event("stop", at=clock.now + 2))
    assert intent.pending("shop")


def test_our_own_stop_is_ours_however_long_its_grace_period(intent: Intent, clock: Clock) -> None:
    intent.expect_stop("c1")
    intent.note(event("start", at=clock.now - 0.1))  # from before, told late
    clock.now += 600
    intent.expect_stop("c2")
    intent.note(event("stop", at=clock.now))
    assert intent.pending("shop") == {}


def test_a_clock_that_is_set_back_prolongs_no_patience(intent: Intent, clock: Clock) -> None:
    intent.note(event("stop"))
    clock.now -= 3600
    assert intent.pending("shop") == {("web", 1): clock.now + PATIENCE}
    assert intent.due("shop", clock.now + PATIENCE) == (("web", 1),)


def test_a_kill_is_told_from_the_end_of_a_stop(intent: Intent) -> None:
    intent.note(event("kill", "killed", signal="9"))
    intent.note(event("kill", "stopped", signal="15"))
    intent.note(event("kill", "stopped", signal="9"))
    intent.note(event("kill", "reloaded", signal="1"))
    intent.expect_stop("ours")
    intent.note(event("kill", "ours", signal="9"))
    assert intent.killed() == {"killed"}
    intent.note(event("start", "killed"))
    assert intent.killed() == frozenset()


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


def test_a_deadline_begins_anew_after_nobody_could_look() -> None:
    going = RolloutRecord(target="1.0", state="progressing", revision=1, started_at=0.0, progress_at=100.0)
    paused = replace(going, state="paused")
    known = {"web": going, "db": paused}
    assert attended(known, 990.0, 1000.0) == known
    for looked in (None, 100.0, 2000.0):  # a new engine, Docker or we away, the clock set back
        assert attended(known, looked, 1000.0) == {"web": replace(going, progress_at=1000.0), "db": paused}


def test_errors_back_off() -> None:
    assert [backoff(count) for count in (1, 2, 3, 7, 8, 100)] == [0.5, 1.0, 2.0, 32.0, 60.0, 60.0]
