"""Who is measured, and how often the daemon is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import aclosing
from typing import Any, cast

import pytest

from orchtui.docker import stats
from orchtui.docker.client import DockerClient
from orchtui.docker.endpoint import Endpoint
from orchtui.engines import usage
from orchtui.engines.usage import UsageSampler
from orchtui.model.observed import Container
from orchtui.model.usage import Usage
from tests.support.until import until
from tests.support.worlds import container, snapshot


class Asked:
    """A daemon that is asked for statistics, from another machine."""

    endpoint = Endpoint(url="tcp://127.0.0.1:2375")

    def __init__(self) -> None:
        self.rounds: list[list[str]] = []

    async def sample(self, _: object, ids: Iterable[str], meter: object) -> dict[str, Usage]:
        self.rounds.append(list(ids))
        return {id: Usage(container=id, at=float(len(self.rounds)), cpu=0.5, memory=1) for id in self.rounds[-1]}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    daemon = Asked()
    monkeypatch.setattr(stats, "sample", daemon.sample)
    monkeypatch.setattr(usage, "INTERVAL", 0.02)
    monkeypatch.setattr(usage, "WARM_UP", 0.01)
    return daemon


def world(count: int) -> list[Container]:
    return [container(f"c{number}") for number in range(count)]


async def test_nobody_wants_it_nobody_is_asked(asked: Asked) -> None:
    containers = world(6)
    sampler = UsageSampler(cast(DockerClient, asked), lambda: snapshot(containers, (), ()))
    task = asyncio.create_task(sampler.run())
    wanted = frozenset({containers[0].id})
    async with aclosing(cast(Any, sampler.subscribe(wanted))) as stream:
        seen: set[str] = set()
        async for sample in stream:
            seen = set(sample)
            if len(seen) == 6:
                break
    rounds = list(asked.rounds)
    assert all(containers[0].id in one for one in rounds), "what is on screen is measured each round"
    assert all(len(one) == 3 for one in rounds), "and two of the others in turn"
    await until(lambda: not sampler._wanted)
    after = len(asked.rounds)
    second = frozenset({containers[5].id})
    async with aclosing(cast(Any, sampler.subscribe(second))) as stream:
        await anext(stream)
    assert len(asked.rounds) > after
    assert containers[5].id in asked.rounds[-1]
    task.cancel()


async def test_two_readers_share_one_round(asked: Asked) -> None:
    containers = world(3)
    sampler = UsageSampler(cast(DockerClient, asked), lambda: snapshot(containers, (), ()))
    task = asyncio.create_task(sampler.run())
    async with (
        aclosing(cast(Any, sampler.subscribe(frozenset({containers[0].id})))) as one,
        aclosing(cast(Any, sampler.subscribe(frozenset({containers[1].id})))) as two,
    ):
        first, second = await asyncio.gather(anext(one), anext(two))
        while containers[1].id not in first:
            first = await anext(one)
        while containers[0].id not in second:
            second = await anext(two)
    assert set(first) & set(second)
    task.cancel()
