"""Endpoints beyond the unix socket: TCP, with and without TLS."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from orchtui.docker.client import DockerClient
from orchtui.docker.identify import engine_id
from orchtui.errors import DockerUnreachable
from tests.support.fakedocker import FakeDocker


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as DOCKER_CERT_PATH: one self-signed certificate in all three roles."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)
    shutil.copy(folder / "cert.pem", folder / "ca.pem")
    return folder


def server(certificates: Path) -> ssl.SSLContext:
    """A daemon with --tlsverify: it wants a certificate from us as well."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificates / "ca.pem"))
    context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


async def test_plain_tcp() -> None:
    async with FakeDocker(tcp=True) as fake:
        assert await asyncio.to_thread(engine_id, fake.endpoint) == "FAKE:ID"
        async with await DockerClient.connect(fake.endpoint) as client:
            assert client.host.endpoint == f"tcp://127.0.0.1:{fake.port}"


async def test_tls_with_certificates_on_both_sides(certificates: Path) -> None:
    async with FakeDocker(tls=server(certificates)) as fake:
        endpoint = replace(fake.endpoint, tls_dir=certificates)
        assert await asyncio.to_thread(engine_id, endpoint) == "FAKE:ID"
        async with await DockerClient.connect(endpoint) as client:
            assert client.host.id == "FAKE:ID"


async def test_a_server_nobody_vouches_for_is_refused_unless_told_otherwise(certificates: Path, tmp_path: Path) -> None:
    context = server(certificates)
    context.verify_mode = ssl.CERT_NONE
    async with FakeDocker(tls=context) as fake:
        stranger = replace(fake.endpoint, tls_dir=tmp_path)
        with pytest.raises(DockerUnreachable, match="TLS handshake"):
            await asyncio.to_thread(engine_id, stranger)
        with pytest.raises(DockerUnreachable, match="TLS handshake") as caught:
            await DockerClient.connect(stranger)
        assert "DOCKER_CERT_PATH" in caught.value.hint
        async with await DockerClient.connect(replace(stranger, skip_verify=True)) as client:
            assert client.host.id == "FAKE:ID"


async def test_certificates_that_cannot_be_read(certificates: Path, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nonsense")
    async with FakeDocker(tls=server(certificates)) as fake:
        with pytest.raises(DockerUnreachable, match="cannot be read"):
            await DockerClient.connect(replace(fake.endpoint, tls_dir=tmp_path))
