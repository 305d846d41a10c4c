"""The store: what is told is durable, and what is broken is said."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchtui.core.rollout import RolloutRecord
from orchtui.errors import EngineUnavailable, NotFound
from orchtui.store.rows import NewRevision
from orchtui.store.store import KEPT_REVISIONS, Store

DOCKER = "DOCKER:ID"


def new(version: int = 1, *, image: str = "sha256:1", **fields: Any) -> NewRevision:
    tree = {"name": "shop", "services": {"web": {"image": f"demo:{version}"}}}
    return NewRevision(tree=tree, images={"web": image}, digests={}, author="me", cause="up", **fields)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


@pytest.fixture
def store(path: Path) -> Store:
    return Store(path, DOCKER)


def test_it_is_private_and_keeps_its_identity(path: Path, store: Store) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    store.apply("shop", new(), now=1.0)
    for side in ("state.db-wal", "state.db-shm"):
        assert stat.S_IMODE((path.parent / side).stat().st_mode) == 0o600
    store.close()
    assert Store(path, DOCKER).id == store.id


def test_a_revision_is_made_only_when_something_differs(store: Store) -> None:
    assert store.apply("shop", new(), now=1.0) == (1, 1)
    assert store.apply("shop", new(), now=2.0) == (2, 1)
    assert store.next_revision("shop", new(2)) == 2
    assert store.apply("shop", new(image=""), now=3.0) == (3, 1)  # not known now is no difference
    assert store.apply("shop", new(2), now=4.0) == (4, 2)
    assert store.apply("shop", new(2, image="sha256:2"), now=5.0) == (5, 3)
    assert [(one.number, one.outcome) for one in store.revisions("shop")] == [
        (3, "pending"),
        (2, "superseded"),
        (1, "superseded"),
    ]


def test_old_revisions_go_but_never_the_last_stable_one(store: Store) -> None:
    store.apply("shop", new(1), now=1.0)
    store.finish("shop", 1, "completed", now=1.5)
    for version in range(2, 40):
        store.apply("shop", new(version), now=float(version))
    numbers = [one.number for one in store.revisions("shop")]
    assert numbers == [*range(39, 39 - KEPT_REVISIONS, -1), 1]
    assert store.revisions("shop")[-1].stable


def test_scale_hold_and_generation_live_beside_revisions(store: Store) -> None:
    store.apply("shop", new(), now=1.0)
    assert store.scale("shop", "web", 5, now=2.0) == 2
    assert store.hold("shop", [("web", 1), ("web", 2)], now=3.0) == 3
    assert store.restart("shop", ["web"], now=4.0) == 4
    stored = store.stack("shop")
    assert stored is not None
    assert (stored.overrides, stored.generations, stored.holds, stored.applied) == ({"web": 5}, {"web": 1}, {}, 1)
    store.hold("shop", [("web", 1)], now=5.0)
    store.apply("shop", new(), now=6.0, clear_overrides=("web",))
    stored = store.stack("shop")
    assert stored is not None
    assert (stored.overrides, stored.generations, stored.holds, stored.applied) == ({}, {"web": 1}, {}, 6)
    with pytest.raises(NotFound):
        store.scale("other", "web", 1, now=7.0)


def test_progress_of_an_overtaken_pass_is_ignored(store: Store) -> None:
    record = RolloutRecord(target="1.0", state="paused", revision=1, started_at=1.0, progress_at=2.0, finished={3: 4.0})
    store.apply("shop", new(), now=1.0)
    store.set_progress("shop", rollouts={"web": record}, holds={"web": {1: True}}, serial=1)
    stored = store.stack("shop")
    assert stored is not None
    assert (stored.rollouts, stored.holds) == ({"web": record}, {"web": {1: True}})
    store.release("shop", [("web", 1)], now=2.0)
    store.set_progress("shop", rollouts={}, holds={"web": {1: True}}, serial=1)
    stored = store.stack("shop")
    assert stored is not None
    assert (stored.rollouts, stored.holds) == ({"web": record}, {})


def test_what_was_taken_down_keeps_its_revisions(store: Store) -> None:
    store.apply("shop", new(), now=1.0)
    assert not store.removed("shop")  # nobody asked for it
    store.remove("shop", volumes=True, now=2.0)
    assert store.names() == ("shop",)
    assert store.removed("shop")
    assert store.names() == ()
    assert len(store.revisions("shop")) == 1
    assert store.apply("shop", new(), now=3.0) == (3, 1)
    assert store.names() == ("shop",)


def test_events_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchtui.store.store.KEPT_EVENTS", 10)
    monkeypatch.setattr("orchtui.store.store._PRUNE_EVERY", 5)
    for number in range(26):
        store.add_event(at=float(number), subject="s", text=str(number))
    assert [one.text for one in store.events(3)] == ["23", "24", "25"]
    assert len(store.events(100)) <= 15


def test_a_commit_that_fails_leaves_no_transaction_behind(store: Store) -> None:
    store.apply("shop", new(), now=1.0)
    before = store.stack("shop")
    real = store._db

    class FullDisk:
        in_transaction = property(lambda self: real.in_transaction)

        def execute(self, text: str, *rest: object) -> sqlite3.Cursor:
            if text == "COMMIT":
                raise sqlite3.OperationalError("database or disk is full")
            return real.execute(text, *rest)  # type: ignore[arg-type]

    store._db = FullDisk()  # type: ignore[assignment]
    with pytest.raises(EngineUnavailable, match="full"):
        store.settle("shop", 9)
    store._db = real
    assert store.stack("shop") == before
    store.settle("shop", 1)  # and it goes on
    assert store.stack("shop") != before


def test_another_docker_engine_is_refused(path: Path, store: Store) -> None:
    store.close()
    with pytest.raises(EngineUnavailable, match="belongs to another Docker Engine"):
        Store(path, "OTHER")


def test_a_newer_layout_is_refused(path: Path, store: Store) -> None:
    store.close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(EngineUnavailable, match="newer orchtui"):
        Store(path, DOCKER)


@pytest.mark.parametrize(
    "garbage", [b"not a database at all, but long enough to be looked at" * 40, b"SQLite format 3\0" + b"x" * 5000]
)
def test_a_damaged_file_is_said_in_a_sentence(path: Path, garbage: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(garbage)
    with pytest.raises(EngineUnavailable, match="is damaged"):
        Store(path, DOCKER)
    with pytest.raises(EngineUnavailable, match="is damaged"):
        Store.open_readonly(path)


def test_looking_changes_nothing(path: Path, store: Store) -> None:
    assert Store.open_readonly(path.parent / "none.db") is None
    store.apply("shop", new(), now=1.0)
    looking = Store.open_readonly(path)
    assert looking is not None
    assert (looking.id, looking.names()) == (store.id, ("shop",))
    store.apply("blog", new(), now=2.0)
    assert looking.names() == ("blog", "shop")
    with pytest.raises(EngineUnavailable):
        looking.scale("shop", "web", 1, now=3.0)
    looking.close()


def test_what_was_accepted_survives_a_kill(path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from tests.unit.store.test_store import DOCKER, new
from orchtui.store.store import Store
store = Store(Path({str(path)!r}), DOCKER)
for number in range(1, 10_000):
    print(store.apply("shop", new(number), now=float(number))[1], flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    told = [int(child.stdout.readline()) for _ in range(25)]
    os.kill(child.pid, signal.SIGKILL)
    told += [int(line) for line in child.stdout.read().splitlines() if line]
    child.wait()
    child.stdout.close()
    stored = Store(path, DOCKER).stack("shop")
    assert stored is not None
    assert stored.revision.number >= told[-1]
