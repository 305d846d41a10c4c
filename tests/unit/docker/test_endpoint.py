from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from orchtui.docker.endpoint import Endpoint, known_contexts, resolve
from orchtui.errors import DockerUnreachable, UsageError


class Config:
    """A docker CLI configuration folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def environ(self) -> dict[str, str]:
        return {"DOCKER_CONFIG": str(self.folder)}

    def current(self, name: str) -> None:
        (self.folder / "config.json").write_text(json.dumps({"currentContext": name}))

    def context(self, name: str, host: str, *, tls: bool = False, skip: bool = False) -> Path:
        key = hashlib.sha256(name.encode()).hexdigest()
        meta = self.folder / "contexts" / "meta" / key
        meta.mkdir(parents=True)
        docker = {"Host": host, "SkipTLSVerify": skip}
        (meta / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": docker}}))
        folder = self.folder / "contexts" / "tls" / key / "docker"
        if tls:
            folder.mkdir(parents=True)
            (folder / "ca.pem").write_text("x")
        return folder


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path)


def test_without_anything_it_is_the_default_socket(config: Config) -> None:
    assert resolve(config.environ) == Endpoint(url="unix:///var/run/docker.sock")


def test_docker_host_beats_docker_context_beats_the_current_context(config: Config) -> None:
    config.context("prod", "tcp://prod:2375")
    config.context("lab", "tcp://lab:2375")
    config.current("lab")
    assert resolve(config.environ).url == "tcp://lab:2375"
    assert resolve(config.environ | {"DOCKER_CONTEXT": "prod"}).url == "tcp://prod:2375"
    both = config.environ | {"DOCKER_CONTEXT": "prod", "DOCKER_HOST": "unix:///run/other.sock"}
    assert resolve(both) == Endpoint(url="unix:///run/other.sock", source="DOCKER_HOST")
    assert resolve(both, context="lab").url == "tcp://lab:2375"
    assert resolve(both, host="tcp://x:1").url == "tcp://x:1"
    assert resolve(both, host="tcp://x:1").context == "default"


def test_the_default_context_is_what_docker_host_says_even_by_name(config: Config) -> None:
    config.current("default")
    assert resolve(config.environ).url == "unix:///var/run/docker.sock"
    named = resolve(config.environ | {"DOCKER_HOST": "tcp://x:1"}, context="default")
    assert (named.url, named.context, named.source) == ("tcp://x:1", "default", "DOCKER_HOST")


def test_host_and_context_together_are_a_usage_error(config: Config) -> None:
    with pytest.raises(UsageError, match="cannot be used together"):
        resolve(config.environ, host="unix:///a", context="b")


def test_an_unknown_context_names_the_known_ones(config: Config) -> None:
    config.context("prod", "tcp://prod:2375")
    with pytest.raises(DockerUnreachable) as caught:
        resolve(config.environ | {"DOCKER_CONTEXT": "prd"})
    assert "'prd'" in caught.value.message
    assert "DOCKER_CONTEXT" in caught.value.message
    assert "default, prod" in caught.value.hint
    assert known_contexts(config.folder) == ("default", "prod")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("unix://", "unix:///var/run/docker.sock"),
        ("/run/my.sock", "unix:///run/my.sock"),
        ("localhost:2375", "tcp://localhost:2375"),
        ("tcp://box", "tcp://box:2375"),
        ("tcp://", "tcp://localhost:2375"),
        ("tcp://[::1]:2376", "tcp://[::1]:2376"),
        (" unix:///run/my.sock ", "unix:///run/my.sock"),
    ],
)
def test_addresses_are_read_as_the_cli_reads_them(config: Config, written: str, meant: str) -> None:
    assert resolve(config.environ | {"DOCKER_HOST": written}).url == meant


@pytest.mark.parametrize("address", ["ssh://user@box", "npipe:////./pipe/docker", "http://box", "tcp://box:port"])
def test_what_we_do_not_speak_is_refused_with_a_way_out(config: Config, address: str) -> None:
    with pytest.raises(DockerUnreachable) as caught:
        resolve(config.environ | {"DOCKER_HOST": address})
    assert caught.value.hint
    assert "DOCKER_HOST" in caught.value.message


def test_ssh_names_the_forward_that_works(config: Config) -> None:
    config.context("far", "ssh://me@box")
    with pytest.raises(DockerUnreachable, match="ssh -nNT -L"):
        resolve(config.environ, context="far")


def test_tls_variables(config: Config, tmp_path: Path) -> None:
    base = config.environ | {"DOCKER_HOST": "tcp://box:2376", "DOCKER_CERT_PATH": "/certs"}
    assert not resolve(base).tls
    verified = resolve(base | {"DOCKER_TLS_VERIFY": "1"})
    assert (verified.tls, verified.skip_verify, verified.tls_dir) == (True, False, Path("/certs"))
    unverified = resolve(base | {"DOCKER_TLS": "1"})
    assert (unverified.tls, unverified.skip_verify) == (True, True)
    assert resolve(config.environ | {"DOCKER_TLS_VERIFY": "1"}).url == "tcp://localhost:2376"
    over_socket = resolve(config.environ | {"DOCKER_HOST": "unix:///s", "DOCKER_TLS_VERIFY": "1"})
    assert not over_socket.tls


def test_tls_of_a_context(config: Config) -> None:
    folder = config.context("prod", "tcp://prod:2376", tls=True)
    config.context("lax", "tcp://lax:2376", skip=True)
    config.context("open", "tcp://open:2375")
    prod = resolve(config.environ, context="prod")
    assert (prod.tls, prod.tls_dir, prod.skip_verify, prod.context) == (True, folder, False, "prod")
    assert resolve(config.environ, context="lax").skip_verify
    assert not resolve(config.environ, context="open").tls


def test_a_broken_configuration_file_is_as_good_as_none(config: Config) -> None:
    (config.folder / "config.json").write_text("{not json")
    assert resolve(config.environ).url == "unix:///var/run/docker.sock"


def test_home_is_used_without_docker_config(tmp_path: Path) -> None:
    home = Config(tmp_path / ".docker")
    home.context("mine", "tcp://mine:2375")
    home.current("mine")
    assert resolve({"HOME": str(tmp_path)}).url == "tcp://mine:2375"
