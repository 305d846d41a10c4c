"""Attaching without Docker: where an engine is looked for, and which one is refused."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from orchtui import __version__
from orchtui.cli import attach as module
from orchtui.cli.attach import Place, attach, begin_attach, locate, prepare_folders, remember
from orchtui.config import Settings
from orchtui.docker.endpoint import Endpoint
from orchtui.errors import DockerUnreachable, EngineUnavailable, Refused
from tests.support.stub_engine import StubEngine, served


def place_in(folder: Path, url: str = "unix:///nowhere/docker.sock") -> Place:
    return Place(
        endpoint=Endpoint(url=url), engine_id="AB:CD", folder=folder / "ABCD", socket=folder / "ABCD" / "engine.sock"
    )


def settings_in(folder: Path) -> Settings:
    return Settings.read({}, state_dir=folder)


def test_a_docker_engine_that_is_away_is_known_from_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(endpoint: Endpoint) -> str:
        raise DockerUnreachable("Docker is not running.")

    monkeypatch.setattr(module, "engine_id", away)
    environ = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    with pytest.raises(DockerUnreachable, match="Docker is not running"):
        locate(settings_in(tmp_path), environ)
    remember(tmp_path, place_in(tmp_path))
    remember(tmp_path, place_in(tmp_path))
    place = locate(settings_in(tmp_path), environ)
    assert (place.engine_id, place.folder) == ("AB:CD", tmp_path / "ABCD")
    assert place.docker_away is not None
    with pytest.raises(DockerUnreachable, match="Docker is not running"):
        begin_attach(settings_in(tmp_path), environ)


@pytest.mark.parametrize("content", ["", "[]", '{"unix:///nowhere/docker.sock": "../../etc"}', "\x00"])
def test_a_damaged_memory_of_docker_engines_is_no_memory(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(endpoint: Endpoint) -> str:
        raise DockerUnreachable("Docker is not running.")

    monkeypatch.setattr(module, "engine_id", away)
    (tmp_path / "endpoints.json").write_text(content)
    with pytest.raises(DockerUnreachable):
        locate(settings_in(tmp_path), {"DOCKER_HOST": "unix:///nowhere/docker.sock"})


def test_a_docker_engine_on_another_machine_gets_no_engine_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "engine_id", lambda endpoint: "AB:CD")
    with pytest.raises(Refused, match="belong to the orchtui engine that runs on that machine"):
        begin_attach(settings_in(tmp_path), {"DOCKER_HOST": "tcp://10.0.0.1:2375"})


async def test_an_engine_of_another_version_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = place_in(tmp_path)
    prepare_folders(place)
    monkeypatch.setattr(module, "locate", lambda settings, environ: place)
    engine = StubEngine()
    async with served(engine, place.socket):
        remote = await attach(settings_in(tmp_path), start=True)
        assert remote.info.version == __version__
    async with served(engine, place.socket, version="0.0.1"):
        for start in (True, False):
            with pytest.raises(EngineUnavailable, match=r"is orchtui 0\.0\.1") as caught:
                await attach(settings_in(tmp_path), start=start)
            assert "orchtui engine stop" in caught.value.hint


async def test_an_engine_that_does_not_start_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = place_in(tmp_path)
    prepare_folders(place)
    monkeypatch.setattr(module, "locate", lambda settings, environ: place)
    monkeypatch.setattr(module, "START_SECONDS", 0.05)
    sleeper = tmp_path / "python"
    sleeper.write_text("#!/bin/sh\n(exec sleep 3) &\n")
    sleeper.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(sleeper))
    with pytest.raises(EngineUnavailable, match="did not start within"):
        await attach(settings_in(tmp_path), start=True)


async def test_an_engine_that_crashes_at_once_leaves_its_last_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_in(tmp_path)
    prepare_folders(place)
    monkeypatch.setattr(module, "locate", lambda settings, environ: place)
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'ImportError: no module named nothing' >&2\nexit 1\n")
    broken.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(EngineUnavailable, match="ended at once: ImportError: no module named nothing"):
        await attach(settings_in(tmp_path), start=True)


async def test_two_attachments_share_an_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = place_in(tmp_path)
    prepare_folders(place)
    monkeypatch.setattr(module, "locate", lambda settings, environ: replace(place))
    async with served(StubEngine(), place.socket):
        first, second = await asyncio.gather(
            attach(settings_in(tmp_path), start=True), attach(settings_in(tmp_path), start=False)
        )
    assert first.info.pid == second.info.pid
