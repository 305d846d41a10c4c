"""The main screen on an engine in memory: what stands on the screen, and which commands keys lead to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from textual import events
from textual.app import App
from textual.pilot import Pilot

from orchtui.commands import Act, Apply, Command, Down, Rollback, Scale, Target
from orchtui.engine import Engine, LogRequest
from orchtui.errors import DockerConflict, DockerUnreachable, EngineUnavailable, PlanRefused
from orchtui.model.history import Revision
from orchtui.model.logs import LogBatch
from orchtui.model.observed import Container, Owner
from orchtui.model.plan import Plan
from orchtui.model.snapshot import Connection, Problem, Snapshot, Status
from orchtui.tui import shell
from orchtui.tui.app import OrchtuiApp
from orchtui.tui.screens.confirm import ConfirmScreen
from orchtui.tui.screens.describe import DescribeScreen
from tests.support.memory import LOOK, MemoryEngine
from tests.support.until import until
from tests.support.worlds import HOUR, NOW, container, log_lines, service, shop, snapshot, stack, usage
from tests.tui.cells import assert_harmless, line_with, text

WIDE, SMALL = (160, 50), (80, 24)


def app_on(engine: MemoryEngine, **options: Any) -> OrchtuiApp:
    return OrchtuiApp(engine, title_host="unix:///var/run/docker.sock", clock=lambda: NOW, **options)


@asynccontextmanager
async def console(
    engine: MemoryEngine, size: tuple[int, int] = WIDE, wait_for: str = "shop-worker-1", **options: Any
) -> AsyncIterator[tuple[OrchtuiApp, Pilot[None]]]:
    app = app_on(engine, **options)
    async with app.run_test(size=size, notifications=True) as pilot:
        if wait_for:
            await until(lambda: wait_for in text(app), what=f"{wait_for} on the screen")
        yield app, pilot


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
    await pilot.pause()


def named(world: Snapshot, name: str) -> Container:
    return next(one for one in world.containers.values() if one.name == name)


async def confirm(app: OrchtuiApp, pilot: Pilot[None]) -> None:
    await until(lambda: isinstance(app.screen, ConfirmScreen), what="the dialog")
    await press(pilot, "y")
    await until(lambda: not isinstance(app.screen, ConfirmScreen), what="the dialog to close")


async def executed(engine: MemoryEngine) -> Command:
    await until(lambda: engine.executed, what="a command")
    return engine.executed[-1][0]


# --- first things -----------------------------------------------------------------------------------------------------


async def test_all_panes_are_drawn_before_any_data() -> None:
    async with console(MemoryEngine(), wait_for="4 Logs") as (app, _):
        for part in ("1 Cluster", "2 Services", "3 Containers", "connecting to unix:///var/run/docker.sock …"):
            line_with(app, part)


async def test_four_panes_with_live_rows() -> None:
    world = shop()
    async with console(MemoryEngine(world)) as (app, _):
        head = line_with(app, "orchtui")
        for part in ("prod-7", "default", "Docker 26.1.4", "API 1.45", "✖ 2 problems", "● live"):
            assert part in head
        line_with(app, "✖ shop-worker-1 is crash-looping")
        assert "1/2" in line_with(app, "1 of 2 unhealthy")
        assert "8080→80" in line_with(app, "shop-web-1")


async def test_usage_appears_for_what_is_visible() -> None:
    world = shop()
    engine = MemoryEngine(world)
    async with console(engine) as (app, _):
        await until(lambda: engine.usage_requests, what="a usage stream")
        asked = engine.usage_requests[-1]
        assert asked is not None
        assert named(world, "shop-web-1").id in asked
        assert named(world, "backup").id not in asked, "it does not run"
        engine.emit_usage(usage(world))
        await until(lambda: "37%" in line_with(app, "shop-web-2") and "77M/256M" in line_with(app, "shop-web-2"))
        await until(lambda: "111%" in line_with(app, "shop/web "))


async def test_a_small_terminal_shows_one_pane_at_a_time() -> None:
    async with console(MemoryEngine(shop()), SMALL) as (app, pilot):
        assert "2 Services" in text(app)
        assert "READY" not in text(app)
        await press(pilot, "2")
        line_with(app, "READY")
        await press(pilot, "3")
        line_with(app, "RST")
        await press(pilot, "4")
        assert app.main.current == 4
        await press(pilot, "tab")
        line_with(app, "PROBLEMS")


async def test_resizing_rearranges() -> None:
    async with console(MemoryEngine(shop()), SMALL) as (app, pilot):
        await pilot.resize_terminal(200, 60)
        await until(lambda: "READY" in text(app) and "RST" in text(app) and "4 Logs" in text(app))
        await pilot.resize_terminal(80, 24)
        await until(lambda: "READY" not in text(app))


# --- selection --------------------------------------------------------------------------------------------------------


async def test_a_problem_narrows_everything_to_what_it_is_about() -> None:
    world = shop()
    engine = MemoryEngine(world)
    async with console(engine) as (app, pilot):
        await press(pilot, "j")
        await until(lambda: "Containers shop/api" in text(app))
        line_with(app, "Services shop · 4")
        assert app.main.containers.cursor_key == named(world, "shop-api-2").id
        await until(lambda: engine.open_logs and engine.open_logs[-1].target.name == "shop-api-2")


async def test_stack_service_container_logs_by_enter_and_back_by_escape() -> None:
    world = shop()
    engine = MemoryEngine(world)
    async with console(engine) as (app, pilot):
        app.main.cluster.select("stack:shop", by_person=True)
        await press(pilot, "enter")
        assert (app.main.current, app.main.stack) == (2, "shop")
        app.main.services.select("shop/web", by_person=True)
        await press(pilot, "enter", "enter")
        assert (app.main.current, app.main.service) == (4, "shop/web")
        await until(lambda: engine.open_logs and engine.open_logs[-1].target.name == "shop-web-1")
        engine.emit_logs(log_lines("hello from web"))
        await until(lambda: "hello from web" in text(app))
        for expected in ((3, "shop/web"), (2, "shop/web"), (2, None), (1, None)):
            await press(pilot, "escape")
            assert (app.main.current, app.main.service) == expected
        line_with(app, "Services shop · 4")
        await press(pilot, "escape")
        line_with(app, "Services all · 9")
        await press(pilot, "escape")
        assert app.is_running, "escape never quits"


async def test_logs_follow_the_cursor_once_it_rests() -> None:
    world = shop()
    engine = MemoryEngine(world)
    async with console(engine) as (_, pilot):
        await press(pilot, "3")
        await until(lambda: engine.open_logs and engine.open_logs[-1].target.name == "blog-app-1")
        before = len(engine.log_requests)
        await press(pilot, *"jjjjjj")
        await until(lambda: engine.open_logs[-1].target.name == "shop-web-1")
        assert len(engine.log_requests) - before <= 3, "rows that were only passed open few streams"
        assert len(engine.open_logs) == 1


async def test_a_container_that_logs_nothing_is_not_waited_for() -> None:
    async with console(MemoryEngine(shop())) as (app, _):
        await until(lambda: "no lines so far; new ones appear here" in text(app))
        assert "waiting for logs" not in text(app)


async def test_a_stream_that_ended_is_opened_again_when_the_container_is_back() -> None:
    world = shop()
    engine = MemoryEngine(world)
    async with console(engine) as (app, _):
        await until(lambda: engine.open_logs)
        engine.emit_logs(log_lines("last words"))
        await until(lambda: "last words" in text(app))
        engine.end_logs()
        await until(lambda: "-- end of the log" in text(app))
        worker = replace(named(world, "shop-worker-1"), started_at=NOW)
        engine.update(containers={**world.containers, worker.id: worker})
        await until(lambda: len(engine.log_requests) == 2)
        assert engine.log_requests[-1].since is not None, "from where it ended"


async def test_enter_on_a_problem_explains_it() -> None:
    async with console(MemoryEngine(shop())) as (app, pilot):
        await press(pilot, "enter")
        await until(lambda: isinstance(app.screen, DescribeScreen))
        await until(lambda: "shop-worker-1" in text(app))
        await press(pilot, "escape", "i")
        await until(lambda: isinstance(app.screen, DescribeScreen) and '"Id"' in text(app))


async def test_a_shell_is_opened_in_the_container(monkeypatch: pytest.MonkeyPatch) -> None:
    world = shop()
    opened: list[tuple[str, str]] = []

    async def remember(app: App[Any], engine: Engine, container: str, name: str) -> int:
        opened.append((container, name))
        return 0

    monkeypatch.setattr(shell, "open_shell", remember)
    async with console(MemoryEngine(world)) as (app, pilot):
        app.main.reveal(Target(kind="container", key=named(world, "shop-db-1").id))
        await press(pilot, "s")
        await until(lambda: opened == [(named(world, "shop-db-1").id, "shop-db-1")])


async def test_a_list_keeps_its_cursor_when_the_screen_is_left() -> None:
    async with console(MemoryEngine(shop())) as (app, pilot):
        await press(pilot, "3", "j", "j", "question_mark", "escape", "j")
        await until(lambda: app.main.containers.cursor_key == app.main.containers.listing.keys[3])


async def test_next_problem_goes_round() -> None:
    async with console(MemoryEngine(shop())) as (app, pilot):
        seen = []
        for _ in range(3):
            await press(pilot, "n")
            seen.append(app.main.cluster.cursor_key.rpartition(" shop-")[2])
        assert seen == ["api-2 is unhealthy", "worker-1 is crash-looping", "api-2 is unhealthy"]


async def test_filter_sort_faults_and_stopped() -> None:
    async with console(MemoryEngine(shop())) as (app, pilot):
        await press(pilot, "3", "slash", *"web")
        await until(lambda: len(app.main.containers.listing) == 3)
        await press(pilot, "enter")
        line_with(app, "/web")
        await press(pilot, "N")
        assert app.main.containers.listing.reverse
        await press(pilot, "ctrl+u", "ctrl+z")
        assert len(app.main.containers.listing) == 2
        await press(pilot, "ctrl+z", "full_stop")
        assert len(app.main.containers.listing) == 11
        await press(pilot, "slash", *"zzz", "escape")
        assert len(app.main.containers.listing) == 11, "a filter that was left is not kept"


async def test_zoom() -> None:
    async with console(MemoryEngine(shop())) as (app, pilot):
        await press(pilot, "3", "f")
        assert "READY" not in text(app)
        await press(pilot, "escape")
        assert "READY" in text(app)


async def test_log_keys() -> None:
    world = shop()
    engine = MemoryEngine(world)
    async with console(engine) as (app, pilot):
        await press(pilot, "4")
        await until(lambda: engine.open_logs)
        engine.emit_logs(log_lines(*(f"request {n}" for n in range(100)), names=("shop-worker-1",)))
        await until(lambda: "request 99" in text(app))
        await press(pilot, "slash", *"request 1$", "enter")
        await until(lambda: "none of 100 lines matches" in text(app))
        await press(pilot, "escape", "t", "w", "s")
        assert (app.main.logs.times, app.main.logs.wrap, app.main.logs.follow) == (True, True, False)
        await press(pilot, "2")
        await until(lambda: engine.log_requests[-1].since == NOW - 60)
        line_with(app, "1m")


# --- changes ----------------------------------------------------------------------------------------------------------


async def test_restart_asks_with_the_plan_and_executes() -> None:
    world = shop()
    engine = MemoryEngine(world)
    async with console(engine) as (app, pilot):
        await press(pilot, "2")
        app.main.services.select("shop/web", by_person=True)
        await press(pilot, "r")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        assert engine.executed == []
        await confirm(app, pilot)
        target = Target(kind="service", key="shop/web", name="shop/web")
        assert await executed(engine) == Act(verb="restart", target=target)
        assert engine.executed[-1][1].via == "console"
        await until(lambda: "accepted" in text(app), what="the receipt")


async def test_no_is_no() -> None:
    engine = MemoryEngine(shop())
    async with console(engine) as (app, pilot):
        await press(pilot, "3", "ctrl+k")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await press(pilot, "n")
        await until(lambda: not isinstance(app.screen, ConfirmScreen))
        assert engine.executed == []


async def test_marked_rows_share_a_dialog() -> None:
    engine = MemoryEngine(shop())
    async with console(engine) as (app, pilot):
        await press(pilot, "3", "space", "space", "r")
        await confirm(app, pilot)
        await until(lambda: len(engine.executed) == 2)
        assert [command.target.name for command, _ in engine.executed if isinstance(command, Act)] == [
            "blog-app-1", "blog-mysql-1",
        ]  # fmt: skip
        await until(lambda: not app.main.containers.marks)


async def test_scale_by_key() -> None:
    engine = MemoryEngine(shop())
    async with console(engine) as (app, pilot):
        await press(pilot, "2")
        app.main.services.select("shop/web", by_person=True)
        await press(pilot, "s", "plus", "plus", "enter")
        await confirm(app, pilot)
        assert await executed(engine) == Scale(service="shop/web", replicas=5)


async def test_roll_back_from_the_revisions() -> None:
    engine = MemoryEngine(shop())
    engine.revisions["shop"] = tuple(
        Revision(stack="shop", number=n, created_at=NOW - (9 - n) * HOUR, author="ada", cause="up", outcome="completed",
                 current=n == 7)
        for n in (7, 6, 5)
    )  # fmt: skip
    async with console(engine) as (app, pilot):
        app.main.cluster.select("stack:shop", by_person=True)
        await press(pilot, "z")
        await until(lambda: "ada" in text(app))
        await press(pilot, "j", "b")
        await confirm(app, pilot)
        assert await executed(engine) == Rollback(stack="shop", to="6")


async def test_taking_a_stack_down_and_deleting_a_container() -> None:
    world = shop()
    engine = MemoryEngine(world)
    async with console(engine) as (app, pilot):
        app.main.cluster.select("stack:shop", by_person=True)
        await press(pilot, "ctrl+d")
        await confirm(app, pilot)
        assert await executed(engine) == Down(stack="shop")
        app.main.reveal(Target(kind="container", key=named(world, "backup").id))
        await press(pilot, "ctrl+d")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await press(pilot, *"backup", "enter")
        await until(lambda: len(engine.executed) == 2)
        assert isinstance(engine.executed[-1][0], Act)
        assert engine.executed[-1][0].verb == "remove"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("scale shop/web 4", Scale(service="shop/web", replicas=4)),
        ("stop shop/db", Act(verb="stop", target=Target(kind="service", key="shop/db", name="shop/db"))),
        ("down shop --volumes", Down(stack="shop", volumes=True)),
        ("rollback shop 3", Rollback(stack="shop", to="3")),
    ],
)
async def test_typed_commands_are_planned(typed: str, expected: Command) -> None:
    engine = MemoryEngine(shop())
    async with console(engine) as (app, pilot):
        await press(pilot, "colon", *typed, "enter")
        await until(lambda: engine.planned, what="a plan")
        assert engine.planned == [expected]
        await until(lambda: isinstance(app.screen, ConfirmScreen))


async def test_what_is_typed_ahead_goes_to_the_line_not_to_the_table() -> None:
    engine = MemoryEngine(shop())
    async with console(engine) as (app, pilot):
        await press(pilot, "2")
        for key in ("colon", *"restart", "space", *"shop/web", "enter"):
            name = {" ": "space", "/": "slash"}.get(key, key)
            app.post_message(events.Key(name, key if len(key) == 1 else {"space": " "}.get(key)))
        await until(lambda: engine.planned, what="a plan")
        assert engine.planned == [Act(verb="restart", target=Target(kind="service", key="shop/web", name="shop/web"))]
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        assert len(app.screen_stack) == 2


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_a_command_that_goes_to_a_pane_leaves_the_focus_there(size: tuple[int, int]) -> None:
    async with console(MemoryEngine(shop()), size=size, wait_for="shop") as (app, pilot):
        focused: list[object] = []
        await press(pilot, "colon", *"svc shop", "enter")
        await until(lambda: app.focused is app.main.services, what="the services pane")
        app.main.watch(app.screen, "focused", lambda: focused.append(app.focused), init=False)
        for _ in range(5):
            await pilot.pause()
        assert focused == []
        await press(pilot, "slash", "ctrl+u", *"web")
        assert app.main.services.filter_text == "web"


async def test_the_menu_and_the_palette_lead_to_the_same_commands() -> None:
    world = shop()
    engine = MemoryEngine(world)
    async with console(engine) as (app, pilot):
        app.main.reveal(Target(kind="container", key=named(world, "shop-web-2").id))
        await press(pilot, "x", "p")
        await confirm(app, pilot)
        assert await executed(engine) == Act(
            verb="pause", target=Target(kind="container", key=named(world, "shop-web-2").id, name="shop-web-2")
        )
        await press(pilot, "ctrl+p", *"container registry", "enter")
        await until(lambda: app.main.containers.cursor_key == named(world, "registry-cache").id)


async def test_a_refusal_is_a_toast_with_its_hint() -> None:
    engine = MemoryEngine(shop())
    engine.refusal = PlanRefused("shop/web cannot be restarted.", details=("no room: 3 of 2 CPUs",), hint="Scale down.")
    async with console(engine) as (app, pilot):
        await press(pilot, "2", "r")
        await until(lambda: "cannot be restarted" in text(app))
        assert "no room: 3 of 2 CPUs" in text(app)
        assert "Scale down." in text(app)


async def test_a_plan_that_does_nothing_cannot_be_executed() -> None:
    engine = MemoryEngine(shop())
    engine.plan_answer = Plan(summary="nothing to do")
    async with console(engine) as (app, pilot):
        await press(pilot, "2", "r")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await press(pilot, "y", "escape")
        assert engine.executed == []


async def test_looking_only() -> None:
    engine = MemoryEngine(shop(), capabilities=LOOK)
    async with console(engine, look=True) as (app, pilot):
        assert "LOOK" in line_with(app, "orchtui")
        await press(pilot, "2", "r", "s", "ctrl+k", "ctrl+d", "x")
        assert (engine.planned, len(app.screen_stack)) == ([], 1)
        await press(pilot, "colon", *"restart shop/web", "enter")
        await until(lambda: "can only look" in text(app))
        assert engine.planned == []


async def test_a_stack_file_opens_with_its_plan(tmp_path: Any) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text("name: hello\nservices:\n  web:\n    image: busybox\n")
    engine = MemoryEngine(shop())
    async with console(engine, stack_files=(str(path),)) as (app, _):
        await until(lambda: engine.planned, what="a plan")
        planned = engine.planned[0]
        assert isinstance(planned, Apply)
        assert (planned.stack, list(planned.tree["services"])) == ("hello", ["web"])
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        assert engine.executed == []


async def test_a_wrong_stack_file_says_where(tmp_path: Any) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text("services:\n  web:\n    image: busybox\n    replcas: 3\n")
    engine = MemoryEngine(shop())
    async with console(engine, stack_files=(str(path),)) as (app, _):
        await until(lambda: "replcas" in text(app))
        assert "compose.yaml:4:" in text(app)
        assert engine.planned == []


# --- when Docker is away ----------------------------------------------------------------------------------------------


async def test_stale_data_says_how_old_it_is_and_stays() -> None:
    world = shop()
    engine = MemoryEngine(world)
    async with console(engine) as (app, _):
        gone = Connection(state="stale", since=NOW - 42, reason="nothing answers at the socket", hint="Is dockerd up?")
        engine.update(connection=gone)
        await until(lambda: "data is 42s old: nothing answers at the socket" in text(app))
        assert "Is dockerd up?" in text(app)
        assert "shop-web-1" in text(app), "the last world stays visible"
        assert "▲ stale" in line_with(app, "orchtui")
        engine.update(connection=world.connection)
        await until(lambda: "data is" not in text(app))


async def test_logs_go_on_when_docker_is_back() -> None:
    class Breaking(MemoryEngine):
        async def logs(self, request: LogRequest) -> AsyncIterator[LogBatch]:
            async for batch in super().logs(request):
                yield batch
            raise DockerUnreachable("The stream broke off.")

    world = shop()
    engine = Breaking(world)
    async with console(engine) as (app, _):
        await until(lambda: engine.open_logs)
        engine.emit_logs(log_lines("before"))
        engine.end_logs()
        await until(lambda: "The stream broke off." in text(app))
        engine.update(connection=Connection(state="stale", since=NOW, reason="gone"))
        await until(lambda: "▲ stale" in text(app))
        engine.update(connection=world.connection)
        await until(lambda: engine.open_logs)
        engine.emit_logs(log_lines("after"))
        await until(lambda: "before" in text(app) and "after" in text(app))


async def test_docker_away_from_the_start() -> None:
    connection = Connection(state="stale", since=NOW, reason="Permission denied.", hint="Add yourself to `docker`.")
    engine = MemoryEngine(Snapshot(seq=1, at=NOW, connection=connection))
    async with console(engine, wait_for="Permission denied.") as (app, _):
        line_with(app, "Add yourself to `docker`.")
        engine.show(replace(shop(), seq=2))
        await until(lambda: "shop-web-1" in text(app), what="it comes back by itself")


async def test_an_engine_that_goes_away_is_followed_again() -> None:
    class Flaky(MemoryEngine):
        calls = 0

        async def watch(self) -> AsyncIterator[Snapshot]:
            self.calls += 1
            if self.calls == 1:
                raise EngineUnavailable("The engine is gone.", hint="It is started again.")
            async for each in super().watch():
                yield each

    engine = Flaky(shop())
    async with console(engine, wait_for="The engine is gone.") as (app, _):
        await until(lambda: "shop-web-1" in text(app))


async def test_logs_that_cannot_be_read_say_why() -> None:
    class Mute(MemoryEngine):
        def logs(self, request: Any) -> Any:
            raise DockerConflict("The log driver keeps no logs.", hint="Use json-file.")

    async with console(Mute(shop())) as (app, _):
        await until(lambda: "The log driver keeps no logs." in text(app))
        line_with(app, "Use json-file.")


async def test_what_goes_away_is_not_selected_any_more() -> None:
    world = shop()
    engine = MemoryEngine(world)
    async with console(engine) as (app, pilot):
        app.main.cluster.select("stack:blog", by_person=True)
        await press(pilot, "enter")
        await until(lambda: app.main.stack == "blog")
        services = {key: one for key, one in world.services.items() if one.stack != "blog"}
        stacks = {key: one for key, one in world.stacks.items() if key != "blog"}
        containers = {key: one for key, one in world.containers.items() if one.stack != "blog"}
        engine.update(services=services, stacks=stacks, containers=containers)
        await until(lambda: app.main.stack is None and "Services all · 7" in text(app))


# --- themes and harm --------------------------------------------------------------------------------------------------


async def test_themes_switch_everything() -> None:
    async with console(MemoryEngine(shop())) as (app, pilot):
        names = [app.theme]
        for _ in range(2):
            await press(pilot, "ctrl+t")
            names.append(app.theme)
        assert names == ["orchtui-dark", "orchtui-light", "high-contrast"]
        await press(pilot, "colon", *"theme orchtui-light", "enter")
        assert app.theme == "orchtui-light"


async def test_an_unknown_theme_is_said(tmp_path: Any) -> None:
    async with console(MemoryEngine(shop()), theme="solarized") as (app, _):
        await until(lambda: "There is no theme solarized" in text(app))


EVIL = "\x1b]52;c;ZXZpbA==\x07[red]x[/red]\u202e\x9b2J"


def hostile() -> Snapshot:
    """A world in which everything that can be named has a name that means harm."""
    one = container(
        f"c{EVIL}", id="e" * 64, stack=f"s{EVIL}", service=f"v{EVIL}", image=f"i{EVIL}:1", owner=Owner.COMPOSE,
        labels={EVIL: EVIL},
    )  # fmt: skip
    service_ = service(f"s{EVIL}/v{EVIL}", (one,), status=Status.DEGRADED, reason=f"why{EVIL}")
    problem = Problem(severity=3, target=f"container:{one.id}", title=f"p{EVIL}", reason=f"r{EVIL}", since=NOW)
    connection = Connection(state="stale", since=NOW - 5, reason=f"gone{EVIL}", hint=f"do{EVIL}")
    world = snapshot((one,), (service_,), (stack(f"s{EVIL}", (service_,)),), problems=(problem,), connection=connection)
    assert world.host is not None
    return replace(world, host=replace(world.host, name=f"h{EVIL}", context=f"x{EVIL}"))


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_hostile_names_never_reach_the_terminal(size: tuple[int, int]) -> None:
    engine = MemoryEngine(hostile())
    async with console(engine, size, wait_for="[red]x[/red]") as (app, pilot):
        await until(lambda: engine.open_logs)
        engine.emit_logs(log_lines(EVIL, f"\x1b[31m{EVIL}", names=(f"n{EVIL}",)))
        for keys in (
            ("2",),
            ("3", "space"),
            ("4",),
            ("1", "j", "x"),
            ("escape", "r"),
            ("escape", "ctrl+p"),
            ("escape",),
        ):
            await press(pilot, *keys)
            assert_harmless(app)
        engine.refusal = DockerConflict(f"Conflict: {EVIL}", hint=EVIL)
        await press(pilot, "3", "r")
        await until(lambda: "Conflict" in text(app))
        assert_harmless(app)


async def test_what_is_copied_is_harmless() -> None:
    engine = MemoryEngine(hostile())
    async with console(engine, wait_for="[red]x[/red]") as (app, pilot):
        await press(pilot, "2", "c")
        assert "\x1b" not in app.clipboard
        assert "[red]x[/red]" in app.clipboard


async def test_nothing_is_painted_while_nothing_changes() -> None:
    world = shop()
    engine = MemoryEngine(world)
    async with console(engine) as (app, pilot):
        await until(lambda: engine.open_logs)
        await pilot.pause()
        painted = 0
        render = app.screen._compositor.render_update

        def counted(*args: Any, **kwargs: Any) -> Any:
            nonlocal painted
            painted += 1
            return render(*args, **kwargs)

        app.screen._compositor.render_update = counted  # type: ignore[method-assign]
        for _ in range(3):
            engine.update(at=NOW)
            await until(lambda: app.main.snapshot is not None and app.main.snapshot.seq > 1)
            app.main._tick()
            await pilot.pause()
        assert painted == 0
