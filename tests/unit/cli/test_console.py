"""What happens before the console is drawn, and where it cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchtui.cli import console
from orchtui.cli.session import elsewhere
from orchtui.config import Settings
from orchtui.errors import DockerUnreachable
from tests.unit.cli.conftest import Cli, Stream


def test_without_a_terminal_it_prints_the_status_and_exits_0(cli: Cli) -> None:
    result = cli()
    assert result.code == 0  # although two problems are shown: a status could be printed
    assert "2 problems:" in result.out
    assert result.err == "The console needs a terminal, and stdin is not a terminal: this is the status instead.\n"
    assert cli("stacks/hello.yaml").out == result.out


def test_without_a_terminal_and_without_docker_it_says_what_to_do(cli: Cli) -> None:
    cli.failure = DockerUnreachable("Nothing answers at unix:///x.", hint="Start Docker.")
    result = cli()
    assert result.code == 2
    assert "Start Docker." in result.err


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_draw_gets_the_status(cli: Cli, term: str) -> None:
    cli.monkeypatch.setenv("TERM", term)
    result = cli(terminal=True)
    assert result.code == 0
    assert "2 problems:" in result.out
    assert "TERM" in result.err


def test_a_stack_file_that_is_not_there(cli: Cli, tmp_path: Path) -> None:
    result = cli(str(tmp_path / "nothing.yaml"), terminal=True)
    assert result.code == 64
    assert "There is no stack file" in result.err


def test_another_encoding_starts_again_in_utf8_once(cli: Cli) -> None:
    class Latin(Stream):
        encoding = "iso8859-1"

    started: list[tuple[list[str], dict[str, str]]] = []
    cli.monkeypatch.setattr(os, "execve", lambda path, argv, environ: started.append((argv, environ)))
    cli.monkeypatch.setattr(sys, "__stderr__", Latin())
    cli.monkeypatch.delenv("PYTHONUTF8", raising=False)
    cli("nothing.yaml", "--look", terminal=True)
    ((argv, environ),) = started
    assert argv[-4:] == ["-m", "orchtui", "nothing.yaml", "--look"]
    assert environ["PYTHONUTF8"] == "1"
    cli.monkeypatch.setenv("PYTHONUTF8", "1")
    cli("nothing.yaml", terminal=True)
    assert len(started) == 1


def test_the_title_names_host_and_context() -> None:
    assert console.title("unix:///var/run/docker.sock", "default") == "unix:///var/run/docker.sock"
    assert console.title("tcp://prod:2376", "prod") == "tcp://prod:2376 (prod)"


def test_a_closed_pipe_ends_it_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "orchtui", "--help"],
            check=False,
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("host", "remote"), [("tcp://prod:2375", True), ("unix:///var/run/docker.sock", False)])
def test_a_docker_engine_behind_tcp_is_operated_directly(host: str, remote: bool, tmp_path: Path) -> None:
    assert elsewhere(Settings(state_dir=tmp_path, host=host)) is remote
