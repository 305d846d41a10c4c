"""Logs, exec and events on a real engine, and what becomes of their connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from typing import Any, cast

import pytest
import pytest_asyncio

from orchtui.docker import logs
from orchtui.docker.client import DockerClient
from orchtui.docker.events import EventItem, EventStream, Gap, Lost
from orchtui.docker.exec import DockerExec, open_session
from orchtui.docker.logs import Lines
from orchtui.errors import DockerConflict, DockerError, DockerNotFound, DockerRefused, DockerUnreachable
from orchtui.model.observed import DockerEvent
from tests.support.engines import BOTH
from tests.support.proxy import SocketProxy
from tests.support.rawdocker import RawDocker
from tests.support.until import until

pytestmark = [pytest.mark.docker, BOTH]


@pytest_asyncio.fixture
async def proxied(proxy: SocketProxy, sweep: RawDocker) -> AsyncIterator[DockerClient]:
    client = await DockerClient.connect(proxy.endpoint)
    try:
        yield client
    finally:
        await client.aclose()


def shell(sweep: RawDocker, image: str, name: str, script: str, *, tty: bool = False) -> str:
    return sweep.run(name, {"Image": image, "Cmd": ["sh", "-c", script], "Tty": tty, "HostConfig": {"Init": True}})


async def collect(source: AsyncIterator[Lines]) -> list[tuple[bool, str]]:
    found: list[tuple[bool, str]] = []
    async for batch in source:
        found += zip(batch.stderr, batch.lines, strict=True)
    return found


async def exited(docker: DockerClient, identity: str) -> bool:
    return (await docker.inspect_container(identity)).state == "exited"


async def test_logs_of_both_streams_with_long_lines(
    docker: DockerClient, image: str, run_id: str, sweep: RawDocker
) -> None:
    script = "echo out; echo err >&2; head -c 50000 /dev/zero | tr '\\0' x; echo; printf 'no newline'"
    identity = shell(sweep, image, f"{run_id}-log", script)
    await until(lambda: exited(docker, identity), what="its end")
    found = await collect(logs.read(docker, identity, tty=False))
    assert sorted(found) == sorted([(False, "out"), (True, "err"), (False, "x" * 50000), (False, "no newline")])
    assert await collect(logs.read(docker, identity, tty=False, tail=1)) == [(False, "no newline")]


async def test_logs_of_a_tty_with_long_lines(docker: DockerClient, image: str, run_id: str, sweep: RawDocker) -> None:
    identity = shell(
        sweep, image, f"{run_id}-log", "echo out; head -c 50000 /dev/zero | tr '\\0' x; echo; echo end", tty=True
    )
    await until(lambda: exited(docker, identity), what="its end")
    assert (await docker.inspect_container(identity)).tty
    assert await collect(logs.read(docker, identity, tty=True)) == [
        (False, "out"),
        (False, "x" * 50000),
        (False, "end"),
    ]


async def test_times_of_lines_and_since(docker: DockerClient, image: str, run_id: str, sweep: RawDocker) -> None:
    identity = shell(sweep, image, f"{run_id}-log", "echo a; echo b; echo c")
    await until(lambda: exited(docker, identity), what="its end")
    batches = [batch async for batch in logs.read(docker, identity, tty=False)]
    times = [at for batch in batches for at in batch.times]
    started = (await docker.inspect_container(identity)).started_at
    assert started is not None
    assert times == sorted(times)
    assert abs(times[0] - started) < 60
    assert await collect(logs.read(docker, identity, tty=False, since=times[-1] + 1)) == []


async def test_following_sees_new_lines_and_the_end(
    docker: DockerClient, image: str, run_id: str, sweep: RawDocker
) -> None:
    script = "echo one; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo two"
    identity = shell(sweep, image, f"{run_id}-log", script)
    lines: list[str] = []
    async with aclosing(cast(Any, logs.read(docker, identity, tty=False, follow=True))) as source:
        async for batch in source:
            lines += batch.lines
            if lines == ["one"]:
                session = await open_session(docker, identity, ["touch", "/tmp/go"], tty=False)
                await session.aclose()
    assert lines == ["one", "two"]


async def test_logs_of_nothing(docker: DockerClient, run_id: str) -> None:
    with pytest.raises(DockerNotFound):
        await collect(logs.read(docker, f"{run_id}-none", tty=False))


async def read_all(session: DockerExec) -> str:
    output = b""
    while data := await session.read():
        output += data
    return output.decode()


async def test_exec_with_a_terminal_has_its_size_at_once_and_follows_it(
    docker: DockerClient, image: str, run_id: str, sweep: RawDocker
) -> None:
    identity = shell(sweep, image, f"{run_id}-exec", "sleep 600")
    session = await open_session(docker, identity, ["sh"], columns=132, rows=40)
    output = ""

    async def says(text: str) -> None:
        nonlocal output
        while text not in output:
            data = await session.read()
            assert data, f"ended without {text!r}: {output!r}"
            output += data.decode()

    async with asyncio.timeout(20):
        await session.write(b"stty size\n")
        await says("40 132")
        await session.resize(90, 25)
        await session.write(b"stty size\n")
        await says("25 90")
        await session.write(b"exit 7\n")
        await read_all(session)
    assert await session.exit_code() == 7
    await session.aclose()
    await session.aclose()


async def test_exec_without_a_terminal(docker: DockerClient, image: str, run_id: str, sweep: RawDocker) -> None:
    identity = shell(sweep, image, f"{run_id}-exec", "sleep 600")
    session = await open_session(docker, identity, ["sh", "-c", "echo out; echo err >&2; exit 3"], tty=False)
    output = await read_all(session)
    assert sorted(output.split()) == ["err", "out"]
    assert await session.exit_code() == 3
    await session.aclose()


async def test_exec_where_nothing_runs(docker: DockerClient, image: str, run_id: str, sweep: RawDocker) -> None:
    identity = shell(sweep, image, f"{run_id}-exec", "true")
    await until(lambda: exited(docker, identity), what="its end")
    with pytest.raises(DockerConflict, match="not running"):
        await open_session(docker, identity, ["sh"])
    with pytest.raises(DockerNotFound):
        await open_session(docker, f"{run_id}-none", ["sh"])


async def test_a_program_that_is_not_there(docker: DockerClient, image: str, run_id: str, sweep: RawDocker) -> None:
    identity = shell(sweep, image, f"{run_id}-exec", "sleep 600")
    session = await open_session(docker, identity, ["/no/such/program"])
    assert "no such file" in await read_all(session)
    assert await session.exit_code() in (126, 127)
    await session.aclose()


async def test_an_exec_session_survives_what_happens_to_its_connection(
    proxy: SocketProxy, proxied: DockerClient, image: str, run_id: str, sweep: RawDocker
) -> None:
    identity = shell(sweep, image, f"{run_id}-exec", "sleep 600")
    session = await open_session(proxied, identity, ["sleep", "600"])
    proxy.drop()
    await read_all(session)
    await session.write(b"too late")
    with pytest.raises(DockerRefused, match="runs on"):
        await session.exit_code()
    await session.aclose()


async def test_events_come_back_after_the_stream_was_cut(
    proxy: SocketProxy, proxied: DockerClient, docker: DockerClient, image: str, run_id: str, sweep: RawDocker
) -> None:
    items: list[EventItem] = []
    stream = EventStream(proxied)

    async def listen() -> None:
        async for item in stream:
            items.append(item)  # noqa: PERF401  (the list is read while this goes on)

    def actions() -> list[str]:
        return [
            f"{item.action} {item.attributes.get('name', '')}".removesuffix(f" {run_id}-ev")
            for item in items
            if isinstance(item, DockerEvent) and item.attributes.get("name", "") == f"{run_id}-ev"
        ]

    async with asyncio.TaskGroup() as group:
        listening = group.create_task(listen())
        await until(lambda: any(isinstance(item, Gap) for item in items), what="the first gap")
        identity = shell(sweep, image, f"{run_id}-ev", "sleep 600")
        await until(lambda: actions() == ["create", "start"], what="create and start")

        await proxy.cut()
        await until(lambda: any(isinstance(item, Lost) for item in items), what="the loss")
        await docker.kill(identity)
        await until(lambda: exited(docker, identity), what="the death nobody saw")
        await proxy.restore()
        await until(lambda: sum(isinstance(item, Gap) for item in items) == 2, what="the second gap")
        await until(lambda: "die" in actions(), what="the death, replayed")

        await docker.remove(identity)
        await until(lambda: "destroy" in actions(), what="the removal, live")
        listening.cancel()
    assert actions() == ["create", "start", "kill", "die", "destroy"]
    assert [item.first for item in items if isinstance(item, Gap)] == [True, False]


async def test_health_probes_are_not_heard(docker: DockerClient, image: str, run_id: str, sweep: RawDocker) -> None:
    heard: list[str] = []

    async def listen() -> None:
        async for item in EventStream(docker):
            if isinstance(item, Gap):
                probe = {"Test": ["CMD", "true"], "Interval": 200_000_000, "Timeout": 1_000_000_000}
                config = {"Image": image, "Cmd": ["sleep", "60"], "Healthcheck": probe, "HostConfig": {"Init": True}}
                await asyncio.to_thread(sweep.run, f"{run_id}-hc", config)
            elif isinstance(item, DockerEvent) and item.attributes.get("name") == f"{run_id}-hc":
                heard.append(item.action)

    async with asyncio.TaskGroup() as group:
        listening = group.create_task(listen())
        await until(lambda: "health_status: healthy" in heard, what="health")
        listening.cancel()
    assert heard == ["create", "start", "health_status: healthy"]


async def test_a_client_works_again_after_docker_came_back(proxy: SocketProxy, proxied: DockerClient) -> None:
    await proxied.list_containers()
    await proxy.cut()
    with pytest.raises(DockerUnreachable):
        await proxied.list_containers()
    await proxy.restore()
    await proxied.list_containers()
    proxy.drop()
    await proxied.list_containers()


async def test_a_connection_lost_half_way_is_unreachable(
    proxy: SocketProxy, proxied: DockerClient, image: str, run_id: str, sweep: RawDocker
) -> None:
    identity = shell(sweep, image, f"{run_id}-log", "echo one; sleep 600")
    async with aclosing(cast(Any, logs.read(proxied, identity, tty=False, follow=True))) as source:
        assert (await anext(source)).lines == ("one",)
        proxy.drop()
        with pytest.raises(DockerUnreachable):
            await anext(source)


async def test_streams_left_early_give_their_connections_back(
    proxy: SocketProxy, proxied: DockerClient, image: str, run_id: str, sweep: RawDocker
) -> None:
    identity = shell(sweep, image, f"{run_id}-log", "echo one; sleep 600")
    for _ in range(20):
        async with aclosing(cast(Any, logs.read(proxied, identity, tty=False, follow=True))) as source:
            assert (await anext(source)).lines == ("one",)
    for _ in range(5):
        session = await open_session(proxied, identity, ["sleep", "60"], tty=False)
        await session.aclose()
    async with aclosing(cast(Any, aiter(EventStream(proxied)))) as events:
        assert isinstance(await anext(events), Gap)
    # What may stay is a kept-alive connection of the command pool.
    await until(lambda: proxy.open <= 1, what="no leaked connection")


async def test_a_hundred_and_fifty_streams_do_not_hang_the_commands(
    proxy: SocketProxy, proxied: DockerClient, image: str, run_id: str, sweep: RawDocker
) -> None:
    identity = shell(sweep, image, f"{run_id}-log", "echo one; sleep 600")
    async with AsyncExitStack() as stack, asyncio.timeout(30):
        for _ in range(150):
            source = cast(Any, logs.read(proxied, identity, tty=False, follow=True))
            await stack.enter_async_context(aclosing(source))
            assert (await anext(source)).lines == ("one",)
        assert proxy.open >= 150
        assert await proxied.list_containers()
        await proxied.ping()
    await until(lambda: proxy.open <= 1, what="no leaked connection")


async def test_closing_the_client_closes_everything_and_never_raises(
    proxy: SocketProxy, image: str, run_id: str, sweep: RawDocker
) -> None:
    client = await DockerClient.connect(proxy.endpoint)
    identity = shell(sweep, image, f"{run_id}-log", "echo one; sleep 600")
    source = cast(Any, logs.read(client, identity, tty=False, follow=True))
    await anext(source)
    events = cast(Any, aiter(EventStream(client)))
    await anext(events)
    await proxy.cut()
    await client.aclose()
    await client.aclose()
    for left in (source, events):
        await left.aclose()
    assert proxy.open == 0
    with pytest.raises((DockerError, RuntimeError)):
        await client.list_containers()
