"""config, plan and up on real stack files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchtui.commands import Apply
from orchtui.errors import PlanRefused
from orchtui.model.plan import Plan
from tests.support import worlds
from tests.unit.cli.conftest import Cli, shop_at

GOOD = """\
name: shop
services:
  web:
    image: shop/web:${TAG:-1}
    environment:
      GREETING: "\\e]0;owned\\a"
"""
BAD = """\
name: shop
services:
  web:
    image: busybox
    deploy:
      replcas: 3
    imagee: x
"""


@pytest.fixture
def good(tmp_path: Path) -> str:
    path = tmp_path / "shop.yaml"
    path.write_text(GOOD)
    return str(path)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    path = tmp_path / "bad.yaml"
    path.write_text(BAD)
    return str(path)


def test_config_prints_the_canonical_form(cli: Cli, good: str) -> None:
    cli.monkeypatch.setenv("TAG", "7")
    document = json.loads(cli("config", good, "--json").out)
    assert document["services"]["web"]["image"] == "shop/web:7"
    assert "image: shop/web:7" in cli("config", good).out
    assert "${TAG:-1}" in cli("config", good, "--no-interpolate").out
    assert cli("config", good, "-p", "other").out.startswith("name: other\n")
    assert cli.asked == []  # no Docker for this


def test_config_on_a_terminal_writes_no_escapes_of_the_file(cli: Cli, good: str) -> None:
    assert "\x1b]" not in cli("config", good, terminal=True).out


def test_check_prints_every_problem(cli: Cli, bad: str, good: str) -> None:
    result = cli("config", "--check", bad)
    assert result.code == 1
    lines = result.out.splitlines()
    assert lines[0].startswith(f"{bad}:6:7: error: ")
    assert lines[1].startswith(f"{bad}:7:5: error: ")
    assert lines[2] == "2 errors, 0 warnings."
    problem = json.loads(cli("config", "--check", "--json", bad).out)[0]
    assert (problem["line"], problem["column"], problem["severity"]) == (6, 7, "error")
    assert (cli("config", "--check", good).code, cli("config", "--check", good).out) == (0, "No problems.\n")


@pytest.mark.parametrize("command", ["config", "plan", "up"])
def test_a_bad_file_changes_nothing_and_shows_where(cli: Cli, bad: str, command: str) -> None:
    result = cli(command, bad)
    assert result.code == 1
    assert f"{bad}:6:7: error: " in result.err
    assert "replicas" in result.err
    assert f"{bad}:7:5: error: " in result.err
    assert cli.asked == []


def test_plan_exits_2_for_changes_0_for_none_1_for_a_refusal(cli: Cli, good: str) -> None:
    result = cli("plan", good)
    assert result.code == 2
    assert result.out == "apply stack shop\n  restart web-1  asked\n"
    document = json.loads(cli("plan", good, "--json").out)
    assert document["stack"] == "shop"
    assert document["steps"] == [{"verb": "restart", "subject": "web-1", "cause": "asked"}]
    cli.engine.plan_answer = Plan(summary="Nothing to do.", unchanged=("web",))
    assert cli("plan", good).code == 0
    cli.engine.refusal = PlanRefused("No room.", details=("web: 2 GiB do not fit",), hint="Free some.")
    result = cli("plan", good)
    assert result.code == 1
    assert result.err == "web: 2 GiB do not fit\norchtui: No room.\n  Free some.\n"
    assert cli.engine.executed == []


def test_up_sends_the_tree_as_this_person_sees_it(cli: Cli, good: str) -> None:
    cli.monkeypatch.setenv("TAG", "9")
    result = cli("up", good, "-y")
    assert result.code == 0
    ((command, actor),) = cli.engine.executed
    assert isinstance(command, Apply)
    assert (command.stack, command.base, command.config_files) == ("shop", None, (good,))
    assert command.tree["services"]["web"]["image"] == "shop/web:9"
    assert command.working_dir == str(Path(good).parent)
    assert actor.name


def test_up_that_was_asked_about_is_bound_to_what_was_shown(cli: Cli, good: str) -> None:
    cli("up", good, stdin="y\n", terminal=True)
    ((command, _),) = cli.engine.executed
    assert isinstance(command, Apply)
    assert command.base == 7


def test_up_waits(cli: Cli, good: str) -> None:
    cli.engine.serial = 3
    cli.engine.then = [shop_at(worlds.shop(), serial=3, settled=3)]
    result = cli("up", good, "--wait")
    assert result.code == 1  # the shop is degraded
    assert "shop is degraded: 2 of 4 services degraded; shop/api: 1 of 2 unhealthy; shop/worker: exit 137" in result.err


def test_up_without_an_argument_takes_composes_own_files(cli: Cli, tmp_path: Path) -> None:
    cli.monkeypatch.delenv("COMPOSE_FILE", raising=False)
    cli.monkeypatch.chdir(tmp_path)
    (tmp_path / "compose.yaml").write_text(GOOD)
    (tmp_path / "compose.override.yaml").write_text("services:\n  web:\n    image: other\n")
    assert "image: other" in cli("config").out
    result = cli("config", "--project-directory", "/")
    assert result.code == 64
    assert "There is no stack file" in result.err
