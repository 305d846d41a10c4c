"""What every Engine does, on a real Docker Engine (marker `docker`, set by the fixtures)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from orchtui.commands import Act, ActVerb, Apply, Down, Rollback, Scale, Target
from orchtui.engine import Capability, Engine, LogRequest
from orchtui.errors import DockerNotFound, NotFound, OrchtuiError, PlanRefused, StackFileError
from orchtui.model.observed import Owner
from orchtui.model.snapshot import Snapshot
from tests.contract.conftest import ACTOR, Project, container, restart, service

WEB = """
  web:
    image: IMAGE
    init: true
    command: ["sh", "-c", "echo started; while :; do sleep 1; done"]
    environment: {GREETING: hello, API_PASSWORD: hunter2}
    labels: {note: first}
    deploy: {replicas: 2}
"""
QUICK = 20.0
VERBS: tuple[tuple[ActVerb, str], ...] = (
    ("start", "running"),
    ("pause", "paused"),
    ("unpause", "running"),
    ("stop", "exited"),
)


def changed(services: str) -> str:
    return services.replace("hello", "goodbye").replace("first", "second")


async def test_the_first_snapshot_names_the_host(engine: Engine) -> None:
    async with asyncio.timeout(QUICK):
        async for snapshot in engine.watch():
            if snapshot.connection.state == "live":
                break
    assert snapshot.host is not None
    assert snapshot.host.engine_version
    assert snapshot.host.endpoint
    assert engine.capabilities >= {Capability.STACKS, Capability.ACT, Capability.EXEC, Capability.LOGS}


async def test_apply_settles_then_changes_nothing_then_down_leaves_nothing(project: Project) -> None:
    receipt = await project.apply(WEB)
    assert (receipt.stack, receipt.revision) == (project.name, 1)
    snapshot = await project.settled(receipt)
    web = snapshot.services[f"{project.name}/web"]
    assert (web.owner, web.desired, web.running, web.ready) == (Owner.MANAGED, 2, 2, 2)
    assert len(project.on_docker()) == 2
    assert len(project.on_docker("networks")) == 1

    before = [item.id for item in await project.containers()]
    again = await project.apply(WEB)
    assert again.revision in (None, 1)
    assert [item.id for item in await project.containers()] == before

    await project.execute(Down(stack=project.name))
    assert project.on_docker() == []
    assert project.on_docker("networks") == []
    assert [item.number for item in await project.engine.history(project.name)] == [1]


async def test_the_plan_of_what_is_there_is_empty(project: Project) -> None:
    first = project.tree(WEB)
    preview = await project.engine.plan(first)
    assert [step.verb for step in preview.steps].count("create") == 2
    assert project.on_docker() == []
    await project.apply(WEB)
    assert (await project.engine.plan(first)).empty
    assert not (await project.engine.plan(project.tree(changed(WEB)))).empty


async def test_scale_up_and_down(project: Project) -> None:
    await project.apply(WEB)
    kept = {item.id for item in await project.containers()}
    await project.execute(Scale(service=f"{project.name}/web", replicas=4))
    grown = await project.containers()
    assert len(grown) == 4
    assert kept < {item.id for item in grown}
    await project.execute(Scale(service=f"{project.name}/web", replicas=1))
    assert len(await project.containers()) == 1
    assert len(project.on_docker()) == 1


async def test_what_is_killed_behind_our_back_comes_back(project: Project) -> None:
    await project.apply(WEB)
    victim, survivor = await project.containers()
    project.raw.call("POST", f"/containers/{victim.id}/kill")

    def healed(snapshot: Snapshot) -> bool:
        now = {item.id for item in project.running(snapshot)}
        return len(now) == 2 and survivor.id in now and victim.id not in now

    await project.seen(healed, what="two containers again, one of them new")


async def test_a_restart_replaces_one_after_the_other(project: Project) -> None:
    await project.apply(WEB)
    before = {item.id for item in await project.containers()}
    receipt = await project.engine.execute(restart(service(project.name)), ACTOR)
    fewest = 2
    async with asyncio.timeout(60):
        async for snapshot in project.engine.watch():
            fewest = min(fewest, snapshot.services[f"{project.name}/web"].ready)
            if snapshot.stacks[project.name].settled >= receipt.serial:
                break
    after = {item.id for item in await project.containers()}
    assert len(after) == 2
    assert not after & before
    assert fewest == 2  # start-first: the old one stays until the new one is ready


async def test_a_changed_file_is_a_revision_and_a_rollback_undoes_it(project: Project) -> None:
    await project.apply(WEB)
    receipt = await project.apply(changed(WEB))
    assert receipt.revision == 2
    assert {item.labels["note"] for item in await project.containers()} == {"second"}
    newest, oldest = await project.engine.history(project.name)
    assert (newest.number, newest.current, oldest.number, oldest.current) == (2, True, 1, False)
    assert newest.outcome == "completed"
    assert ACTOR.via in newest.author or newest.author

    changes = await project.engine.diff(project.name, 1, 2)
    assert any(item.old == "hello" and item.new == "goodbye" for item in changes)
    assert not any("hunter2" in f"{item.old}{item.new}" for item in changes)

    back = await project.execute(Rollback(stack=project.name, to="1"))
    assert back.revision == 3
    assert {item.labels["note"] for item in await project.containers()} == {"first"}
    assert (await project.engine.history(project.name))[0].rollback_of == 1


async def test_describe_masks_secrets(project: Project) -> None:
    await project.apply(WEB)
    (one, *_) = await project.containers()
    for target in (container(one), service(project.name), Target(kind="stack", key=project.name)):
        description = await project.engine.describe(target)
        text = f"{description}"
        assert description.sections
        assert "hunter2" not in text
    assert "GREETING" in f"{await project.engine.describe(container(one))}"


async def test_logs_of_a_service_and_following_one_container(project: Project) -> None:
    await project.apply(WEB)
    lines: list[str] = []
    async with asyncio.timeout(QUICK):
        async for batch in project.engine.logs(LogRequest(target=service(project.name))):
            lines += batch.lines
            assert {batch.names[index] for index in batch.source} <= {item.name for item in await project.containers()}
    assert lines == ["started", "started"]
    (one, *_) = await project.containers()
    async with asyncio.timeout(QUICK):
        async for batch in project.engine.logs(LogRequest(target=container(one), follow=True)):
            if batch.lines:
                break
    assert batch.lines == ("started",)


async def test_exec_talks_to_a_process_and_keeps_its_exit_code(project: Project) -> None:
    await project.apply(WEB)
    (one, *_) = await project.containers()
    async with asyncio.timeout(QUICK):
        session = await project.engine.open_exec(one.id, ("sh", "-c", "read line; echo got $line; exit 3"), tty=True)
        try:
            await session.resize(100, 30)
            await session.write(b"water\n")
            output = bytearray()
            while data := await session.read():
                output += data
            assert b"got water" in output
            assert await session.exit_code() == 3
        finally:
            await session.aclose()


async def test_direct_verbs_on_a_container_of_nobody(project: Project) -> None:
    created = project.raw.call(
        "POST",
        "/containers/create",
        params={"name": f"{project.name}-plain"},
        body={"Image": project.image, "Cmd": ["sleep", "1000"], "HostConfig": {"Init": True}},
    )
    plain = Target(kind="container", key=created["Id"], name=f"{project.name}-plain")

    await project.seen(lambda snapshot: plain.key in snapshot.containers, what="the container is in the picture")
    for verb, state in VERBS:  # one right after the other: none may go by what the one before it changed
        await project.engine.execute(Act(verb=verb, target=plain), ACTOR)
        assert project.raw.inspect(plain.key)["State"]["Status"] == state
    await project.engine.execute(Act(verb="remove", target=plain), ACTOR)
    assert project.raw.call("GET", f"/containers/{plain.key}/json", allow=(404,)).get("State") is None


async def test_refusals_have_the_same_class_everywhere(project: Project) -> None:
    name, engine = project.name, project.engine
    misspelt = Apply(stack=name, tree={"name": name, "services": {"web": {"replcas": 1}}})
    calls: tuple[tuple[Awaitable[object], type[OrchtuiError] | tuple[type[OrchtuiError], ...]], ...] = (
        (engine.history(name), NotFound),
        (engine.diff(name, 1, 2), NotFound),
        (engine.plan(Scale(service=f"{name}/web", replicas=2)), NotFound),
        (engine.execute(Scale(service=f"{name}/web", replicas=2), ACTOR), NotFound),
        (engine.plan(Down(stack=name)), NotFound),
        (engine.plan(Rollback(stack=name)), NotFound),
        (engine.describe(Target(kind="container", key="0" * 64)), NotFound),
        (engine.execute(Act(verb="stop", target=Target(kind="container", key="0" * 64)), ACTOR), NotFound),
        (engine.open_exec("0" * 64, ("sh",)), (NotFound, DockerNotFound)),
        (engine.plan(misspelt), (PlanRefused, StackFileError)),
        (engine.execute(misspelt, ACTOR), (PlanRefused, StackFileError)),
    )
    for call, kind in calls:
        with pytest.raises(kind) as caught:
            await call
        assert caught.value.message
    with pytest.raises((NotFound, DockerNotFound)):
        await anext(aiter(engine.logs(LogRequest(target=Target(kind="container", key="0" * 64)))))
