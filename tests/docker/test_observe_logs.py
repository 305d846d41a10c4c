"""Merged logs of real containers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, cast

import pytest
import pytest_asyncio

from orchtui.commands import Target
from orchtui.core.redact import MASK
from orchtui.docker.endpoint import Endpoint
from orchtui.engine import LogRequest
from orchtui.engines.local import LocalEngine
from orchtui.errors import NotFound
from orchtui.model.logs import LogBatch
from tests.support.rawdocker import RawDocker
from tests.support.until import until


class Collected:
    def __init__(self) -> None:
        self.batches: list[LogBatch] = []

    @property
    def lines(self) -> list[str]:
        return [line for batch in self.batches for line in batch.lines]

    @property
    def times(self) -> list[float]:
        return [at for batch in self.batches for at in batch.times]

    @property
    def sources(self) -> set[str]:
        return {batch.names[index] for batch in self.batches for index in batch.source}

    @property
    def notes(self) -> list[str]:
        return [batch.note for batch in self.batches if batch.note]


@pytest_asyncio.fixture
async def engine(docker_endpoint: Endpoint, sweep: RawDocker) -> AsyncIterator[LocalEngine]:
    async with LocalEngine(docker_endpoint, None, manage=True) as local:
        yield local


async def collect(engine: LocalEngine, request: LogRequest) -> Collected:
    found = Collected()
    async for batch in engine.logs(request):
        found.batches.append(batch)
    return found


@asynccontextmanager
async def following(engine: LocalEngine, request: LogRequest) -> AsyncIterator[Collected]:
    found = Collected()

    async def follow() -> None:
        async with aclosing(cast(Any, engine.logs(request))) as stream:
            async for batch in stream:
                found.batches.append(batch)

    task = asyncio.create_task(follow())
    try:
        yield found
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def start(sweep: RawDocker, image: str, name: str, script: str, project: str = "") -> str:
    labels = {"com.docker.compose.project": project, "com.docker.compose.service": "web"} if project else {}
    body = {"Image": image, "Cmd": ["sh", "-c", script], "Labels": labels, "HostConfig": {"Init": True}}
    return sweep.run(name, body)


async def known(engine: LocalEngine, *ids: str, state: str = "") -> None:
    def there() -> bool:
        shown = engine._observer.snapshot.containers
        return all(id in shown and (not state or shown[id].state == state) for id in ids)

    await until(there, what="the containers in the picture")


async def test_two_containers_in_the_order_of_time(
    engine: LocalEngine, sweep: RawDocker, image: str, run_id: str
) -> None:
    script = "for i in 1 2 3 4 5 6 7 8; do echo $HOSTNAME $i; usleep 20000; done"
    ids = [start(sweep, image, f"{run_id}-web-{n}", script, run_id) for n in (1, 2)]
    await known(engine, *ids, state="exited")
    target = Target(kind="service", key=f"{run_id}/web")
    whole = await collect(engine, LogRequest(target=target, tail=None))
    assert len(whole.lines) == 16
    assert whole.times == sorted(whole.times)
    assert whole.sources == {f"{run_id}-web-1", f"{run_id}-web-2"}
    last = await collect(engine, LogRequest(target=target, tail=5))
    assert last.lines == whole.lines[-5:]
    assert (await collect(engine, LogRequest(target=target, tail=0))).lines == []
    later = await collect(engine, LogRequest(target=target, since=whole.times[8], tail=None))
    assert later.lines == whole.lines[8:]
    one = await collect(engine, LogRequest(target=Target(kind="container", key=ids[0]), tail=3))
    assert len(one.lines) == 3


async def test_following_a_service_takes_new_replicas_in(
    engine: LocalEngine, sweep: RawDocker, image: str, run_id: str
) -> None:
    script = "echo hello; while :; do usleep 50000; echo tick; done"
    first = start(sweep, image, f"{run_id}-web-1", script, run_id)
    await known(engine, first, state="running")
    target = Target(kind="service", key=f"{run_id}/web")
    async with following(engine, LogRequest(target=target, follow=True, tail=10)) as found:
        await until(lambda: "tick" in found.lines, what="the first replica's lines")
        start(sweep, image, f"{run_id}-web-2", script, run_id)
        await until(lambda: len(found.sources) == 2, what="the second replica's lines")
        assert found.lines.count("hello") >= 1
        sweep.call("POST", f"/containers/{first}/kill")
        await until(lambda: found.notes, what="a note about the end")
        assert found.notes[0] == f"{run_id}-web-1: exit 137: killed by SIGKILL"
    assert not [task for task in engine._tasks if "_read" in repr(task)]


async def test_following_one_container_through_a_restart_until_it_ends(
    engine: LocalEngine, sweep: RawDocker, image: str, run_id: str
) -> None:
    script = "echo begin; trap 'exit 0' TERM; while :; do sleep 0.1; done"
    identity = start(sweep, image, f"{run_id}-a", script)
    await known(engine, identity, state="running")
    async with following(engine, LogRequest(target=Target(kind="container", key=identity), follow=True)) as found:
        await until(lambda: found.lines == ["begin"])
        sweep.call("POST", f"/containers/{identity}/restart", params={"t": 1})
        await until(lambda: found.lines == ["begin", "begin"], what="the line of the second life, once")
    ended = start(sweep, image, f"{run_id}-b", "echo one; sleep 0.1; echo two >&2; exit 3")
    await known(engine, ended, state="exited")
    request = LogRequest(target=Target(kind="container", key=ended), follow=True)
    over = await asyncio.wait_for(collect(engine, request), 20)
    assert over.lines == ["one", "two"]
    assert [stderr for batch in over.batches for stderr in batch.stderr] == [False, True]


async def test_a_reader_that_lags_is_told_how_much_it_missed(
    engine: LocalEngine, sweep: RawDocker, image: str, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchtui.engines import logs

    monkeypatch.setattr(logs, "QUEUE", 500)
    monkeypatch.setattr(logs, "BATCH", 100)
    identity = start(
        sweep, image, f"{run_id}-a", "sleep 0.3; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo $i; done"
    )
    await known(engine, identity)
    request = LogRequest(target=Target(kind="container", key=identity), follow=True, tail=5)
    got: list[int] = []
    skipped = 0
    async with aclosing(cast(Any, engine.logs(request))) as stream:
        async for batch in stream:
            skipped += batch.skipped
            got.extend(int(line) for line in batch.lines)
            if len(got) == len(batch.lines):
                await known(engine, identity, state="exited")  # a reader that does something else meanwhile
    assert skipped > 0
    assert got == sorted(got)
    assert got[-1] == 20_000
    assert len(got) + skipped == 20_000


async def test_the_container_s_own_secrets_are_masked(
    engine: LocalEngine, sweep: RawDocker, image: str, run_id: str
) -> None:
    body = {
        "Image": image,
        "Cmd": ["sh", "-c", "echo using $DB_PASSWORD on $HOST"],
        "Env": ["DB_PASSWORD=hunter22", "HOST=db"],
        "Labels": {"api-key": "xyzzy"},
    }
    identity = sweep.run(f"{run_id}-a", body)
    await known(engine, identity, state="exited")
    found = await collect(engine, LogRequest(target=Target(kind="container", key=identity)))
    assert found.lines == [f"using {MASK} on db"]
    assert engine._observer.snapshot.containers[identity].labels["api-key"] == MASK


async def test_unknown_targets(engine: LocalEngine) -> None:
    with pytest.raises(NotFound):
        await collect(engine, LogRequest(target=Target(kind="service", key="no/such")))
