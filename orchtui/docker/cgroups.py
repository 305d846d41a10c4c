"""Usage from the kernel's own files: costs the daemon nothing, and us 80 µs a container (research/feasibility.md 4).

Works for an engine on this machine whose cgroup tree we can see. Blocking, though only on memory: callers with many
containers may run it in a thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from orchtui.docker.meter import CpuMeter
from orchtui.docker.stats import without_cache
from orchtui.model.observed import Container, Host
from orchtui.model.usage import Usage

ROOT = Path("/sys/fs/cgroup")
PROC = Path("/proc")
_UNLIMITED = 1 << 60  # cgroup v1 writes "no limit" as the largest page-aligned number


def sample(
    containers: Iterable[Container],
    host: Host,
    meter: CpuMeter | None = None,
    *,
    now: float | None = None,
    root: Path = ROOT,
    proc: Path = PROC,
) -> dict[str, Usage] | None:
    """Usage of the running `containers` by ID; None where the files cannot be read (another machine, another cgroup
    namespace, an unknown layout), so that the caller asks the daemon. One with a cgroup parent of its own, or whose
    processes we cannot see, is missing.
    """
    running = [container for container in containers if container.running]
    if not running:
        return {}
    read = _v2 if host.cgroup_version == 2 else _v1
    found: dict[str, Usage] = {}
    for container in running:
        at = time.time() if now is None else now
        try:
            usage = read(container, root, proc, at, meter)
        except (OSError, ValueError):  # it ended between two files
            usage = None
        if usage is not None:
            found[container.id] = usage
    return found or None


def _v1(container: Container, root: Path, proc: Path, at: float, meter: CpuMeter | None) -> Usage | None:
    for place in (f"docker/{container.id}", f"system.slice/docker-{container.id}.scope"):
        memory = root / "memory" / place
        if not memory.is_dir():
            continue
        process = _process(container, proc, memory / "cgroup.procs")
        if not process:
            return None
        stat = _table(memory / "memory.stat")
        limit = _number(memory / "memory.limit_in_bytes")
        return _usage(
            container,
            at=at,
            meter=meter,
            cpu=_number(root / "cpuacct" / place / "cpuacct.usage"),
            memory=without_cache(_number(memory / "memory.usage_in_bytes"), stat),
            limit=0 if limit >= _UNLIMITED else limit,
            pids=_optional(root / "pids" / place / "pids.current"),
            network=_network(proc, process),
        )
    return None


def _v2(container: Container, root: Path, proc: Path, at: float, meter: CpuMeter | None) -> Usage | None:
    for place in (f"system.slice/docker-{container.id}.scope", f"docker/{container.id}"):
        folder = root / place
        if not folder.is_dir():
            continue
        process = _process(container, proc, folder / "cgroup.procs")
        if not process:
            return None
        limit = (folder / "memory.max").read_text().strip()
        return _usage(
            container,
            at=at,
            meter=meter,
            cpu=_table(folder / "cpu.stat").get("usage_usec", 0) * 1000,
            memory=without_cache(_number(folder / "memory.current"), _table(folder / "memory.stat")),
            limit=0 if limit == "max" else int(limit),
            pids=_optional(folder / "pids.current"),
            network=_network(proc, process),
        )
    return None


def _usage(
    container: Container,
    *,
    at: float,
    meter: CpuMeter | None,
    cpu: int,
    memory: int,
    limit: int,
    pids: int,
    network: tuple[int, int],
) -> Usage:
    return Usage(
        container=container.id,
        at=at,
        cpu=meter.cores(container.id, at, cpu) if meter is not None else None,
        memory=memory,
        memory_limit=limit,
        rx=network[0],
        tx=network[1],
        pids=pids,
    )


def _number(file: Path) -> int:
    return int(file.read_text())


def _optional(file: Path) -> int:
    """A counter of a controller that may be switched off."""
    try:
        return _number(file)
    except (OSError, ValueError):
        return 0


def _table(file: Path) -> dict[str, int]:
    rows = (line.split() for line in file.read_text().splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2}


def _process(container: Container, proc: Path, procs: Path) -> int:
    """A process of the container by the number that it has here; 0 when we cannot see any.

    What Docker calls its PID is one of the daemon's PID namespace. Where that is not ours (orchtui in a container with
    the socket mounted, a daemon in a container) the number is free here, or somebody else's.
    """
    try:
        if container.pid and container.id in (proc / str(container.pid) / "cgroup").read_text():
            return container.pid
    except OSError:
        pass
    first = procs.read_text().partition("\n")[0]  # the kernel lists them by our numbers, and as 0 what we cannot see
    return int(first) if first else 0


def _network(proc: Path, pid: int) -> tuple[int, int]:
    """Bytes received and sent in the network namespace of a process, its loopback left out."""
    try:
        lines = (proc / str(pid) / "net" / "dev").read_text().splitlines()[2:]
    except OSError:  # it ended, or belongs to another user
        return 0, 0
    rx = tx = 0
    for line in lines:
        name, _, counters = line.partition(":")
        fields = counters.split()
        if name.strip() != "lo" and len(fields) >= 9:
            rx += int(fields[0])
            tx += int(fields[8])
    return rx, tx
