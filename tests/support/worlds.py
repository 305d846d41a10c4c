"""Hand-made snapshots with fixed times: the same world in every test and picture."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from orchtui.model.logs import LogBatch
from orchtui.model.observed import Container, Host, Owner, PortBinding
from orchtui.model.snapshot import Connection, Event, Problem, Service, Snapshot, Stack, Status
from orchtui.model.usage import Usage

NOW = 1_700_000_000.0
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
HOST = Host(
    id="ENGINE-1", name="prod-7", endpoint="unix:///var/run/docker.sock", context="default",
    engine_version="26.1.4", api_version="1.45", os="Debian GNU/Linux 12", kernel="6.1.0", architecture="x86_64",
    cpus=8, memory=16 * 2**30, cgroup_version=2, cgroup_driver="systemd",
)  # fmt: skip
LIVE = Connection(state="live", since=NOW - HOUR)


def identifier(name: str) -> str:
    """A container ID made from a name, so that it is the same in every run."""
    return hashlib.sha256(name.encode()).hexdigest()


def container(name: str, *, stack: str = "-", service: str = "", age: float = 2 * HOUR, **fields: Any) -> Container:
    """One container; running since `age` unless `fields` say otherwise."""
    values: dict[str, Any] = {
        "id": identifier(name), "name": name, "image": "busybox:1.36", "image_id": "sha256:" + identifier("image"),
        "state": "running", "created_at": NOW - age, "started_at": NOW - age, "inspected": True,
        "stack": stack, "service": service or name, "restart_policy": "always",
        "owner": Owner.PLAIN if stack == "-" else Owner.MANAGED,
    }  # fmt: skip
    return Container(**(values | fields))


def service(key: str, containers: Iterable[Container], **fields: Any) -> Service:
    """The service `stack/name` of these containers."""
    stack, _, name = key.rpartition("/")
    members = tuple(containers)
    running = sum(c.state == "running" for c in members)
    values: dict[str, Any] = {
        "key": key, "stack": stack, "name": name, "owner": members[0].owner if members else Owner.MANAGED,
        "image": members[0].image if members else "busybox:1.36", "status": Status.HEALTHY, "running": running,
        "ready": sum(c.state == "running" and c.health in ("none", "healthy") for c in members),
        "unhealthy": sum(c.health == "unhealthy" for c in members), "containers": tuple(c.id for c in members),
        "created_at": NOW - DAY, "updated_at": NOW - HOUR,
    }  # fmt: skip
    return Service(**(values | fields))


def stack(key: str, services: Iterable[Service], **fields: Any) -> Stack:
    members = tuple(services)
    values: dict[str, Any] = {
        "key": key, "name": key, "owner": members[0].owner if members else Owner.MANAGED, "status": Status.HEALTHY,
        "services": tuple(s.key for s in members),
    }  # fmt: skip
    return Stack(**(values | fields))


def snapshot(
    containers: Iterable[Container], services: Iterable[Service], stacks: Iterable[Stack], **fields: Any
) -> Snapshot:
    values: dict[str, Any] = {
        "seq": 1, "at": NOW, "connection": LIVE, "host": HOST,
        "containers": {c.id: c for c in containers}, "services": {s.key: s for s in services},
        "stacks": {s.key: s for s in stacks},
    }  # fmt: skip
    return Snapshot(**(values | fields))


def _port(host: int, inside: int) -> tuple[PortBinding, ...]:
    return (PortBinding(container_port=inside, host_ip="0.0.0.0", host_port=host),)


def shop() -> Snapshot:
    """A managed stack with an unhealthy service, a Compose project, a Swarm service and plain containers."""
    web = [
        container(f"shop-web-{n}", stack="shop", service="web", slot=n, image="shop/web:1.14.2", health="healthy",
                  revision=7, memory_limit=256 * 2**20, ports=_port(8079 + n, 80), age=HOUR + n * MINUTE)
        for n in (1, 2, 3)
    ]  # fmt: skip
    api = [
        container("shop-api-1", stack="shop", service="api", slot=1, image="shop/api:2.0.0-rc.3", health="healthy",
                  revision=7, memory_limit=512 * 2**20, age=HOUR),
        container("shop-api-2", stack="shop", service="api", slot=2, image="shop/api:2.0.0-rc.3", health="unhealthy",
                  failing_streak=9, revision=7, memory_limit=512 * 2**20, age=HOUR),
    ]  # fmt: skip
    worker = [
        container("shop-worker-1", stack="shop", service="worker", slot=1, image="shop/worker:2.0.0-rc.3",
                  state="restarting", exit_code=137, oom_killed=True, restart_count=14, revision=7, age=12 * MINUTE),
    ]  # fmt: skip
    postgres = [
        container("shop-db-1", stack="shop", service="db", slot=1, image="postgres:16.3", health="healthy", revision=6,
                  memory_limit=2 * 2**30, age=9 * DAY),
    ]  # fmt: skip
    blog = [
        container("blog-app-1", stack="blog", service="app", image="ghost:5.82", owner=Owner.COMPOSE, age=40 * DAY,
                  ports=_port(2368, 2368)),
        container("blog-mysql-1", stack="blog", service="mysql", image="mysql:8.4", owner=Owner.COMPOSE, age=40 * DAY),
    ]  # fmt: skip
    swarm = [
        container("metrics_agent.1.x2f", stack="metrics", service="agent", image="prom/node-exporter:v1.8.1",
                  owner=Owner.SWARM, age=3 * DAY),
    ]  # fmt: skip
    plain = [
        container("registry-cache", image="registry:2.8.3", age=200 * DAY, ports=_port(5000, 5000)),
        container("backup", image="restic/restic:0.16.4", state="exited", exit_code=0, age=6 * HOUR,
                  finished_at=NOW - 5 * HOUR, restart_policy="no"),
    ]  # fmt: skip
    services = [
        service("shop/web", web, desired=3, revision=7),
        service("shop/api", api, desired=2, revision=7, status=Status.DEGRADED, reason="1 of 2 unhealthy"),
        service("shop/worker", worker, desired=1, revision=7, status=Status.DEGRADED,
                reason="exit 137: killed by SIGKILL (out of memory), 14 restarts"),
        service("shop/db", postgres, desired=1, revision=6),
        service("blog/app", blog[:1]),
        service("blog/mysql", blog[1:]),
        service("metrics/agent", swarm, desired=1),
        service("-/registry-cache", plain[:1]),
        service("-/backup", plain[1:], status=Status.STOPPED),
    ]  # fmt: skip
    stacks = [
        stack("shop", services[:4], status=Status.DEGRADED, reason="2 of 4 services degraded", revision=7),
        stack("blog", services[4:6]),
        stack("metrics", services[6:7]),
        stack("-", services[7:]),
    ]
    problems = (
        Problem(severity=3, target=f"container:{worker[0].id}", title="shop-worker-1 is crash-looping",
                reason="exit 137: killed by SIGKILL (out of memory)", since=NOW - 12 * MINUTE),
        Problem(severity=2, target=f"container:{api[1].id}", title="shop-api-2 is unhealthy",
                reason="9 probes failed in a row", since=NOW - 4 * MINUTE),
    )  # fmt: skip
    events = (
        Event(id=1, at=NOW - 12 * MINUTE, subject="shop-worker-1", text="died with exit 137", severity="error"),
        Event(id=2, at=NOW - 4 * MINUTE, subject="shop-api-2", text="became unhealthy", severity="warning"),
    )
    return snapshot(
        [*web, *api, *worker, *postgres, *blog, *swarm, *plain], services, stacks, problems=problems, events=events
    )


def usage(world: Snapshot, step: int = 0) -> Mapping[str, Usage]:
    """A repeatable usage sample of every running container; `step` moves it a little."""
    result = {}
    for index, one in enumerate(c for c in world.containers.values() if c.state == "running"):
        cpu = ((index * 37 + step * 13) % 97) / 100
        memory = (24 + (index * 53 + step * 7) % 180) * 2**20
        result[one.id] = Usage(
            container=one.id, at=NOW + 2.0 * step, cpu=cpu, memory=memory, memory_limit=one.memory_limit
        )
    return result


def log_lines(*lines: str, names: tuple[str, ...] = ("shop-web-1",), stderr: bool = False) -> LogBatch:
    """One batch: line n comes from source n modulo the number of names, one second apart."""
    count = len(lines)
    return LogBatch(
        names=names, times=tuple(NOW - count + n for n in range(count)),
        source=tuple(n % len(names) for n in range(count)), stderr=(stderr,) * count, lines=lines,
    )  # fmt: skip
