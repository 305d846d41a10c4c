"""Usage by asking the daemon, one shot a container: for engines whose cgroup files we cannot read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from orchtui.docker import parse
from orchtui.docker.connection import Connection, fan_out, path
from orchtui.docker.meter import CpuMeter
from orchtui.errors import DockerNotFound, DockerRefused
from orchtui.model.usage import Usage

# Engine 20.10 lets each call wait for its 1 s collector: a round takes 1 s however many run at once (feasibility.md 4).
FAN_OUT = 64
TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5, sock_connect=5)


async def sample(client: Connection, containers: Sequence[str], meter: CpuMeter | None = None) -> dict[str, Usage]:
    """Usage by full container ID; what does not run, or vanished, is missing. CPU is None without a `meter`, and in its
    first round. Raises DockerUnreachable.
    """

    async def one(container: str) -> Usage | None:
        try:
            document = await client.read_json(
                path("containers", container, "stats"),
                doing=f"measure container {container}",
                params={"stream": "0", "one-shot": "1"},
                on_streams=True,
                timeout=TIMEOUT,
            )
        except (DockerNotFound, DockerRefused):
            return None
        return usage(document, container, meter, host_memory=client.host.memory)

    found = await fan_out(list(containers), one, limit=FAN_OUT)
    return {item.container: item for item in found if item is not None}


def usage(
    document: Mapping[str, Any], container: str, meter: CpuMeter | None = None, *, host_memory: int = 0
) -> Usage | None:
    """One stats document; None for a container that does not run (its `read` is Go's zero time, its counters are 0).

    The daemon gives `host_memory` (bytes, 0 where it is unknown) as the limit of a container that has none.
    """
    at = parse.seconds(document.get("read"))
    cpu = document.get("cpu_stats") or {}
    memory = document.get("memory_stats") or {}
    used = int((cpu.get("cpu_usage") or {}).get("total_usage") or 0)
    if at is None or (not used and not memory.get("usage")):
        return None
    identity = str(document.get("id") or container)
    networks = (document.get("networks") or {}).values()
    limit = int(memory.get("limit") or 0)
    return Usage(
        container=identity,
        at=at,
        cpu=meter.cores(identity, at, used) if meter is not None else None,
        memory=without_cache(int(memory.get("usage") or 0), memory.get("stats") or {}),
        memory_limit=0 if limit == host_memory else limit,
        rx=sum(int(network.get("rx_bytes") or 0) for network in networks),
        tx=sum(int(network.get("tx_bytes") or 0) for network in networks),
        pids=int((document.get("pids_stats") or {}).get("current") or 0),
    )


def without_cache(used: int, stat: Mapping[str, int]) -> int:
    """Memory as `docker stats` shows it: without inactive page cache, which the kernel gives back when it is needed.

    Source: docker/cli cli/command/container/stats_helpers.go, calculateMemUsageUnixNoCache (cgroup v1 names the total
    of the tree `total_inactive_file`, v2 has `inactive_file`).
    """
    for key in ("total_inactive_file", "inactive_file"):
        if key in stat:
            cache = int(stat[key])
            return used - cache if cache < used else used
    return used
