"""The background engine as a process: started, raced for, found, stopped, killed, idle, without Docker."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from orchtui import __version__
from orchtui.cli.attach import attach, begin_attach
from orchtui.commands import Down
from orchtui.config import Settings
from orchtui.docker.endpoint import Endpoint
from orchtui.errors import DockerUnreachable, EngineUnavailable
from tests.contract.conftest import ACTOR, Project
from tests.contract.test_engine import WEB, changed
from tests.support.background import end_engine, engine_pid, gone
from tests.support.rawdocker import RawDocker

COMMAND = (sys.executable, "-m", "orchtui", "engine")


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A state folder of this test's own, and the command line on it."""

    folder: Path
    environ: dict[str, str]

    @property
    def settings(self) -> Settings:
        return Settings.read(self.environ)

    def run(self, verb: str, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, verb, *options], env=self.environ, capture_output=True, text=True, timeout=60, check=False
        )

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("status", "--json").stdout)
        return found


@pytest.fixture
def box(docker_endpoint: Endpoint) -> Iterator[Box]:
    folder = Path(tempfile.mkdtemp(prefix="orchtui-process-"))
    docker = folder / "docker.sock"  # a way to Docker that a test can take away
    docker.symlink_to(str(docker_endpoint.socket_path))
    environ = {**os.environ, "ORCHTUI_STATE_DIR": str(folder / "state"), "DOCKER_HOST": f"unix://{docker}"}
    box = Box(folder=folder, environ=environ)
    yield box
    if not docker.is_symlink():
        docker.symlink_to(str(docker_endpoint.socket_path))
    end_engine(box.settings)
    shutil.rmtree(folder)


def test_start_status_stop(box: Box) -> None:
    before = box.run("status")
    assert (before.returncode, box.status()) == (1, {"running": False})
    assert "No orchtui engine is running" in before.stdout

    started = box.run("start")
    assert (started.returncode, started.stderr) == (0, "")
    status = box.status()
    assert status["running"] is True
    assert status["pid"] == engine_pid(box.settings)
    assert (status["version"], status["clients"], status["stacks"]) == (__version__, 0, [])
    assert status["endpoint"] == box.environ["DOCKER_HOST"]
    socket = Path(status["socket"])
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE((socket.parent / "engine.log").stat().st_mode) == 0o600
    assert f"process {status['pid']}" in box.run("start").stdout  # a second start finds it
    text = box.run("status")
    assert text.returncode == 0
    assert str(status["pid"]) in text.stdout

    stopped = box.run("stop")
    assert stopped.returncode == 0
    assert str(status["pid"]) in stopped.stdout
    assert engine_pid(box.settings) is None
    assert not socket.exists()
    assert box.run("stop").returncode == 0


def test_the_engine_belongs_to_no_terminal_and_no_parent(box: Box) -> None:
    box.run("start")
    pid = box.status()["pid"]
    assert os.getsid(pid) != os.getsid(0)
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    for number in (0, 1, 2):
        assert not os.readlink(f"/proc/{pid}/fd/{number}").startswith(("/dev/pts", "/dev/tty", "pipe:"))
    parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
    assert int(parent) != os.getpid()


