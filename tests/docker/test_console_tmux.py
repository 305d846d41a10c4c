"""The real console on the real Docker Engine, driven by keys in tmux: what a person does in the README's tour."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchtui.docker.endpoint import Endpoint
from tests.support.proxy import SocketProxy
from tests.support.rawdocker import RawDocker
from tests.support.tmux import Tmux, tmux
from tests.support.until import until_sync

ORCHTUI = str(Path(sys.executable).with_name("orchtui"))
HELLO = Path(__file__).parents[2] / "stacks" / "hello.yaml"


@dataclass
class Box:
    """One state folder with its engine, a project of its own on the real Docker Engine, and eyes on both."""

    project: str
    env: dict[str, str]

    def orchtui(self, *argv: str, check: bool = True) -> str:
        done = subprocess.run([ORCHTUI, *argv], env=self.env, capture_output=True, text=True, timeout=120, check=False)
        assert not check or done.returncode == 0, f"orchtui {' '.join(argv)}: {done.stdout}{done.stderr}"
        return done.stdout

    def docker_ps(self, service: str) -> dict[str, str]:
        """Name to ID of the service's running containers, as the docker command tells."""
        done = subprocess.run(
            ["docker", "ps", "--no-trunc", "--format", "{{.Names}} {{.ID}}",
             "--filter", f"label=com.docker.compose.project={self.project}",
             "--filter", f"label=com.docker.compose.service={service}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return dict(line.split() for line in done.stdout.splitlines())

    def settled_names(self, service: str, count: int) -> bool:
        wanted = {f"{self.project}-{service}-{slot}" for slot in range(1, count + 1)}
        return set(self.docker_ps(service)) == wanted


@pytest.fixture
def box(run_id: str, image: str, sweep: RawDocker, tmp_path: Path) -> Iterator[Box]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    env = {
        **os.environ, "ORCHTUI_STATE_DIR": str(tmp_path / "state"), "ORCHTUI_DEMO_IMAGE": image,
        "TERM": "xterm-256color", "LC_ALL": "C.UTF-8",
    }  # fmt: skip
    opened = Box(project=run_id, env=env)
    try:
        yield opened
    finally:
        opened.orchtui("down", run_id, "-y", "--wait", check=False)
        opened.orchtui("engine", "stop", check=False)


def select_service(console: Tmux, box: Box, service: str) -> None:
    """Put the cursor on a service by its filter, as a person would on a full box."""
    console.see("Services")
    console.keys("M-2")
    console.type("/")
    console.type(f"{box.project}/{service}")
    console.keys("Enter")
    until_sync(lambda: f"▸ {box.project}/{service}" in console.screen(), what=f"the cursor on {service}")


@pytest.mark.docker
def test_the_tour_by_keys(box: Box, run_id: str) -> None:
    box.orchtui("up", str(HELLO), "-p", box.project, "--wait", "-y")
    with tmux(run_id, box.env) as console:
        console.start(ORCHTUI)
        console.see("Cluster", "Services", "Containers", "Logs", f"{box.project}/web")
        select_service(console, box, "worker")
        console.see("worker: request")
        console.keys("C-u")
        select_service(console, box, "web")

        console.type("s")
        console.see("Scale")
        console.keys("3", "Enter")
        console.see("replicas", "2 → 3")
        console.type("y")
        until_sync(lambda: box.settled_names("web", 3), timeout=30, what="three web containers")
        console.see("3/3")

        before = box.docker_ps("web")
        console.type("r")
        console.see("Restart")
        console.type("y")
        until_sync(
            lambda: box.settled_names("web", 3) and not set(before.values()) & set(box.docker_ps("web").values()),
            timeout=60,
            what="every container replaced by the rolling restart",
        )


@pytest.mark.docker
def test_rollback_from_the_revisions(box: Box, run_id: str, tmp_path: Path) -> None:
    box.orchtui("up", str(HELLO), "-p", box.project, "--wait", "-y")
    changed = tmp_path / "hello.yaml"
    changed.write_text(HELLO.read_text().replace("hello from", "goodbye from"))
    box.orchtui("up", str(changed), "-p", box.project, "--wait", "-y")
    with tmux(run_id, box.env) as console:
        console.start(ORCHTUI)
        select_service(console, box, "web")
        console.type("z")
        console.see("revisions of stack", "current")
        console.type("j")
        console.see("hello from", "goodbye from")
        console.type("b")
        console.see("Roll back", "revision 1")
        console.type("y")

        def back() -> bool:
            names = box.docker_ps("web")
            shown = subprocess.run(
                ["docker", "inspect", "-f", "{{.Config.Cmd}}", *names.values()],
                capture_output=True,
                text=True,
                check=False,
            ).stdout
            return box.settled_names("web", 2) and "goodbye" not in shown and shown.count("hello from") == 2

        until_sync(back, timeout=60, what="the old command in both containers")
    assert re.search(r"^ *3 .*rollback.*current", box.orchtui("history", box.project), re.MULTILINE)


@pytest.mark.docker
def test_a_closed_terminal_interrupts_nothing(box: Box, run_id: str) -> None:
    box.orchtui("up", str(HELLO), "-p", box.project, "--wait", "-y")
    with tmux(run_id, box.env) as console:
        console.start(ORCHTUI)
        select_service(console, box, "web")
        console.type("s")
        console.see("Scale")
        console.keys("6", "Enter")
        console.see("2 → 6")
        console.type("y")
        until_sync(lambda: len(box.docker_ps("web")) > 2, what="the change has begun")
        console.kill()
    until_sync(lambda: box.settled_names("web", 6), timeout=60, what="the change finished without a terminal")


@pytest.mark.docker
def test_a_shell_in_a_container_and_back(box: Box, run_id: str) -> None:
    box.orchtui("up", str(HELLO), "-p", box.project, "--wait", "-y")
    with tmux(run_id, box.env) as console:
        console.start(ORCHTUI)
        console.see("Containers", f"{box.project}-worker-1")
        console.keys("M-3")
        console.type("/")
        console.type(f"{box.project}-worker-1")
        console.keys("Enter")
        until_sync(lambda: f"▸ {box.project}-worker-1" in console.screen(), what="the cursor on the container")
        console.type("s")
        console.see("#")
        console.type("echo in-$((40+2)); stty size")
        console.keys("Enter")
        console.see("in-42", "50 160")
        console.type("exit")
        console.keys("Enter")
        console.see("Cluster", "Services", f"{box.project}-worker-1")


@pytest.mark.docker
def test_small_terminals_and_resizing(box: Box, run_id: str) -> None:
    box.orchtui("up", str(HELLO), "-p", box.project, "--wait", "-y")
    with tmux(run_id, box.env, columns=80, rows=24) as console:
        console.start(ORCHTUI)
        console.see("Cluster", "Services", "Containers", "Logs")
        console.keys("M-3")
        console.see(f"{box.project}-web-1", f"{box.project}-worker-1")
        console.resize(200, 60)
        console.see("Cluster", f"{box.project}/web", f"{box.project}-web-1", "Logs")
        console.resize(80, 24)
        screen = console.see(f"{box.project}-web-1")
        assert all(len(line) <= 80 for line in screen.splitlines())


@pytest.mark.docker
async def test_docker_goes_away_and_comes_back(
    box: Box, run_id: str, docker_endpoint: Endpoint, sweep: RawDocker, image: str
) -> None:
    assert docker_endpoint.socket_path is not None
    sweep.run(f"{run_id}-plain", {"Image": image, "Cmd": ["sleep", "1000"], "HostConfig": {"Init": True}})
    async with SocketProxy(docker_endpoint.socket_path) as proxy:
        box.env["DOCKER_HOST"] = proxy.endpoint.url

        def drive() -> Iterator[None]:
            with tmux(run_id, box.env) as console:
                console.start(ORCHTUI)
                console.see("● live", f"{run_id}-plain")
                yield
                console.see("old", "There is no Docker socket", f"{run_id}-plain")
                yield
                console.see("● live", f"{run_id}-plain")

        steps = drive()
        await asyncio.to_thread(next, steps)
        await proxy.cut()
        await asyncio.to_thread(next, steps)
        await proxy.restore()
        await asyncio.to_thread(next, steps, None)
        await asyncio.to_thread(box.orchtui, "engine", "stop")
