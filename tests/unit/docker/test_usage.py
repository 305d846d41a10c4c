"""Usage from cgroup trees and from stats documents."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchtui.docker import cgroups
from orchtui.docker.meter import CpuMeter
from orchtui.docker.stats import usage
from orchtui.model.observed import Container, Host

ID = "c" * 64
ZEROS = " 0" * 7
NET_DEV = f"""Inter-| Receive | Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed
    lo:     999{ZEROS}      999{ZEROS}
  eth0:     732{ZEROS}      100{ZEROS}
  eth1:1000{ZEROS}       10{ZEROS}
"""


def host(version: int) -> Host:
    return Host(
        id="x",
        name="x",
        endpoint="unix:///x",
        context="default",
        engine_version="x",
        api_version="1.41",
        cgroup_version=version,
    )


def container(**fields: Any) -> Container:
    base = Container(id=ID, name="web", image="x", image_id="x", state="running", pid=42)
    return replace(base, **fields)


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    write(tmp_path / "proc", {"42/net/dev": NET_DEV, "42/cgroup": f"0::/docker/{ID}\n"})
    return tmp_path / "proc"


@pytest.mark.parametrize("place", [f"docker/{ID}", f"system.slice/docker-{ID}.scope"])
def test_version_1(tmp_path: Path, proc: Path, place: str) -> None:
    root = tmp_path / "cgroup"
    write(
        root,
        {
            f"memory/{place}/memory.usage_in_bytes": "5000\n",
            f"memory/{place}/memory.stat": "cache 9\ninactive_file 1\ntotal_inactive_file 1500\n",
            f"memory/{place}/memory.limit_in_bytes": "9223372036854771712\n",
            f"cpuacct/{place}/cpuacct.usage": "2000000000\n",
            f"pids/{place}/pids.current": "3\n",
        },
    )
    meter = CpuMeter()
    first = cgroups.sample([container()], host(1), meter, now=100.0, root=root, proc=proc)
    assert first is not None
    found = first[ID]
    assert (found.memory, found.memory_limit, found.pids, found.cpu) == (3500, 0, 3, None)
    assert (found.rx, found.tx) == (1732, 110)
    (root / f"cpuacct/{place}/cpuacct.usage").write_text("5000000000\n")
    second = cgroups.sample([container()], host(1), meter, now=102.0, root=root, proc=proc)
    assert second is not None
    assert second[ID].cpu == pytest.approx(1.5)


@pytest.mark.parametrize("place", [f"docker/{ID}", f"system.slice/docker-{ID}.scope"])
def test_version_2(tmp_path: Path, proc: Path, place: str) -> None:
    root = tmp_path / "cgroup"
    write(
        root,
        {
            f"{place}/memory.current": "5000\n",
            f"{place}/memory.stat": "anon 9\ninactive_file 1500\n",
            f"{place}/memory.max": "8000\n",
            f"{place}/cpu.stat": "usage_usec 2000000\nuser_usec 1\n",
            f"{place}/cgroup.procs": "42\n43\n",
        },
    )
    found = cgroups.sample([container(pid=0)], host(2), CpuMeter(), now=1.0, root=root, proc=proc)
    assert found is not None
    assert (found[ID].memory, found[ID].memory_limit, found[ID].pids, found[ID].rx) == (3500, 8000, 0, 1732)


def test_the_daemons_pid_counts_only_where_it_is_the_containers_here(tmp_path: Path, proc: Path) -> None:
    """A daemon in another PID namespace numbers its processes otherwise: 42 is a stranger here, 43 what it means."""
    strangers = NET_DEV.replace("732", "5")
    write(proc, {"42/cgroup": "0::/init.scope\n", "42/net/dev": strangers, "43/net/dev": NET_DEV})
    files = {"memory.current": "7\n", "memory.stat": "", "memory.max": "max\n", "cpu.stat": ""}
    write(tmp_path / f"docker/{ID}", files | {"cgroup.procs": "43\n44\n"})
    found = cgroups.sample([container()], host(2), root=tmp_path, proc=proc)
    assert found is not None
    assert found[ID].rx == 1732
    # None of its processes is visible: 0 is how the kernel lists those.
    for nobody in ("", "0\n0\n"):
        write(tmp_path / f"docker/{ID}", {"cgroup.procs": nobody})
        assert cgroups.sample([container()], host(2), root=tmp_path, proc=proc) is None


def test_no_files_means_ask_the_daemon_and_nothing_running_means_nothing(tmp_path: Path) -> None:
    for version in (1, 2):
        assert cgroups.sample([container()], host(version), root=tmp_path, proc=tmp_path) is None
        assert cgroups.sample([container(state="exited")], host(version), root=tmp_path, proc=tmp_path) == {}


def test_a_container_that_ends_between_two_files_is_left_out(tmp_path: Path, proc: Path) -> None:
    other = container(id="d" * 64)
    for item in (container(), other):
        write(tmp_path, {f"docker/{item.id}/memory.max": "max\n"})
    write(
        tmp_path,
        {f"docker/{ID}/{name}": "0 0\n" for name in ("cpu.stat", "memory.stat")}
        | {f"docker/{ID}/memory.current": "7\n"},
    )
    found = cgroups.sample([container(), other], host(2), root=tmp_path, proc=proc)
    assert found is not None
    assert set(found) == {ID}


def test_the_meter() -> None:
    meter = CpuMeter()
    assert meter.cores("a", 1.0, 0) is None
    assert meter.cores("a", 3.0, 1_000_000_000) == pytest.approx(0.5)
    assert meter.cores("a", 3.0, 1_000_000_000) is None  # the same sample again
    assert meter.cores("a", 4.0, 5) is None  # restarted: the counter fell
    assert meter.cores("a", 5.0, 5) == 0.0
    meter.keep(frozenset())
    assert meter.cores("a", 6.0, 5) is None


def document(**fields: Any) -> dict[str, Any]:
    return {
        "id": ID,
        "read": "2026-11-23T06:25:18Z",
        "cpu_stats": {"cpu_usage": {"total_usage": 5}},
        "memory_stats": {"usage": 100, "limit": 1000, "stats": {"total_inactive_file": 40, "inactive_file": 1}},
        "networks": {"eth0": {"rx_bytes": 1, "tx_bytes": 2}, "eth1": {"rx_bytes": 10, "tx_bytes": 20}},
        "pids_stats": {"current": 2},
    } | fields


def test_a_stats_document() -> None:
    found = usage(document(), "web", CpuMeter())
    assert found is not None
    assert (found.container, found.memory, found.memory_limit, found.rx, found.tx, found.pids) == (
        ID,
        60,
        1000,
        11,
        22,
        2,
    )
    assert found.cpu is None


def test_the_hosts_memory_is_no_limit() -> None:
    for memory, limit in ((1000, 0), (2000, 1000), (0, 1000)):
        found = usage(document(), ID, host_memory=memory)
        assert found is not None
        assert found.memory_limit == limit


def test_a_stopped_containers_document_is_none() -> None:
    assert usage(document(read="0001-01-01T00:00:00Z"), ID) is None
    assert usage(document(cpu_stats={}, memory_stats={}), ID) is None


def test_network_none_and_cache_larger_than_usage() -> None:
    odd = {"usage": 10, "stats": {"inactive_file": 40}}
    found = usage(document(networks=None, memory_stats=odd), ID)
    assert found is not None
    assert (found.rx, found.memory) == (0, 10)
