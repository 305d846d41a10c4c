"""Commands that change something: what is asked, what is sent, what is waited for."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from orchtui.commands import Act, Down, Rollback, Scale, Target
from orchtui.errors import NotManaged, PlanRefused
from orchtui.model.plan import Plan, Step
from orchtui.model.snapshot import Snapshot, Status
from tests.support import worlds
from tests.unit.cli.conftest import Cli, shop_at


def executed(cli: Cli) -> list[object]:
    return [command for command, _ in cli.engine.executed]


def test_scale_without_a_terminal_proceeds(cli: Cli) -> None:
    result = cli("scale", "shop/web=5", "worker=0")
    assert result.code == 0
    assert executed(cli) == [Scale(service="shop/web", replicas=5), Scale(service="shop/worker", replicas=0)]
    assert result.out == "scale shop/web to 5: accepted\nscale shop/worker to 0: accepted\n"
    assert cli.asked[0][1] is True
    assert cli.engine.executed[0][1].via == "command line"


def test_on_a_terminal_the_plan_is_shown_and_asked_about(cli: Cli) -> None:
    result = cli("scale", "shop/web=5", stdin="y\n", terminal=True)
    assert result.code == 0
    assert "restart web-1" in result.out
    assert "Scale shop/web to 5? [y/N]" in result.out
    assert len(executed(cli)) == 1


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "yess\n"])
def test_anything_but_yes_changes_nothing(cli: Cli, answer: str) -> None:
    result = cli("down", "shop", stdin=answer, terminal=True)
    assert result.code == 1
    assert "Nothing was changed." in result.out
    assert executed(cli) == []


def test_yes_is_not_asked(cli: Cli) -> None:
    result = cli("down", "shop", "-y", terminal=True)
    assert result.code == 0
    assert "[y/N]" not in result.out
    assert executed(cli) == [Down(stack="shop")]


@pytest.mark.parametrize("argv", [("down", "shop", "--volumes"), ("rm", "shop/web")])
def test_what_loses_data_needs_its_name_also_with_yes(cli: Cli, argv: tuple[str, ...]) -> None:
    name = argv[1]
    result = cli(*argv, "-y")
    assert result.code == 64
    assert f"Add `--confirm {name}`" in result.err
    assert executed(cli) == []
    assert cli(*argv, "-y", "--confirm", "other").code == 64
    assert cli(*argv, "--confirm", name).code == 0
    assert len(executed(cli)) == 1


def test_what_loses_data_asks_for_its_name_on_a_terminal(cli: Cli) -> None:
    assert cli("down", "shop", "--volumes", "-y", stdin="y\n", terminal=True).code == 1
    assert executed(cli) == []
    result = cli("down", "shop", "--volumes", "-y", stdin="shop\n", terminal=True)
    assert "Type shop to go on" in result.out
    assert executed(cli) == [Down(stack="shop", volumes=True)]


def test_an_empty_plan_is_not_executed(cli: Cli) -> None:
    cli.engine.plan_answer = Plan(summary="web already has 3 containers")
    result = cli("scale", "shop/web=3")
    assert result.code == 0
    assert result.out == "web already has 3 containers\n"
    assert executed(cli) == []


@pytest.mark.parametrize(
    ("argv", "verb", "kind"),
    [
        (("restart", "shop"), "restart", "stack"),
        (("start", "shop/web"), "start", "service"),
        (("stop", "shop-db-1"), "stop", "container"),
        (("kill", "-s", "HUP", "backup"), "kill", "container"),
        (("rm", "--force", "backup", "--confirm", "backup"), "remove", "container"),
    ],
)
def test_direct_verbs(cli: Cli, argv: tuple[str, ...], verb: str, kind: str) -> None:
    assert cli(*argv).code == 0
    (command,) = executed(cli)
    assert isinstance(command, Act)
    assert (command.verb, command.target.kind) == (verb, kind)
    assert command.signal == ("HUP" if verb == "kill" else None)
    assert command.force == (verb == "remove")


def test_a_container_is_meant_by_its_id(cli: Cli) -> None:
    cli("stop", worlds.identifier("shop-web-2")[:12])
    target = Target(kind="container", key=worlds.identifier("shop-web-2"), name="shop-web-2")
    assert executed(cli) == [Act(verb="stop", target=target)]


def test_rollback_of_a_stack_and_of_a_service(cli: Cli) -> None:
    cli("rollback", "shop", "--to", "3", "--replicas")
    cli("rollback", "web", "--to", "stable")
    assert executed(cli) == [
        Rollback(stack="shop", to="3", replicas=True),
        Rollback(stack="shop", to="stable", service="web"),
    ]


def test_rollback_of_a_stack_that_is_down(cli: Cli) -> None:
    cli.engine.revisions = {"gone": ()}
    assert cli("rollback", "gone").code == 0
    assert executed(cli) == [Rollback(stack="gone")]
    assert "Did you mean shop or shop/db?" in cli("rollback", "shp").err


def test_look_changes_nothing(cli: Cli) -> None:
    result = cli("--look", "scale", "shop/web=5")
    assert result.code == 64
    assert "--look only looks" in result.err
    assert executed(cli) == []


def test_refusals_are_sentences_with_their_reasons(cli: Cli) -> None:
    cli.engine.refusal = PlanRefused(
        "web cannot be scaled to 5.", details=("x.yaml:3:5: error: port",), hint="Use a range."
    )
    result = cli("scale", "shop/web=5")
    assert result.code == 1
    assert result.err == "x.yaml:3:5: error: port\norchtui: web cannot be scaled to 5.\n  Use a range.\n"


def test_what_is_done_before_a_refusal_is_said(cli: Cli) -> None:
    engine = cli.engine

    async def refuse_second(command: object, actor: object) -> object:
        if engine.executed:
            raise NotManaged("db is not ours.")
        return await type(engine).execute(engine, command, actor)  # type: ignore[arg-type]

    cli.monkeypatch.setattr(engine, "execute", refuse_second)
    result = cli("stop", "shop/web", "shop/db")
    assert result.code == 1
    assert "What is above was done; the rest was not." in result.out


def test_wait_until_settled(cli: Cli) -> None:
    world = worlds.shop()
    cli.engine.serial = 4
    cli.engine.then = [
        shop_at(world, serial=4, settled=3, status=Status.UPDATING),
        shop_at(world, serial=4, settled=4, status=Status.HEALTHY),
    ]
    result = cli("scale", "shop/web=3", "--wait")
    assert result.code == 0
    assert result.out.endswith("shop is healthy: web 3/3 ready, api 1/2 ready, worker 0/1 ready, db 1/1 ready.\n")


def test_several_changes_of_one_stack_are_waited_for_as_one(cli: Cli) -> None:
    cli.engine.serial = 4
    cli.engine.then = [shop_at(worlds.shop(), serial=4, settled=4, status=Status.HEALTHY)]
    result = cli("scale", "shop/web=3", "shop/db=1", "--wait")
    assert result.code == 0
    assert result.out.count("shop is healthy") == 1


def test_wait_says_why_it_failed_and_what_to_do(cli: Cli) -> None:
    cli.engine.serial = 4
    cli.engine.then = [shop_at(worlds.shop(), serial=4, settled=4, status=Status.FAILED, reason="api never got ready")]
    result = cli("scale", "shop/web=3", "--wait")
    assert result.code == 1
    assert "shop is failed: api never got ready; shop/api: 1 of 2 unhealthy; shop/worker: exit 137" in result.err
    assert "`orchtui logs shop/api --tail 50`" in result.err
    assert "`orchtui rollback shop` goes back." in result.err


def test_wait_names_every_service_that_failed_and_shows_the_way_to_one_that_ran(cli: Cli) -> None:
    cli.engine.serial = 4
    world = shop_at(worlds.shop(), serial=4, settled=4, status=Status.FAILED, reason="2 of 4 services failed")
    failed = {
        "shop/api": replace(world.services["shop/api"], status=Status.FAILED, reason="no such image", containers=()),
        "shop/worker": replace(world.services["shop/worker"], status=Status.HEALTHY, reason=""),
        "shop/db": replace(world.services["shop/db"], status=Status.FAILED, reason="exit 3"),
    }
    cli.engine.then = [replace(world, services={**world.services, **failed})]
    result = cli("scale", "shop/web=3", "--wait")
    assert "shop is failed: 2 of 4 services failed; shop/api: no such image; shop/db: exit 3." in result.err
    assert "`orchtui logs shop/db --tail 50`" in result.err, "api never ran, so it has no logs"


def test_wait_gives_up_after_its_timeout(cli: Cli) -> None:
    cli.engine.serial = 4
    cli.engine.then = [shop_at(worlds.shop(), serial=4, settled=3, status=Status.UPDATING)]
    result = cli("scale", "shop/web=3", "--wait", "--timeout", "50ms")
    assert result.code == 1
    assert "Not done after 50ms; still waiting for api 1/2 ready, worker 0/1 ready." in result.err
    assert "goes on in the background" in result.err
    assert "api 1/2 ready, worker 0/1 ready\n" in result.out


def test_down_waits_until_the_stack_is_gone(cli: Cli) -> None:
    world = worlds.shop()
    cli.engine.serial = 9
    gone = replace(world, seq=5, stacks={key: each for key, each in world.stacks.items() if key != "shop"})
    cli.engine.then = [gone]
    result = cli("down", "shop", "--wait")
    assert result.code == 0
    assert result.out.endswith("shop is gone.\n")


def test_progress_is_one_line_on_a_terminal(cli: Cli) -> None:
    cli.engine.serial = 4
    cli.engine.then = [shop_at(worlds.shop(), serial=4, settled=3, status=Status.UPDATING)]
    result = cli("scale", "shop/web=3", "-y", "--wait", "--timeout", "50ms", terminal=True)
    assert "\r\x1b[Kapi 1/2 ready, worker 0/1 ready\r\x1b[K" in result.out


def test_ctrl_c_says_that_the_change_goes_on(cli: Cli) -> None:
    cli.engine.serial = 4

    async def interrupted() -> AsyncIterator[Snapshot]:
        yield worlds.shop()
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()

    def watch() -> AsyncIterator[Snapshot]:
        if cli.engine.executed:
            return interrupted()
        return type(cli.engine).watch(cli.engine)

    cli.monkeypatch.setattr(cli.engine, "watch", watch)
    result = cli("scale", "shop/web=3", "--wait")
    assert result.code == 130
    assert result.out.endswith("The change goes on in the background; `orchtui status` shows it.\n")


def test_without_wait_only_the_receipt_is_waited_for(cli: Cli) -> None:
    cli.engine.serial = 4
    assert cli("restart", "shop/web").code == 0


def test_an_in_process_engine_is_always_waited_for(cli: Cli) -> None:
    cli.engine.serial = 4
    cli.engine.then = [shop_at(worlds.shop(), serial=4, settled=4, status=Status.HEALTHY)]
    result = cli("scale", "shop/web=3", "--in-process")
    assert "shop is healthy" in result.out


def test_long_plans_are_cut_short(cli: Cli) -> None:
    steps = tuple(Step(verb="create", subject=f"web-{n}", cause="scale up") for n in range(60))
    cli.engine.plan_answer = Plan(summary="scale web", steps=steps, risks=("web is down for 3 s",), notes=("no pull",))
    result = cli("scale", "shop/web=60", stdin="n\n", terminal=True)
    assert "… and 20 more steps" in result.out
    assert "risk: web is down for 3 s" in result.out
    assert "note: no pull" in result.out
