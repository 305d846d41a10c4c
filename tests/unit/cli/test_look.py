"""status, ls, ps, inspect, history, diff, logs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from orchtui.cli.output import display_width
from orchtui.cli.status import ports
from orchtui.errors import DockerUnreachable
from orchtui.model.history import Revision
from orchtui.model.observed import PortBinding
from orchtui.model.plan import Change
from orchtui.model.snapshot import Connection, Status
from tests.support import worlds
from tests.unit.cli.conftest import Cli, ScriptedEngine

ESC = "\x1b"


def test_status_lists_problems_first_and_exits_1(cli: Cli) -> None:
    result = cli("status")
    assert result.code == 1
    lines = result.out.splitlines()
    assert lines[0] == "2 problems:"
    assert "critical" in lines[2]
    assert "shop-worker-1 is crash-looping" in lines[2]
    assert "Docker 26.1.4 (API 1.45) on prod-7" in result.out
    assert "unix:///var/run/docker.sock, context default, 8 CPUs" in result.out
    assert result.out.index("problems") < result.out.index("Docker 26") < result.out.index("STACK")
    assert result.err == ""
    assert cli.asked[0][1] is False


def test_status_of_a_healthy_host_exits_0(cli: Cli) -> None:
    world = worlds.shop()
    services = {key: replace(each, status=Status.HEALTHY) for key, each in world.services.items()}
    cli.engine.show(replace(world, problems=(), services=services))
    result = cli("status")
    assert result.code == 0
    assert result.out.startswith("No problems.\n")


def test_status_without_docker_exits_2_and_says_what_to_do(cli: Cli) -> None:
    cli.failure = DockerUnreachable("Nothing answers at unix:///x.", hint="Start Docker: systemctl start docker.")
    result = cli("status")
    assert result.code == 2
    assert result.out == ""
    assert result.err == "orchtui: Nothing answers at unix:///x.\n  Start Docker: systemctl start docker.\n"


def test_status_while_docker_is_away_exits_2_with_the_last_data(cli: Cli) -> None:
    stale = Connection(state="stale", since=worlds.NOW, reason="The stream ended.", hint="Look at the daemon.")
    cli.engine.show(replace(worlds.shop(), connection=stale))
    result = cli("status")
    assert result.code == 2
    assert "STACK" in result.out
    assert "The stream ended." in result.err
    assert cli("ls").code == 69


def test_status_json(cli: Cli) -> None:
    result = cli("status", "--json")
    document = json.loads(result.out)
    assert result.code == 1
    assert document["healthy"] is False
    assert document["docker"]["engine_version"] == "26.1.4"
    assert document["problems"][0]["subject"] == "shop-worker-1"
    assert document["stacks"][0]["services"][0]["key"] == "shop/web"
    cli.failure = DockerUnreachable("Nothing answers.", hint="Start it.")
    result = cli("status", "--json")
    assert result.code == 2
    assert json.loads(result.out)["error"] == {"message": "Nothing answers.", "hint": "Start it."}


def test_ls(cli: Cli) -> None:
    result = cli("ls")
    assert result.code == 0
    shop = next(line for line in result.out.splitlines() if line.startswith("shop"))
    assert shop.split()[:6] == ["shop", "orchtui", "degraded", "4", "5/7", "7"]
    stacks = json.loads(cli("ls", "--json").out)
    assert [stack["key"] for stack in stacks] == ["shop", "blog", "metrics", "-"]


def test_ps_of_everything_and_of_one_service(cli: Cli) -> None:
    result = cli("ps")
    assert result.code == 0
    assert "restarting, exit 137: killed by SIGKILL (out of memory)" in result.out
    assert "8080->80" in result.out
    one = cli("ps", "shop/web").out
    assert [line.split()[0] for line in one.splitlines()] == ["NAME", "shop-web-1", "shop-web-2", "shop-web-3"]
    assert cli("ps", "web").out == one


def test_ps_fits_80_columns(cli: Cli) -> None:
    result = cli("ps", terminal=True)
    text = result.out
    for code in ("0", "1", "2", "31", "32", "33"):
        text = text.replace(f"{ESC}[{code}m", "")
    assert max(display_width(line) for line in text.splitlines()) <= 80


def test_ps_json_has_no_labels(cli: Cli) -> None:
    containers = json.loads(cli("ps", "--json").out)
    worker = next(each for each in containers if each["name"] == "shop-worker-1")
    assert worker["exit"].startswith("exit 137")
    assert worker["restart_count"] == 14
    assert "labels" not in worker


def test_names_from_docker_cannot_steer_the_terminal(cli: Cli) -> None:
    evil = worlds.container(f"evil{ESC}]0;owned\x07")
    cli.engine.show(worlds.snapshot([evil], [worlds.service("-/evil", [evil])], []))
    result = cli("ps", terminal=True)
    assert f"{ESC}]" not in result.out
    assert "\x07" not in result.out
    assert "evil␛]0;owned␇" in result.out


def test_unknown_names_get_a_suggestion(cli: Cli) -> None:
    result = cli("ps", "shop/wbe")
    assert result.code == 1
    assert "Did you mean shop/web" in result.err


def test_ambiguous_names_list_their_candidates(cli: Cli) -> None:
    app = worlds.container("app", stack="two", service="web")
    world = worlds.shop()
    extra = worlds.service("two/web", [app])
    cli.engine.show(
        replace(
            world,
            containers={**world.containers, app.id: app},
            services={**world.services, extra.key: extra},
            stacks={**world.stacks, "two": worlds.stack("two", [extra])},
        )
    )
    result = cli("ps", "web")
    assert result.code == 64
    assert "`web` could be shop/web, two/web." in result.err
    assert "Write one of them in full, such as shop/web." in result.err


def test_a_plain_containers_name_means_the_container(cli: Cli) -> None:
    assert cli("ps", "backup").code == 0
    assert cli("ps", worlds.identifier("backup")[:8]).out == cli("ps", "container:backup").out


def test_ports() -> None:
    both = [PortBinding(container_port=80, host_ip=ip, host_port=8080) for ip in ("0.0.0.0", "::")]
    udp = PortBinding(container_port=53, protocol="udp")
    local = PortBinding(container_port=1, host_ip="127.0.0.1", host_port=2)
    assert ports([*both, udp, local]) == "8080->80, 53/udp, 127.0.0.1:2->1"


def test_inspect(cli: Cli) -> None:
    result = cli("inspect", "shop-web-1")
    assert result.code == 0
    assert "  state  running" in result.out
    document = json.loads(cli("inspect", "shop/web", "--json").out)
    assert document["kind"] == "service"
    assert document["key"] == "shop/web"
    assert document["document"] == {"Id": "shop/web"}


def revisions() -> tuple[Revision, ...]:
    first = Revision(
        stack="shop", number=1, created_at=worlds.NOW, author="ann", cause="up", outcome="completed", stable=True
    )
    return (
        replace(first, number=2, cause="rollback", outcome="failed", rollback_of=1, current=True, stable=False),
        first,
    )


def test_history_also_of_a_stack_that_is_down(cli: Cli) -> None:
    cli.engine.revisions = {"gone": revisions()}
    result = cli("history", "gone")
    assert result.code == 0
    assert [line.split()[0] for line in result.out.splitlines()] == ["REVISION", "2", "1"]
    assert "current, rollback to 1" in result.out
    assert [each["number"] for each in json.loads(cli("history", "gone", "--json").out)] == [2, 1]
    assert "Did you mean shop?" in cli("history", "shp").err


def test_diff(cli: Cli) -> None:
    cli.engine.revisions = {"shop": revisions()}
    cli.engine.changes = (
        Change(subject="web", field="image", old="web:1", new="web:2"),
        Change(subject="web", field="command", old="", new="serve"),
    )
    result = cli("diff", "shop", "1", "2")
    assert result.code == 0
    assert result.out == "web\n  image: web:1 → web:2\n  command: added (serve)\n"
    assert json.loads(cli("diff", "shop", "1", "2", "--json").out)[0]["new"] == "web:2"


@pytest.fixture
def logged(cli: Cli) -> ScriptedEngine:
    cli.engine.backlog = {
        "shop/web": (
            worlds.log_lines("one", f"{ESC}[31mtwo{ESC}[0m\tred", f"three{ESC}]52;c;eA==\x07", names=("shop-web-1",)),
        ),
        worlds.identifier("shop-db-1"): (worlds.log_lines("db ready", "db busy", names=("shop-db-1",), stderr=True),),
    }
    return cli.engine


def test_logs_into_a_pipe_are_as_they_are(cli: Cli, logged: ScriptedEngine) -> None:
    result = cli("logs", "shop/web", "--tail", "20", "--since", "1700000000")
    assert result.code == 0
    assert result.out.splitlines()[1] == f"shop-web-1 | {ESC}[31mtwo{ESC}[0m\tred"
    request = logged.log_requests[0]
    assert (request.tail, request.since, request.follow) == (20, 1700000000.0, False)


def test_logs_on_a_terminal_are_made_safe(cli: Cli, logged: ScriptedEngine) -> None:
    cli.monkeypatch.setenv("NO_COLOR", "1")
    result = cli("logs", "shop/web", terminal=True)
    assert result.out == "shop-web-1 | one\nshop-web-1 | two     red\nshop-web-1 | three␛]52;c;eA==␇\n"


def test_logs_of_one_container_have_no_prefix_and_grep_filters(cli: Cli, logged: ScriptedEngine) -> None:
    assert cli("logs", "shop-db-1", "--grep", "bu.y").out == "db busy\n"
    result = cli("logs", "shop-db-1", "--grep", "(")
    assert result.code == 64
    assert "is no regular expression" in result.err


def test_logs_of_several_targets_are_merged_in_time_order(cli: Cli, logged: ScriptedEngine) -> None:
    result = cli("logs", "shop-db-1", "shop/web")
    assert [line.split(" | ")[1][:3] for line in result.out.splitlines()] == ["one", f"{ESC}[3", "db ", "db ", "thr"]


def test_logs_json(cli: Cli, logged: ScriptedEngine) -> None:
    entry = json.loads(cli("logs", "shop-db-1", "--json").out.splitlines()[0])
    assert entry == {"time": worlds.NOW - 2, "container": "shop-db-1", "stream": "stderr", "line": "db ready"}
