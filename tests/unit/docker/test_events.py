"""The event stream against a scripted daemon; nothing here waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, cast

import pytest
from aiohttp import web

from orchtui.docker.client import DockerClient
from orchtui.docker.events import EventItem, EventStream, Gap, Lost
from orchtui.errors import DockerUnreachable, DockerVersion
from orchtui.model.observed import DockerEvent
from tests.support.fakedocker import EventScript, FakeDocker, event

START = 1795413600_000000500  # INFO's SystemTime
SECOND = 1_000_000_000


class Clock:
    """Sleeps by counting."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


async def first(stream: EventStream, count: int) -> list[EventItem]:
    items: list[EventItem] = []
    async with aclosing(cast(Any, aiter(stream))) as iterator:
        async for item in iterator:
            items.append(item)
            if len(items) == count:
                break
    return items


async def run(
    fake: FakeDocker, count: int, clock: Clock | None = None, *, idle: float = 15.0
) -> tuple[list[EventItem], EventStream]:
    clock = clock or Clock()
    async with DockerClient(fake.endpoint) as client:
        stream = EventStream(client, sleep=clock.sleep, clock=clock, idle=idle)
        return await first(stream, count), stream


def nanos(items: list[EventItem]) -> list[int]:
    return [item.nano for item in items if isinstance(item, DockerEvent)]


def kinds(items: list[EventItem]) -> list[type]:
    return [type(item) for item in items]


async def test_it_begins_with_a_gap_from_the_daemons_own_time_and_filters_there() -> None:
    script = EventScript([event(START + 5)])
    async with FakeDocker() as fake:
        fake.answers["events"] = script
        items, stream = await run(fake, 2)
        filters = next(query["filters"] for _, path, query in fake.requests if path.endswith("/events"))
    assert items[0] == Gap("connected", first=True)
    assert nanos(items) == [START + 5]
    assert script.since == ["1795413600.000000500"]
    assert stream.cursor == START + 5
    assert '"die"' in filters
    assert "exec" not in filters


async def test_after_a_loss_it_overlaps_and_says_each_event_once() -> None:
    a, b, c = event(START + SECOND), event(START + 2 * SECOND), event(START + 3 * SECOND)
    same_time = event(START + 2 * SECOND, "destroy")
    script = EventScript([a, b], [b, same_time, c])
    clock = Clock()
    async with FakeDocker() as fake:
        fake.answers["events"] = script
        items, _ = await run(fake, 7, clock)
    assert kinds(items) == [Gap, DockerEvent, DockerEvent, Lost, Gap, DockerEvent, DockerEvent]
    assert nanos(items) == [START + SECOND, START + 2 * SECOND, START + 2 * SECOND, START + 3 * SECOND]
    assert script.since[1] == "1795413601.000000500"
    assert isinstance(items[4], Gap)
    assert not items[4].first
    assert clock.slept == [0.1]


async def test_older_events_that_come_late_are_said_and_do_not_turn_the_cursor_back() -> None:
    script = EventScript([event(START + 10), event(START + 7, identity="other")])
    async with FakeDocker() as fake:
        fake.answers["events"] = script
        items, stream = await run(fake, 3)
    assert nanos(items) == [START + 10, START + 7]
    assert stream.cursor == START + 10


async def test_noise_is_dropped_also_when_the_daemon_does_not_filter() -> None:
    noise = [
        event(START + i, name) for i, name in enumerate(("exec_create: sh", "exec_die", "top", "attach", "resize"))
    ]
    script = EventScript([*noise, {"weird": True}, event(START + 99, "health_status: healthy")])
    async with FakeDocker() as fake:
        fake.answers["events"] = script
        items, _ = await run(fake, 2)
    assert nanos(items) == [START + 99]


async def test_back_off_doubles_to_its_limit_and_the_same_loss_is_said_once() -> None:
    clock = Clock()
    tries = 0

    async def refuse(request: web.Request) -> web.StreamResponse:
        nonlocal tries
        tries += 1
        if tries > 9:
            return await EventScript([])(request)
        return web.json_response({"message": "not now"}, status=500)

    async with FakeDocker() as fake:
        fake.answers["events"] = refuse
        items, _ = await run(fake, 2, clock)
    assert kinds(items) == [Lost, Gap]
    assert isinstance(items[1], Gap)
    assert "not now" in items[1].reason
    assert clock.slept == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0])


async def test_a_stream_that_stood_for_a_while_starts_the_back_off_again() -> None:
    clock = Clock()
    async with FakeDocker() as fake, DockerClient(fake.endpoint) as client:
        fake.answers["events"] = EventScript([], [], [])
        stream = EventStream(client, sleep=clock.sleep, clock=clock)
        items: list[EventItem] = []
        async with aclosing(cast(Any, aiter(stream))) as iterator:
            async for item in iterator:
                items.append(item)
                if isinstance(item, Gap) and len(items) == 3:
                    clock.now += 60.0  # the second stream stands for a minute
                if len(items) == 5:
                    break
    assert kinds(items) == [Gap, Lost, Gap, Lost, Gap]
    assert clock.slept == [0.1, 0.1]


async def test_docker_away_at_the_start_is_a_loss_and_not_an_error() -> None:
    fake = FakeDocker()
    clock = Clock()

    async def sleep_then_start(seconds: float) -> None:
        await clock.sleep(seconds)
        if len(clock.slept) == 3:
            fake.answers["events"] = EventScript([])
            await fake.__aenter__()

    async with DockerClient(fake.endpoint) as client:
        stream = EventStream(client, sleep=cast(Callable[[float], Awaitable[object]], sleep_then_start), clock=clock)
        try:
            items = await first(stream, 2)
        finally:
            await fake.__aexit__()
    assert isinstance(items[0], Lost)
    assert isinstance(items[0].error, DockerUnreachable)
    assert items[1] == Gap(items[0].error.message, first=True)


async def test_an_engine_that_comes_back_too_old_is_told_and_retried() -> None:
    clock = Clock()
    async with FakeDocker() as fake:
        fake.answers["events"] = EventScript([], [])
        good = fake.answers["version"]

        async def version(_: web.Request) -> web.StreamResponse:
            old = {"Version": "19.03", "ApiVersion": "1.40", "MinAPIVersion": "1.12"}
            return web.json_response(old if len(clock.slept) == 1 else good)

        fake.answers["version"] = version
        items, _ = await run(fake, 4, clock)
    assert kinds(items) == [Gap, Lost, Lost, Gap]
    assert isinstance(items[2], Lost)
    assert isinstance(items[2].error, DockerVersion)


async def test_silence_is_broken_by_a_ping_and_a_dead_peer_is_a_loss() -> None:
    async with FakeDocker() as fake:
        fake.answers["events"] = EventScript([])

        async def ping(_: web.Request) -> web.StreamResponse:
            pings = sum(path == "/_ping" for _, path, _ in fake.requests)
            return web.Response(text="OK") if pings < 3 else web.json_response({"message": "gone"}, status=500)

        fake.answers["_ping"] = ping
        items, _ = await run(fake, 2, idle=0.01)
    assert kinds(items) == [Gap, Lost]
    assert sum(path == "/_ping" for _, path, _ in fake.requests) == 3
