from __future__ import annotations

import aiohttp
import pytest
from aiodocker.exceptions import DockerError as AioDockerError

from orchtui.docker.endpoint import Endpoint
from orchtui.docker.faults import lost, message, refused, translated
from orchtui.errors import (
    DockerConflict,
    DockerDenied,
    DockerError,
    DockerNotFound,
    DockerRefused,
    DockerUnreachable,
)

ENDPOINT = Endpoint(url="unix:///var/run/docker.sock")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, DockerNotFound), (409, DockerConflict), (500, DockerRefused), (400, DockerRefused), (401, DockerDenied)],
)
def test_each_status_has_its_error(status: int, kind: type[DockerError]) -> None:
    with pytest.raises(DockerError) as caught, translated(ENDPOINT, "start container web"):
        raise AioDockerError(status, "it did not work")
    assert type(caught.value) is kind
    assert caught.value.message == "Docker refused to start container web: it did not work."


def test_the_daemons_words_are_quoted_on_one_line_and_undecoded_json_is_read() -> None:
    assert message('{"message":"a\\n  b"}') == "a b"
    assert message("{broken") == "{broken"
    assert message("") == "no reason given"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Bind for 0.0.0.0:8080 failed: port is already allocated", "publish another"),
        ("No such image: nginx:1", "Pull it"),
        ("pull access denied for x, repository does not exist", "docker login"),
        ("network with name front already exists", "another name"),
        ("network front not found", "Create that network"),
        ("could not find an available, non-overlapping IPv4 address pool among the defaults", "network prune"),
    ],
)
def test_known_refusals_say_what_to_do(text: str, hint: str) -> None:
    assert hint in refused(500, text, "do it").hint


def test_timeouts_and_broken_connections_are_unreachable() -> None:
    for error in (TimeoutError(), aiohttp.ServerDisconnectedError(), ConnectionResetError(104, "reset")):
        found = lost(ENDPOINT, error, "list containers")
        assert isinstance(found, DockerUnreachable)
        assert "list containers" in found.message
        assert found.hint


def test_our_own_faults_pass_through() -> None:
    with pytest.raises(KeyError), translated(ENDPOINT, "x"):
        raise KeyError("bug")