def test_of_many_starts_at_once_one_engine_comes(box: Box) -> None:
    starts = [
        subprocess.Popen([*COMMAND, "start"], env=box.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(4)
    ]
    outputs = [start.communicate(timeout=60)[0].decode() for start in starts]
    assert [start.returncode for start in starts] == [0] * 4, outputs
    pid = engine_pid(box.settings)
    assert all(f"process {pid} " in output for output in outputs), outputs


def test_a_killed_engine_leaves_nothing_in_the_way(box: Box) -> None:
    box.run("start")
    status = box.status()
    end_engine(box.settings, signal.SIGKILL)
    assert Path(status["socket"]).exists()
    assert box.status() == {"running": False}
    assert box.run("start").returncode == 0
    assert box.status()["pid"] != status["pid"]


def test_an_engine_with_nothing_to_do_ends(box: Box) -> None:
    box.environ["ORCHTUI_IDLE_EXIT"] = "0.5"
    box.run("start")
    pid = engine_pid(box.settings)
    if pid is not None:
        process = os.pidfd_open(pid)
        assert gone(process)
        os.close(process)
    assert box.status() == {"running": False}


def test_a_start_that_fails_says_why(box: Box) -> None:
    Path(box.environ["ORCHTUI_STATE_DIR"]).write_text("a file where the folder should be")
    failed = box.run("start")
    assert failed.returncode == 69
    assert "state folder cannot be used" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_start_on_a_damaged_store_says_so(box: Box) -> None:
    box.run("start")
    database = Path(box.status()["state_dir"]) / "state.db"
    box.run("stop")
    for side in database.parent.glob("state.db-*"):
        side.unlink()
    database.write_bytes(b"this is no database" * 1000)
    failed = box.run("start")
    assert failed.returncode == 1
    assert str(database) in failed.stderr
    assert "Traceback" not in failed.stderr


async def test_a_running_engine_is_found_while_docker_is_away(box: Box) -> None:
    async with await attach(box.settings, start=True, environ=box.environ) as remote:
        pid = remote.info.pid
        (box.folder / "docker.sock").unlink()
        async with await attach(box.settings, start=False, environ=box.environ) as again:
            assert again.info.pid == pid
    stopped = await asyncio.to_thread(box.run, "stop")
    assert stopped.returncode == 0
    with pytest.raises(DockerUnreachable):
        await attach(box.settings, start=True, environ=box.environ)


async def test_an_early_start_is_awaited_later(box: Box) -> None:
    beginning = begin_attach(box.settings, box.environ)
    assert beginning.started
    async with await beginning.engine() as remote:
        assert remote.info.version == __version__
    assert not begin_attach(box.settings, box.environ).started


async def test_without_start_nothing_is_started(box: Box) -> None:
    with pytest.raises(EngineUnavailable, match="No orchtui engine is running"):
        await attach(box.settings, start=False, environ=box.environ)
    assert engine_pid(box.settings) is None


async def test_a_watch_survives_the_death_of_the_engine(box: Box) -> None:
    remote = await attach(box.settings, start=True, environ=box.environ)
    states: list[str] = []
    async with asyncio.timeout(60):
        async for snapshot in remote.watch():
            state = snapshot.connection.state
            if state == "live" and "live" not in states:
                end_engine(box.settings, signal.SIGKILL)
            if not states or states[-1] != state:
                states.append(state)
            if state == "live" and "stale" in states:
                break
    assert states[states.index("live") :][:2] == ["live", "stale"]
    revived = await asyncio.to_thread(engine_pid, box.settings)
    assert revived not in (None, remote.info.pid)


def test_it_runs_in_the_foreground_until_it_is_told_to_stop(box: Box) -> None:
    with subprocess.Popen([*COMMAND, "run"], env=box.environ, stderr=subprocess.PIPE, text=True) as foreground:
        assert foreground.stderr is not None
        first = foreground.stderr.readline()
        assert "runs as process" in first
        second = box.run("run")
        assert second.returncode == 69
        assert f"process {foreground.pid}" in second.stderr
        foreground.send_signal(signal.SIGTERM)
        assert foreground.wait(30) == 0


@pytest.mark.parametrize("moment", ["accepted", "first replacement"])
async def test_an_update_survives_kill_9_of_the_engine(
    sweep: RawDocker, box: Box, moment: str, run_id: str, image: str, tmp_path: Path
) -> None:
    remote = await attach(box.settings, start=True, environ=box.environ)
    project = Project(engine=remote, name=run_id, image=image, folder=tmp_path, raw=sweep)
    await project.seen(lambda snapshot: snapshot.connection.state == "live", what="Docker")
    await project.apply(WEB)
    before = {item.id for item in await project.containers()}
    receipt = await remote.execute(project.tree(changed(WEB)), ACTOR)
    if moment == "first replacement":
        await project.seen(
            lambda snapshot: any(item.id not in before for item in project.running(snapshot)), what="a replacement"
        )
    end_engine(box.settings, signal.SIGKILL)

    again = replace(project, engine=await attach(box.settings, start=True, environ=box.environ))
    await again.settled(receipt)
    after = await again.containers()
    assert [item.labels["note"] for item in after] == ["second", "second"]
    assert len(again.on_docker()) == 2
    await again.execute(Down(stack=run_id))
    assert again.on_docker() == []
