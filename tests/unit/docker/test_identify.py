"""Who answers, and the sentences when nobody does."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchtui.docker.client import DockerClient
from orchtui.docker.connection import api_number, negotiate
from orchtui.docker.endpoint import Endpoint
from orchtui.docker.identify import connection_error, engine_id, engine_version
from orchtui.errors import DockerDenied, DockerError, DockerUnreachable, DockerVersion
from tests.support.fakedocker import FakeDocker


async def failure(endpoint: Endpoint) -> tuple[DockerError, DockerError]:
    """The error of the start path and of the client, which must say the same."""
    with pytest.raises(DockerError) as quick:
        await asyncio.to_thread(engine_id, endpoint)
    with pytest.raises(DockerError) as full:
        await DockerClient.connect(endpoint)
    return quick.value, full.value


async def test_a_missing_socket_says_how_to_start_docker(tmp_path: Path) -> None:
    for error in await failure(Endpoint(url=f"unix://{tmp_path}/none.sock")):
        assert isinstance(error, DockerUnreachable)
        assert "There is no Docker socket at" in error.message
        assert "systemctl start docker" in error.hint


async def test_a_wrong_docker_host_is_named(tmp_path: Path) -> None:
    for error in await failure(Endpoint(url=f"unix://{tmp_path}/none.sock", source="DOCKER_HOST")):
        assert "DOCKER_HOST points there" in error.message
        assert error.hint.startswith("Correct DOCKER_HOST")


async def test_a_socket_nobody_listens_on(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "s"))
    for error in await failure(Endpoint(url=f"unix://{tmp_path}/s")):
        assert isinstance(error, DockerUnreachable)
        assert "Nobody listens" in error.message


async def test_a_closed_tcp_port() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for error in await failure(Endpoint(url=f"tcp://127.0.0.1:{port}", source="DOCKER_HOST")):
        assert isinstance(error, DockerUnreachable)
        assert f"127.0.0.1:{port}" in error.message


def test_permission_denied_says_which_group() -> None:
    error = connection_error(Endpoint(url="unix:///var/run/docker.sock"), PermissionError(13, "Permission denied"))
    assert isinstance(error, DockerDenied)
    assert "sudo usermod -aG docker" in error.hint
    assert "/var/run/docker.sock" in error.message


@contextmanager
def nobody() -> Iterator[None]:
    """Root may open every socket: be somebody else for a while."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)


async def test_permission_denied_for_real(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as closed:
        closed.bind(str(tmp_path / "s"))
        (tmp_path / "s").chmod(0)
        with nobody():
            errors = await failure(Endpoint(url=f"unix://{tmp_path}/s"))
    for error in errors:
        assert isinstance(error, DockerDenied)
        assert "usermod" in error.hint


async def test_something_else_than_docker_answers() -> None:
    async with FakeDocker() as fake:
        fake.answers["version"] = ["no", "docker"]
        fake.answers["info"] = "hello"
        for error in await failure(fake.endpoint):
            assert isinstance(error, DockerUnreachable)


async def test_who_it_is() -> None:
    async with FakeDocker(version="26.1.5", api="1.45") as fake:
        assert await asyncio.to_thread(engine_id, fake.endpoint) == "FAKE:ID"
        assert await asyncio.to_thread(engine_version, fake.endpoint) == ("26.1.5", "1.45")


@pytest.mark.parametrize(
    ("newest", "oldest", "spoken"),
    [("1.41", "1.12", "1.41"), ("1.45", "1.24", "1.45"), ("1.52", "1.44", "1.45"), ("1.43", "", "1.43")],
)
async def test_the_version_is_negotiated_and_used(newest: str, oldest: str, spoken: str) -> None:
    async with FakeDocker(api=newest, oldest=oldest) as fake:
        async with await DockerClient.connect(fake.endpoint) as client:
            assert client.host.api_version == spoken
            assert client.api == api_number(spoken)
        assert ("GET", f"/v{spoken}/info", {}) in fake.requests
        assert ("GET", "/version", {}) in fake.requests


async def test_an_engine_that_is_too_old() -> None:
    async with FakeDocker(api="1.40", version="19.03.15") as fake:
        with pytest.raises(DockerVersion) as caught:
            await DockerClient.connect(fake.endpoint)
    assert "19.03.15" in caught.value.message
    assert "1.40" in caught.value.message
    assert "Upgrade Docker" in caught.value.hint


async def test_an_engine_that_is_too_new() -> None:
    async with FakeDocker(api="1.70", oldest="1.60", version="40.0") as fake:
        with pytest.raises(DockerVersion, match=r"only API 1\.60"):
            await DockerClient.connect(fake.endpoint)


def test_versions_compare_as_numbers() -> None:
    assert api_number("1.9") < api_number("1.41")
    assert api_number("nonsense") == (0, 0)
    with pytest.raises(DockerVersion):
        negotiate(Endpoint(url="unix:///x"), newest="nonsense", oldest="", engine="?")
