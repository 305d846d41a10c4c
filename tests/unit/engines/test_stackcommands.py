"""What is refused before anything is asked of Docker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from orchtui.commands import Act, Actor, Command, Scale, Target
from orchtui.docker.client import DockerClient
from orchtui.engines.desired import SpecCache
from orchtui.engines.reading import WorldReader
from orchtui.engines.stackcommands import StackCommands
from orchtui.engines.storethread import StoreThread
from orchtui.errors import Refused
from orchtui.store.rows import NewRevision
from orchtui.store.store import Store

TREE: dict[str, Any] = {"name": "shop", "services": {"web": {"image": "demo:1"}}}


@pytest.fixture
async def thread(tmp_path: Path) -> AsyncIterator[StoreThread]:
    thread = StoreThread(Store(tmp_path / "state" / "state.db", "DOCKER:ID"))
    yield thread
    thread.close()


@pytest.mark.parametrize(
    "command",
    [
        Scale(service="shop/web", replicas=2),
        Act(target=Target(kind="stack", key="shop"), verb="restart"),
        Act(target=Target(kind="service", key="shop/web"), verb="stop"),
    ],
)
async def test_a_stack_on_its_way_out_takes_no_new_wish(thread: StoreThread, command: Command) -> None:
    store = thread.store
    new = NewRevision(tree=TREE, images={"web": "sha256:1"}, digests={}, author="me", cause="up")
    await thread(store.apply, "shop", new, now=1.0)
    await thread(store.remove, "shop", volumes=False, now=2.0)
    before = await thread(store.stack, "shop")

    async def never(stack: str) -> None:
        raise AssertionError(stack)

    commands = StackCommands(
        thread,
        WorldReader(),
        SpecCache(),
        source=lambda: cast("DockerClient", object()),
        clock=lambda: 3.0,
        committed=never,
    )
    with pytest.raises(Refused, match="being taken down"):
        await commands.execute(command, Actor(name="me", via="test"))
    assert await thread(store.stack, "shop") == before
