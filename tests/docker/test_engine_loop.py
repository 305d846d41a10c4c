"""The loop on the real Docker Engine: deploy, scale, update, roll back, heal, hold, take down."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from orchtui.commands import Apply
from orchtui.core.identity import PROJECT
from orchtui.docker.client import DockerClient
from orchtui.errors import NotManaged, PlanRefused, Refused, StaleBase
from orchtui.model.snapshot import Status
from orchtui.model.spec import ServiceSpec
from tests.docker.loop import SLEEP, Loop, running, tree
from tests.support.until import until


@pytest_asyncio.fixture
async def loop(docker: DockerClient, tmp_path: Path, run_id: str) -> AsyncIterator[Loop]:
    async with running(Loop(docker, tmp_path, run_id)) as loop:
        yield loop


async def test_up_scale_and_down(loop: Loop, image: str, docker: DockerClient) -> None:
    standing = await loop.settled(await loop.up({"web": {"image": image}, "db": {"image": image}}))
    assert standing.revision == 1
    assert await loop.names() == ["db-1", "web-1"]
    (web,) = await loop.containers("web")
    assert web.restart_policy == "on-failure"
    assert [one.network for one in web.networks] == [f"{loop.stack}_default"]
    assert set(web.networks[0].aliases) >= {"web"}

    await loop.settled(await loop.scale("web", 5))
    assert await loop.names() == ["db-1", *(f"web-{slot}" for slot in range(1, 6))]
    await loop.settled(await loop.scale("web", 1))
    assert await loop.names() == ["db-1", "web-1"]

    await loop.down()
    await loop.gone()
    assert await loop.containers() == []
    assert not [one for one in await docker.list_networks() if one.name.startswith(loop.stack)]
    assert [one.number for one in await loop.reconciler.history(loop.stack)] == [1]


async def test_an_update_never_has_fewer_running_than_wished(loop: Loop, image: str) -> None:
    service = {"image": image, "deploy": {"replicas": 2}, "x-orchtui": {"ready_after": "300ms"}}
    await loop.settled(await loop.up({"web": service}))
    loop.events.clear()
    await loop.settled(await loop.up({"web": {**service, "environment": {"VERSION": "2"}}}))
    assert await loop.names() == ["web-1", "web-2"]
    assert await loop.revisions("web") == {"2"}
    alive = 2
    for event in loop.events:
        alive += {"start": 1, "die": -1}.get(event.action, 0)
        assert alive >= 2, [(one.action, one.attributes.get("name")) for one in loop.events]

    await loop.settled(await loop.roll_back("1"))
    assert await loop.revisions("web") == {"3"}
    history = await loop.reconciler.history(loop.stack)
    assert [(one.number, one.outcome, one.rollback_of) for one in history] == [
        (3, "completed", 1),
        (2, "completed", None),
        (1, "completed", None),
    ]
    changes = await loop.reconciler.diff(loop.stack, 1, 2)
    assert [(one.subject, one.field, one.new) for one in changes] == [("web", "environment.VERSION", "2")]


async def test_a_failing_update_pauses_and_the_old_one_serves(loop: Loop, image: str) -> None:
    await loop.settled(await loop.up({"web": {"image": image}}))
    (old,) = await loop.containers("web")
    standing = await loop.settled(await loop.up({"web": {"image": image, "command": ["sh", "-c", "exit 3"]}}))
    rollout = standing.services["web"].rollout
    assert rollout is not None
    assert rollout.state == "paused"
    assert any(words in rollout.message for words in ("code 3", "exit 3", "had to be restarted")), rollout
    still = {one.id: one for one in await loop.containers("web")}
    assert still[old.id].state == "running"
    assert still[old.id].restart_policy == "on-failure"

    async def kept() -> bool:
        rest = [one for one in await loop.containers("web") if one.id != old.id]
        return [(one.state, one.restart_policy) for one in rest] == [("exited", "no")]

    await until(kept, what="the failed one to be kept, stopped")
    assert (await loop.reconciler.history(loop.stack))[0].outcome == "failed"
    await loop.settled(await loop.roll_back("previous"))
    assert await loop.names() == ["web-1"]
    assert [one.id for one in await loop.containers()] == [old.id]


async def test_a_killed_and_a_removed_container_come_back(loop: Loop, image: str, docker: DockerClient) -> None:
    await loop.settled(await loop.up({"web": {"image": image, "restart": "always", "deploy": {"replicas": 2}}}))
    first, second = await loop.containers("web")
    await docker.kill(first.id)
    begun = time.monotonic()

    async def replaced() -> bool:
        return [one.id for one in await loop.containers("web") if one.id != first.id and one.state == "running"] != [
            second.id
        ]

    await until(replaced, what="a replacement to run")
    print(f"replaced after {time.monotonic() - begun:.2f} s")

    async def tidy() -> bool:
        found = await loop.containers("web")
        return await loop.names() == ["web-1", "web-2"] and first.id not in [one.id for one in found]

    await until(tidy, what="the dead one to be gone")
    await docker.remove(second.id, force=True)
    await until(tidy, what="the removed one to be replaced")


async def test_a_stop_from_outside_is_held_only_after_its_time(loop: Loop, image: str, docker: DockerClient) -> None:
    await loop.settled(await loop.up({"web": {"image": image, "restart": "always"}}))
    (web,) = await loop.containers("web")
    await docker.stop(web.id)
    await until(lambda: loop.reconciler._intent.pending(loop.stack), what="the stop to be noticed")
    loop.reconciler.touch(None)
    loop.shift = 21.0
    loop.reconciler.touch(None)
    await until(lambda: loop.service("web").held == (1,), what="the hold")
    assert loop.service("web").status is Status.STOPPED
    assert await loop.names() == ["web-1 exited"]

    async def disarmed() -> bool:
        return (await docker.inspect_container(web.id)).restart_policy == "no"

    await until(disarmed, what="the restart policy to be taken away")
    await docker.start(web.id)  # somebody starts it again: the hold is over, the policy comes back
    await until(lambda: loop.service("web").held == (), what="the hold to end")

    async def armed() -> bool:
        return (await docker.inspect_container(web.id)).restart_policy == "always"

    await until(armed, what="the restart policy to come back")

    loop.events.clear()
    await docker.stop(web.id)
    await until(lambda: loop.reconciler._intent.pending(loop.stack), what="the second stop to be noticed")
    loop.reconciler.note_gap()  # the stream broke: it may have been dockerd that stopped it

    async def back() -> bool:
        return await loop.names() == ["web-1"]

    await until(back, what="the service to be healed")


async def test_stop_start_and_restart_of_a_service(loop: Loop, image: str) -> None:
    await loop.settled(await loop.up({"web": {"image": image, "deploy": {"replicas": 2}}}))
    before = [one.id for one in await loop.containers("web")]
    standing = await loop.settled(await loop.act("stop", "web"))
    assert standing.services["web"].status is Status.STOPPED
    assert await loop.names() == ["web-1 exited", "web-2 exited"]
    await loop.settled(await loop.act("start", "web"))
    assert [one.id for one in await loop.containers("web")] == before
    assert await loop.names() == ["web-1", "web-2"]
    await loop.settled(await loop.act("restart", "web"))
    assert await loop.names() == ["web-1", "web-2"]
    assert not set(before) & {one.id for one in await loop.containers("web")}
    (first, _) = await loop.containers("web")
    await loop.settled(await loop.act_on("stop", first))
    assert await loop.names() == ["web-1 exited", "web-2"]
    await loop.settled(await loop.act_on("start", first))
    assert await loop.names() == ["web-1", "web-2"]


async def test_dependencies_gate_creation(loop: Loop, image: str) -> None:
    check = {"test": ["CMD", "test", "-e", "/tmp/ok"], "interval": "500ms", "retries": 20, "timeout": "5s"}
    services: dict[str, dict[str, Any]] = {
        "db": {
            "image": image,
            "command": ["sh", "-c", "sleep 1; touch /tmp/ok; exec sleep 10000"],
            "healthcheck": check,
        },
        "job": {"image": image, "command": ["true"], "restart": "no"},
        "web": {
            "image": image,
            "depends_on": {
                "db": {"condition": "service_healthy", "required": True},
                "job": {"condition": "service_completed_successfully", "required": True},
            },
        },
    }
    receipt = await loop.up(services)
    await until(lambda: loop.standing and "waits for" in loop.service("web").reason, what="web to wait")
    standing = await loop.settled(receipt)
    assert standing.services["job"].status is Status.COMPLETED
    db, job, web = await loop.containers()
    assert (db.health, job.state, web.state) == ("healthy", "exited", "running")
    assert web.created_at >= (job.finished_at or 0)


async def test_a_bad_command_is_given_up(loop: Loop, image: str) -> None:
    bad = {"image": image, "command": ["/no/such/thing"]}
    standing = await loop.settled(await loop.up({"web": {**bad, "init": False}}))
    assert standing.services["web"].status is Status.FAILED
    assert "no such" in standing.services["web"].reason
    standing = await loop.settled(await loop.up({"web": {"image": image, "command": ["false"]}}))
    assert standing.services["web"].status in (Status.FAILED, None)  # an update by now: the old form never worked
    assert not standing.services["web"].rollout or standing.services["web"].rollout.state == "paused"


async def test_a_cut_off_loop_is_continued(docker: DockerClient, tmp_path: Path, run_id: str, image: str) -> None:
    service = {"image": image, "deploy": {"replicas": 3}}
    first = Loop(docker, tmp_path, run_id)
    async with running(first):
        await first.settled(await first.up({"web": service}))
        receipt = await first.up({"web": {**service, "environment": {"VERSION": "2"}}})

        async def under_way() -> bool:
            return any("." in name for name in await first.names())

        await until(under_way, what="the first replacement")
    second = Loop(docker, tmp_path, run_id)
    async with running(second):
        await second.settled(receipt)
        assert await second.names() == ["web-1", "web-2", "web-3"]
        assert await second.revisions("web") == {"2"}
        assert second.reconciler.store_id == first.reconciler.store_id


async def test_refusals_change_nothing(loop: Loop, image: str, docker: DockerClient) -> None:
    spec = ServiceSpec(name="web", image=image, command=tuple(SLEEP), init=True)
    stranger = await docker.create_container(
        name=f"{loop.stack}-web-1", spec=spec, image=image, labels={PROJECT: loop.stack}, networks={}
    )
    with pytest.raises(NotManaged, match="did not make"):
        await loop.up({"web": {"image": image}})
    assert loop.standing is None
    await docker.remove(stranger)
    await loop.settled(await loop.up({"web": {"image": image}}))
    with pytest.raises(StaleBase):
        await loop.do(Apply(stack=loop.stack, tree=tree(loop.stack, {"web": {"image": image}}), base=7))
    plan = await loop.reconciler.plan(Apply(stack=loop.stack, tree=tree(loop.stack, {"web": {"image": image}}), base=1))
    assert plan.empty, plan
    with pytest.raises(Refused, match="managed"):
        await loop.act("remove", "web")


async def test_a_fixed_port_is_not_shared(loop: Loop, image: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    port = {"target": 80, "published": str(number), "host_ip": "127.0.0.1", "protocol": "tcp", "mode": "ingress"}
    await loop.settled(await loop.up({"web": {"image": image, "ports": [port]}}))
    with pytest.raises(PlanRefused, match=f"range such as {number}-{number + 1}:80"):
        await loop.scale("web", 2)
    await loop.settled(await loop.up({"web": {"image": image, "ports": [port], "environment": {"A": "1"}}}))
    assert await loop.names() == ["web-1"]


async def test_a_named_volume_is_replaced_stop_first_and_kept(loop: Loop, image: str, docker: DockerClient) -> None:
    mount = {"type": "volume", "source": "data", "target": "/data", "volume": {}}
    volumes = {"data": {"name": f"{loop.stack}_data"}}
    await loop.settled(await loop.up({"db": {"image": image, "volumes": [mount]}}, volumes=volumes))
    loop.events.clear()
    changed = {"db": {"image": image, "volumes": [mount], "environment": {"A": "1"}}}
    plan = await loop.reconciler.plan(Apply(stack=loop.stack, tree=tree(loop.stack, changed, volumes=volumes)))
    assert any("downtime" in risk and "two containers would write" in risk for risk in plan.risks), plan
    await loop.settled(await loop.up(changed, volumes=volumes))
    told = [one.action for one in loop.events if one.action in ("start", "die")]
    assert told == ["die", "start"]
    await loop.down()
    await loop.gone()
    assert [one.name for one in await docker.list_volumes() if one.name.startswith(loop.stack)] == [
        f"{loop.stack}_data"
    ]
    await loop.settled(await loop.up(changed, volumes=volumes))
    await loop.down(volumes=True)
    await loop.gone()
    assert not [one for one in await docker.list_volumes() if one.name.startswith(loop.stack)]


async def test_two_stops_at_once_do_not_delay_a_heal(loop: Loop, image: str, docker: DockerClient) -> None:
    """A stop that takes its whole grace runs beside the passes."""
    stubborn = {"image": image, "command": ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"], "init": False}
    await loop.settled(await loop.up({"slow": {**stubborn, "stop_grace_period": "8s"}, "web": {"image": image}}))
    await loop.act("stop", "slow")
    (web,) = await loop.containers("web")
    await docker.kill(web.id)

    async def healed() -> bool:
        slow = (await loop.containers("slow"))[0]
        assert slow.state == "running"
        return any(one.id != web.id and one.state == "running" for one in await loop.containers("web"))

    await until(healed, timeout=6, what="web to be healed while slow is stopping")
    await asyncio.gather(docker.kill((await loop.containers("slow"))[0].id), loop.down())
    await loop.gone()
