"""The command line process by process on the real Docker Engine: the "Shown by" list of issue 2."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchtui.docker.endpoint import Endpoint
from tests.support.rawdocker import RawDocker
from tests.support.terminal import Terminal, terminal
from tests.support.until import until_sync

FILE = """\
name: {name}
services:
  web:
    image: {image}
    command: {command}
    init: true
    deploy:
      replicas: 2
  side:
    image: {image}
    command: ["sleep", "{seconds}"]
    init: true
"""
PLAIN = '["httpd", "-f", "-p", "8080", "-h", "/www"]'
CHANGED = '["httpd", "-f", "-p", "8081", "-h", "/www"]'


@dataclass
class Shell:
    """`orchtui …` as processes of their own, all with one private state folder."""

    folder: Path
    docker: RawDocker
    name: str
    image: str
    endpoint: str

    def __call__(self, *argv: str, code: int | None = 0, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "orchtui", *argv],
            env=self.environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        if code is not None:
            assert done.returncode == code, f"{argv} exited {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    @property
    def environ(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("DOCKER_", "ORCHTUI_"))}
        return {**kept, "DOCKER_HOST": self.endpoint, "ORCHTUI_STATE_DIR": str(self.folder / "state")}

    @property
    def program(self) -> str:
        return f"{sys.executable} -m orchtui"

    def terminal(self, command: str) -> AbstractContextManager[Terminal]:
        """`orchtui command` in a pseudo-terminal of 80 columns, its exit code after it."""
        argv = ["sh", "-c", f"{self.program} {command}; echo code=$?; exec cat"]
        return terminal(argv, {**self.environ, "TERM": "xterm-256color", "NO_COLOR": "1"}, 80, 24)

    def write(self, command: str = PLAIN, seconds: int = 86400) -> str:
        path = self.folder / "hello.yaml"
        path.write_text(FILE.format(name=self.name, image=self.image, command=command, seconds=seconds))
        return str(path)

    def running(self, service: str = "") -> list[dict[str, Any]]:
        """What `docker ps` shows of our stack."""
        labels = [f"com.docker.compose.project={self.name}"]
        if service:
            labels.append(f"com.docker.compose.service={service}")
        filters = {"label": labels, "status": ["running"]}
        found: list[dict[str, Any]] = self.docker.call("GET", "/containers/json", params={"filters": filters})
        return found

    def networks(self) -> list[dict[str, Any]]:
        filters = {"label": [f"com.docker.compose.project={self.name}"]}
        found: list[dict[str, Any]] = self.docker.call("GET", "/networks", params={"filters": filters})
        return found

    def commands(self) -> set[str]:
        return {each["Command"] for each in self.running("web")}


@pytest.fixture
def shell(tmp_path: Path, docker_endpoint: Endpoint, sweep: RawDocker, run_id: str, image: str) -> Iterator[Shell]:
    shell = Shell(folder=tmp_path, docker=sweep, name=run_id, image=image, endpoint=docker_endpoint.url)
    yield shell
    shell("engine", "stop", code=None)


def test_the_five_minute_tour(shell: Shell) -> None:
    """up, scale, kill, change, history, rollback, down: what a newcomer does first."""
    name, web = shell.name, f"{shell.name}/web"
    up = shell("up", shell.write(), "--wait", "-y")
    assert f"{name} is healthy: web 2/2 ready, side 1/1 ready." in up.stdout or "side 1/1 ready, web 2/2" in up.stdout
    assert len(shell.running("web")) == 2

    shell("scale", f"{web}=5", "--wait", "-y")
    assert len(shell.running("web")) == 5

    victim = shell.running("web")[0]["Id"]
    shell.docker.call("POST", f"/containers/{victim}/kill")
    until_sync(
        lambda: len(shell.running("web")) == 5 and victim not in {each["Id"] for each in shell.running("web")},
        what="five again, without the killed one",
    )

    shell("up", shell.write(CHANGED), "--wait", "-y")
    assert all("8081" in command for command in shell.commands())
    assert len(shell.running("web")) == 5  # the scale is not undone by an `up` that does not speak of it

    numbers = [each["number"] for each in json.loads(shell("history", name, "--json").stdout)]
    assert numbers == [2, 1]
    assert "8081" in shell("diff", name, "1", "2").stdout

    shell("rollback", name, "--to", "1", "--wait", "-y")
    assert all("8080" in command for command in shell.commands())
    newest = json.loads(shell("history", name, "--json").stdout)[0]
    assert (newest["number"], newest["rollback_of"], newest["current"]) == (3, 1, True)

    shell("down", name, "-y", "--wait")
    assert shell.docker.call(
        "GET", "/containers/json",
        params={"all": True, "filters": {"label": [f"com.docker.compose.project={name}"]}},
    ) == []  # fmt: skip
    assert shell.networks() == []
    assert [each["number"] for each in json.loads(shell("history", name, "--json").stdout)] == [3, 2, 1]


def test_down_without_wait_leaves_nothing_either(shell: Shell) -> None:
    shell("up", shell.write(), "--wait", "-y")
    shell("down", shell.name, "-y")
    until_sync(lambda: not shell.running() and not shell.networks(), timeout=30, what="nothing left")


def test_a_misspelt_key_changes_nothing(shell: Shell) -> None:
    path = shell.write()
    Path(path).write_text(Path(path).read_text().replace("replicas: 2", "replcas: 3"))
    line = 1 + Path(path).read_text().split("\n").index("      replcas: 3")
    for command in ("up", "plan", "config"):
        failed = shell(command, path, code=1)
        assert re.search(rf"^{re.escape(path)}:{line}:7: error: .*replcas.*replicas", failed.stderr, re.MULTILINE)
    checked = shell("config", "--check", path, code=1)
    assert f"{path}:{line}:7: error" in checked.stdout
    assert shell.running() == []
    assert json.loads(shell("engine", "status", "--json", code=1).stdout) == {"running": False}


def test_plan_says_by_its_exit_code_whether_there_is_something_to_do(shell: Shell) -> None:
    path = shell.write()
    planned = json.loads(shell("plan", path, "--json", code=2).stdout)
    shell("engine", "status", code=1)  # planning only looks: it starts no engine
    assert planned["stack"] == shell.name
    assert sum(step["verb"] == "create" for step in planned["steps"]) == 3
    assert all(step["cause"] for step in planned["steps"])
    assert shell.running() == []
    shell("up", path, "--wait", "-y")
    shell("plan", path)
    again = shell("up", path, "-y")
    assert again.returncode == 0
    assert len(json.loads(shell("history", shell.name, "--json").stdout)) == 1
    shell("down", shell.name, "-y", "--wait")


def test_looking_starts_no_engine(shell: Shell) -> None:
    status = shell("status", "--json", code=None)
    assert status.returncode in (0, 1)
    version = shell.docker.call("GET", "/version")
    document = json.loads(status.stdout)
    assert document["docker"]["engine_version"] == version["Version"]
    without_terminal = shell()
    assert f"Docker {version['Version']}" in without_terminal.stdout
    shell("ls")
    shell("ps", "--json")
    assert json.loads(shell("engine", "status", "--json", code=1).stdout) == {"running": False}


def test_logs_exec_inspect_and_the_direct_verbs(shell: Shell) -> None:
    name = f"{shell.name}-lonely"
    shell.docker.call(
        "POST", "/containers/create", params={"name": name},
        body={
            "Image": shell.image,
            "Cmd": ["sh", "-c", "echo hello out; echo hello err >&2; exec sleep 86400"],
            "Env": ["DB_PASSWORD=hunter2"],
            "HostConfig": {"Init": True},
        },
    )  # fmt: skip
    shell("start", name)
    until_sync(lambda: "hello err" in shell("logs", name).stdout, what="both lines in the log")
    assert sorted(shell("logs", name).stdout.splitlines()) == ["hello err", "hello out"]
    assert shell("exec", name, "sh", "-c", "echo in it; exit 7", code=7).stdout == "in it\n"
    inspected = shell("inspect", name, "--json").stdout
    assert "hunter2" not in inspected
    assert json.loads(inspected)["document"]["Name"] == f"/{name}"
    shell("stop", name)
    assert "exited" in shell("ps", name).stdout
    refused = shell("rm", name, "-y", code=64)
    assert f"--confirm {name}" in refused.stderr
    shell("rm", name, "--confirm", name)
    assert shell("ps", name, code=1).stderr.startswith("orchtui: There is no")


def test_on_a_terminal(shell: Shell) -> None:
    """A shell in a container keeps its exit code, hostile output cannot steer the terminal, tables fit 80 columns."""
    name = f"{shell.name}-hostile"
    evil = r"printf '\033]52;c;b3duZWQ=\007\033[2Jevil\n'; exec sleep 86400"
    body = {"Image": shell.image, "Cmd": ["sh", "-c", evil], "HostConfig": {"Init": True}}
    shell.docker.call("POST", "/containers/create", params={"name": name}, body=body)
    shell("start", name)
    until_sync(lambda: "evil" in shell("logs", name).stdout, what="the line in the log")
    with shell.terminal(f"logs {name}; {shell.program} ps {name}") as shown:
        shown.wait_for("code=0")
    assert b"\x1b]" not in shown.raw
    assert b"\x07" not in shown.raw
    assert "\u241b]52;c;b3duZWQ=\u2407\u241b[2Jevil" in shown.raw.decode()
    assert any(line.startswith(name) for line in shown.screen())
    with shell.terminal(f"exec {name} sh") as inside:
        inside.wait_for("/ # ")
        inside.send("echo $((40+2)); exit 5\n")
        inside.wait_for("code=5")
        assert b"42" in inside.raw
    with shell.terminal(f"rm -f {name}") as asked:
        asked.wait_for("to go on: ")
        asked.send(f"{name}\n")
        asked.wait_for("code=0")
    assert not [each for each in shell.docker.containers() if f"/{name}" in each["Names"]]


def test_without_docker_a_sentence_and_69_or_2(shell: Shell) -> None:
    nowhere = f"unix://{shell.folder}/nothing.sock"
    for argv, code in ((("status",), 2), (("ls",), 69), (("up", shell.write(), "-y"), 69), ((), 2)):
        failed = shell("-H", nowhere, *argv, code=code)
        assert failed.stderr.count("\n") <= 6
        assert "docker" in failed.stderr.lower()
