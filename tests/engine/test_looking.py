"""Managed stacks as an engine sees them that only looks."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from orchtui.commands import Actor, Down
from orchtui.compose.document import load
from orchtui.core.identity import ENGINE, IMAGE, NUMBER, PROJECT, REVISION, SERVICE, SLOT, STACK
from orchtui.core.view import build
from orchtui.engines.looking import StoredStacks
from orchtui.errors import NotFound, Refused
from orchtui.latest import Latest
from orchtui.model.observed import Container
from orchtui.model.snapshot import Connection, Snapshot, Status
from orchtui.store.rows import NewRevision
from orchtui.store.store import Store
from tests.support.until import until

NOW = 1_700_000_000.0
FILE = """
name: hello
services:
  web: {image: busybox, user: "%s", deploy: {replicas: 2}}
  job: {image: busybox, command: ["true"], restart: "no"}
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """What an engine left behind: two revisions, two containers of `web` wished."""
    store = Store(tmp_path / "state.db", "ENGINE")
    images = {"web": "sha256:i", "job": "sha256:i"}
    for cause in ("up", "up again"):
        (tmp_path / "hello.yaml").write_text(FILE % cause[-1])
        tree = load([tmp_path / "hello.yaml"], environ={}).tree
        new = NewRevision(tree=tree, images=images, digests={}, author="me", cause=cause)
        store.apply("hello", new, now=NOW, working_dir="/srv", config_files=["/srv/hello.yaml"])
    return store


def container(store: Store, service: str, slot: int, **fields: Any) -> Container:
    labels = {
        ENGINE: store.id, STACK: "hello", SERVICE: service, SLOT: str(slot), NUMBER: str(slot), REVISION: "2",
        PROJECT: "hello", IMAGE: "sha256:i", "com.docker.compose.service": service,
    }  # fmt: skip
    values: dict[str, Any] = {
        "id": f"{service}{slot}", "name": f"hello-{service}-{slot}", "image": "busybox", "image_id": "sha256:i",
        "state": "running", "labels": labels, "inspected": True, "created_at": NOW - 60, "started_at": NOW - 60,
    }  # fmt: skip
    return Container(**(values | fields))


@pytest_asyncio.fixture
async def looking(tmp_path: Path, store: Store) -> AsyncIterator[tuple[StoredStacks, Latest[Snapshot]]]:
    snapshots: Latest[Snapshot] = Latest()
    stacks = await StoredStacks.open(tmp_path / "state.db", "ENGINE", snapshots, source=lambda: None, clock=lambda: NOW)
    task = asyncio.create_task(stacks.run())
    yield stacks, snapshots
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await stacks.aclose()
    store.close()


async def test_no_store_no_stacks(tmp_path: Path) -> None:
    stacks = await StoredStacks.open(tmp_path / "state.db", "ENGINE", Latest(), source=lambda: None, clock=lambda: NOW)
    with pytest.raises(NotFound):
        await stacks.history("hello")
    await stacks.aclose()
    assert not os.listdir(tmp_path)


async def test_what_is_wished_is_known(looking: tuple[StoredStacks, Latest[Snapshot]], store: Store) -> None:
    stacks, snapshots = looking
    containers = [
        container(store, "web", 1),
        container(store, "job", 1, state="exited", exit_code=0, started_at=NOW - 60),
    ]
    live = Connection(state="live", since=NOW)

    def picture() -> Snapshot:
        return build(
            snapshots.value, host=None, connection=live, containers=containers, store_id=stacks.store_id,
            standings=stacks.standings.value, now=NOW,
        )  # fmt: skip

    snapshots.set(picture())
    await until(lambda: stacks.standings.value)
    shown = picture()
    web = shown.services["hello/web"]
    assert (web.desired, web.ready, web.status) == (2, 1, Status.DEGRADED)
    hello = shown.stacks["hello"]
    assert (hello.revision, hello.working_dir, hello.config_files) == (2, "/srv", ("/srv/hello.yaml",))
    before = stacks.standings.value
    snapshots.set(shown)
    store.scale("hello", "web", 1, now=NOW)
    snapshots.set(build(shown, host=None, connection=live, containers=containers, now=NOW))
    await until(lambda: stacks.standings.value is not before)
    assert picture().services["hello/web"].status is Status.HEALTHY


async def test_history_and_refusals(looking: tuple[StoredStacks, Latest[Snapshot]]) -> None:
    stacks, _ = looking
    assert [(one.number, one.cause, one.current) for one in await stacks.history("hello")] == [
        (2, "up again", True),
        (1, "up", False),
    ]
    (change,) = await stacks.diff("hello", 1, 2)
    assert (change.subject, change.field) == ("web", "user")
    for call in (stacks.history("nothing"), stacks.diff("hello", 1, 9)):
        with pytest.raises(NotFound):
            await call
    with pytest.raises(Refused, match="only looks"):
        await stacks.execute(Down(stack="hello"), Actor(name="me", via="console"))
    assert stacks.managed_count() == 0
