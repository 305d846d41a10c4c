from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from orchtui.docker.client import DockerClient
from orchtui.docker.resources import json_lines, registry_auth, split_reference
from orchtui.errors import DockerConflict, DockerRefused
from tests.support.fakedocker import FakeDocker


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("nginx", ("nginx", "latest")),
        ("nginx:1.25", ("nginx", "1.25")),
        ("reg:5000/a/b", ("reg:5000/a/b", "latest")),
        ("reg:5000/a/b:v1", ("reg:5000/a/b", "v1")),
        ("a/b@sha256:" + "0" * 64, ("a/b", "sha256:" + "0" * 64)),
        ("a/b:v1@sha256:" + "0" * 64, ("a/b", "sha256:" + "0" * 64)),
    ],
)
def test_references(reference: str, parts: tuple[str, str]) -> None:
    assert split_reference(reference) == parts


async def chunks(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def test_json_lines_are_put_together_and_nonsense_is_passed_over() -> None:
    found = [item async for item in json_lines(chunks(b'{"a":', b'1}\n\n[2]\nno\n{"b":2}'))]
    assert found == [{"a": 1}, {"b": 2}]
    assert [item async for item in json_lines(chunks(b'{"a":"' + b"x" * 50, b'"}\n{"b":1}\n'), limit=20)] == [{"b": 1}]


def test_credentials_come_from_the_docker_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = base64.b64encode(b"me:secret").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"reg.example": {"auth": token}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    header = registry_auth("reg.example/a/b")
    assert header is not None
    found = json.loads(base64.urlsafe_b64decode(header))
    assert (found["username"], found["password"]) == ("me", "secret")
    assert registry_auth("elsewhere.example/a") is None


async def test_pull_reports_progress_and_finds_the_image(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    async with FakeDocker() as fake:
        fake.answers["images/create"] = {"status": "Downloading", "id": "abc", "progress": "[=>]"}
        fake.answers["images/reg/a:v1/json"] = {"Id": "sha256:1"}
        said: list[str] = []
        async with await DockerClient.connect(fake.endpoint) as client:
            image = await client.pull("reg/a:v1", said.append)
        query = next(query for method, path, query in fake.requests if path.endswith("images/create"))
    assert image.id == "sha256:1"
    assert said == ["abc Downloading [=>]"]
    assert query == {"fromImage": "reg/a", "tag": "v1"}


async def test_a_pull_that_fails_half_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    async with FakeDocker() as fake:
        fake.answers["images/create"] = {"error": "manifest unknown", "errorDetail": {"message": "manifest unknown"}}
        async with await DockerClient.connect(fake.endpoint) as client:
            with pytest.raises(DockerRefused, match="manifest unknown") as caught:
                await client.pull("nginx:nope")
    assert "Check the image name" in caught.value.hint


async def test_a_network_in_use_is_a_conflict_whatever_its_status() -> None:
    async def in_use(_: web.Request) -> web.StreamResponse:
        return web.json_response({"message": "network n has active endpoints"}, status=403)

    async with FakeDocker() as fake:
        fake.answers["networks/n"] = in_use
        async with await DockerClient.connect(fake.endpoint) as client:
            with pytest.raises(DockerConflict, match="active endpoints"):
                await client.remove_network("n")


async def test_swarm_services_of_a_manager_and_of_one_that_left() -> None:
    async with FakeDocker() as fake:
        fake.answers["info"] = dict(fake.answers["info"], Swarm={"LocalNodeState": "active", "ControlAvailable": True})
        fake.answers["services"] = [{"ID": "s", "Spec": {"Name": "web"}}]
        async with await DockerClient.connect(fake.endpoint) as client:
            assert [service.name for service in await client.swarm_services()] == ["web"]

            async def left(_: web.Request) -> web.StreamResponse:
                return web.json_response({"message": "This node is not a swarm manager."}, status=503)

            fake.answers["services"] = left
            assert await client.swarm_services() == ()


async def test_names_with_slashes_stay_names() -> None:
    async with FakeDocker() as fake, await DockerClient.connect(fake.endpoint) as client:
        assert await client.image("../../secrets") is None
    assert fake.requests[-1][1].startswith("/v1.41/images/")
