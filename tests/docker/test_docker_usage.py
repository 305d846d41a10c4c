"""Two ways to the same numbers."""

from __future__ import annotations

import pytest

from orchtui.docker import cgroups, stats
from orchtui.docker.client import DockerClient
from orchtui.docker.meter import CpuMeter
from orchtui.model.usage import Usage
from tests.support.engines import BOTH
from tests.support.rawdocker import RawDocker
from tests.support.until import until

pytestmark = [pytest.mark.docker, BOTH]


LIMIT = 64 << 20
# Some traffic, then page cache, which does not count.
SCRIPT = """
ping -q -c 3 -i 0.1 $(ip route | awk '/default/ {print $3}')
head -c 20000000 /dev/zero >/tmp/x
exec sleep 600
"""


def start(sweep: RawDocker, image: str, name: str, script: str, memory: int = LIMIT) -> str:
    host = {"Init": True, "Memory": memory, "NanoCpus": 500_000_000}
    return sweep.run(name, {"Image": image, "Cmd": ["sh", "-c", script], "HostConfig": host})


async def test_stats_of_what_runs_and_not_of_what_does_not(
    docker: DockerClient, image: str, run_id: str, sweep: RawDocker
) -> None:
    busy = start(sweep, image, f"{run_id}-busy", "while :; do :; done")
    ended = start(sweep, image, f"{run_id}-end", "true")
    meter = CpuMeter()

    async def measured() -> Usage | None:
        found = await stats.sample(docker, [busy, ended, f"{run_id}-none"], meter)
        assert set(found) <= {busy, ended}
        # Two samples of the daemon may be of the same second: then nothing was used between them.
        return found[busy] if busy in found and found[busy].cpu else None

    usage = await until(measured, what="two samples that differ")
    assert usage is not None
    assert usage.cpu is not None
    assert 0 < usage.cpu < 2
    assert usage.memory_limit == LIMIT
    assert 0 < usage.memory < LIMIT
    assert usage.pids >= 2


@pytest.mark.parametrize("memory", [LIMIT, 0], ids=["limited", "unlimited"])
async def test_cgroup_files_say_what_stats_say(
    docker: DockerClient, image: str, run_id: str, sweep: RawDocker, memory: int
) -> None:
    identity = start(sweep, image, f"{run_id}-idle", SCRIPT, memory)
    container = await docker.inspect_container(identity)
    if cgroups.sample([container], docker.host) is None:
        pytest.skip("the cgroup files of this engine cannot be seen from here")

    async def alike() -> bool:
        by_stats = (await stats.sample(docker, [identity]))[identity]
        by_files = cgroups.sample([container], docker.host)
        assert by_files is not None
        files = by_files[identity]
        assert abs(files.memory - by_stats.memory) < 2 << 20
        assert files.memory < 15 << 20  # the 20 MB written are page cache
        assert files.memory_limit == by_stats.memory_limit == memory
        assert files.pids == by_stats.pids
        assert (files.rx, files.tx) == (by_stats.rx, by_stats.tx)
        assert min(files.rx, files.tx) >= 3 * 98  # three echoes there and back
        return True

    await until(alike, what="the same numbers")


async def test_cpu_from_cgroup_files(docker: DockerClient, image: str, run_id: str, sweep: RawDocker) -> None:
    identity = start(sweep, image, f"{run_id}-busy", "while :; do :; done")
    container = await docker.inspect_container(identity)
    meter = CpuMeter()
    if cgroups.sample([container], docker.host, meter) is None:
        pytest.skip("the cgroup files of this engine cannot be seen from here")

    def busy() -> float | None:
        found = cgroups.sample([container], docker.host, meter)
        return found[identity].cpu if found else None

    assert await until(busy, what="used CPU") > 0
