from __future__ import annotations

import asyncio
import threading

from orchtui.latest import Latest


async def test_iteration_starts_with_the_current_value_and_ends_on_close() -> None:
    latest: Latest[int] = Latest(1)
    seen = []
    async for value in latest:
        seen.append(value)
        if value == 1:
            latest.set(2)
        else:
            latest.close()
    assert seen == [1, 2]


async def test_a_slow_reader_skips_and_every_reader_gets_the_newest() -> None:
    latest: Latest[int] = Latest()
    seen: dict[str, list[int]] = {"a": [], "b": []}

    async def read(name: str) -> None:
        async for value in latest:
            seen[name].append(value)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        group.create_task(read("a"))
        group.create_task(read("b"))
        await asyncio.sleep(0)
        for number in range(1, 1001):
            latest.set(number)
        await asyncio.sleep(0)
        latest.close()
    assert seen["a"][-1] == seen["b"][-1] == 1000
    assert len(seen["a"]) < 1000


async def test_another_thread_may_set() -> None:
    latest: Latest[str] = Latest()
    thread = threading.Thread(target=lambda: latest.set("from the thread"))
    thread.start()
    async for value in latest:
        assert value == "from the thread"
        break
    thread.join()


async def test_a_cancelled_reader_is_forgotten() -> None:
    latest: Latest[int] = Latest()

    async def read() -> None:
        async for _ in latest:
            pass

    task = asyncio.create_task(read())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    latest.set(1)
    assert latest.value == 1
    assert not latest._readers
