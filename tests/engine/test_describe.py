"""Descriptions of documents as Docker gives them: complete, in order, masked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orchtui.core.redact import MASK
from orchtui.core.view import build
from orchtui.docker.document import container_document
from orchtui.engines.describe import describe_container, describe_service, describe_stack
from orchtui.model.description import Description
from orchtui.model.history import ServiceStanding, StackStanding
from orchtui.model.observed import Container, Network, Volume
from orchtui.model.snapshot import Connection, Rollout

NOW = 1_700_000_000.0  # 2023-11-14T22:13:20Z
DOCUMENT: dict[str, Any] = {
    "Id": "c" * 64,
    "Name": "/shop-web-1",
    "Created": "2023-11-14T21:13:20Z",
    "Path": "srv",
    "Args": ["--port", "80"],
    "Image": "sha256:abc",
    "RestartCount": 2,
    "State": {
        "Status": "running", "Pid": 42, "StartedAt": "2023-11-14T22:03:20Z", "FinishedAt": "2023-11-14T22:03:19Z",
        "Health": {
            "Status": "unhealthy", "FailingStreak": 3,
            "Log": [
                {"Start": "2023-11-14T22:13:00Z", "End": "2023-11-14T22:13:00.5Z", "ExitCode": 0, "Output": "fine\n"},
                {"Start": "2023-11-14T22:13:15Z", "End": "2023-11-14T22:13:16Z", "ExitCode": 1,
                 "Output": "HTTP 500\nfor admin:hunter22\n"},
            ],
        },
    },
    "Config": {
        "Image": "shop/web:1.2", "Env": ["PATH=/bin", "DB_PASSWORD=hunter22"], "Cmd": ["--port", "80"],
        "Entrypoint": ["srv", "--token=abcdefgh"], "StopSignal": "SIGINT", "StopTimeout": 5,
        "Labels": {"team": "blue", "api-key": "xyz"}, "Healthcheck": {"Test": ["CMD-SHELL", "curl -f localhost"]},
    },
    "HostConfig": {
        "Memory": 64 * 2**20, "NanoCpus": 500_000_000, "Init": True, "NetworkMode": "shop_default",
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 4}, "LogConfig": {"Type": "json-file"},
    },
    "NetworkSettings": {
        "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "9090/tcp": None},
        "Networks": {"shop_default": {"IPAddress": "172.20.0.2", "Aliases": ["web"]}},
    },
    "Mounts": [{"Type": "volume", "Name": "data", "Source": "/x", "Destination": "/data", "RW": False}],
}  # fmt: skip


def table(description: Description, title: str) -> dict[str, str]:
    section = next(one for one in description.sections if one.title == title)
    return {field.name: field.value for field in section.fields}


def lines(description: Description, title: str) -> tuple[str, ...]:
    return next(one.lines for one in description.sections if one.title == title)


def test_a_container_in_full() -> None:
    told = describe_container(container_document(DOCUMENT, ("shop/web@sha256:def",)), None, NOW)
    assert [section.title for section in told.sections] == [
        "State", "Health", "Process", "Image", "Ports", "Mounts", "Networks", "Limits", "Environment", "Labels",
    ]  # fmt: skip
    state = table(told, "State")
    assert state["Why"] == "unhealthy, 3 probes failed in a row"
    assert (state["Created"], state["Started"]) == ("1h ago", "10m ago")
    assert (state["Restart policy"], state["Restarts"]) == ("on-failure, at most 4 times", "2")
    assert list(table(told, "Health").items()) == [
        ("Probe", '"curl -f localhost"'),
        ("Failed in a row", "3"),
        ("5s ago", f"exit 1 in 1s: HTTP 500 for admin:{MASK}"),
        ("20s ago", "exit 0 in 500ms: fine"),
    ]
    assert table(told, "Process")["Entrypoint"] == f"srv --token={MASK}"
    assert table(told, "Process")["Stop"] == "SIGINT, 5s grace"
    assert table(told, "Image") == {
        "Image": "shop/web:1.2", "Digest": "shop/web@sha256:def", "Image ID": "sha256:abc",
    }  # fmt: skip
    assert lines(told, "Ports") == ("0.0.0.0:8080 → 80/tcp", "9090/tcp")
    assert lines(told, "Mounts") == ("volume data → /data (read-only)",)
    assert lines(told, "Networks") == ("shop_default 172.20.0.2 as web",)
    assert table(told, "Limits") == {"Memory": "64M", "CPUs": "0.5"}
    assert table(told, "Environment") == {"DB_PASSWORD": MASK, "PATH": "/bin"}
    assert table(told, "Labels") == {"api-key": MASK, "team": "blue"}
    assert '"DB_PASSWORD=' + MASK in told.document
    for secret in ("hunter22", "abcdefgh", "xyz"):
        assert secret not in repr(told)


def test_a_dead_container_tells_why() -> None:
    ended = {**DOCUMENT, "State": {
        "Status": "exited", "ExitCode": 137, "OOMKilled": True, "StartedAt": "2023-11-14T22:03:20Z",
        "FinishedAt": "2023-11-14T22:08:20Z",
    }}  # fmt: skip
    told = describe_container(container_document(ended), None, NOW)
    state = table(told, "State")
    assert state["Why"] == "exit 137: killed by SIGKILL (out of memory, limit 64M)"
    assert state["Ended"] == "5m ago, after 5m0s"
    assert table(told, "Image")["Digest"] == "none (built or imported here)"


def world() -> tuple[Any, StackStanding]:
    labels = {
        "orchtui.engine": "us", "orchtui.stack": "shop", "orchtui.service": "web", "orchtui.slot": "1",
        "orchtui.revision": "3", "com.docker.compose.project": "shop",
    }  # fmt: skip
    one = Container(
        id="a", name="shop-web-1", image="web:1", image_id="i", state="running", labels=labels, inspected=True,
        created_at=NOW - 3600, started_at=NOW - 60,
    )  # fmt: skip
    dead = replace(one, id="b", name="shop-web-2", state="exited", exit_code=1, labels={**labels, "orchtui.slot": "2"})
    rollout = Rollout(state="progressing", revision=3, started_at=NOW - 5, ready=1, total=2)
    standing = StackStanding(
        name="shop", revision=3, serial=1, settled=0, config_files=("/srv/shop.yaml",), working_dir="/srv",
        services={"web": ServiceStanding(desired=2, rollout=rollout)}, created_at=NOW - 86_400, updated_at=NOW - 60,
    )  # fmt: skip
    project = {"com.docker.compose.project": "shop"}
    snapshot = build(
        None, host=None, connection=Connection(state="live", since=NOW), containers=[one, dead], store_id="us",
        networks=[Network(id="n", name="shop_default", labels=project), Network(id="m", name="bridge")],
        volumes=[Volume(name="shop_data", labels=project)], standings={"shop": standing}, now=NOW,
    )  # fmt: skip
    return snapshot, standing


def test_a_service() -> None:
    snapshot, _ = world()
    told = describe_service(snapshot, snapshot.services["shop/web"], NOW)
    assert table(told, "Service")["Kept running by"] == "orchtui"
    assert table(told, "Service")["Desired"] == "2"
    assert table(told, "Update")["Ready"] == "1 of 2"
    assert table(told, "Containers") == {
        "shop-web-1": "running, up 1m",
        "shop-web-2": "exited, exit 1: failed",
    }


def test_a_stack() -> None:
    snapshot, standing = world()
    told = describe_stack(snapshot, snapshot.stacks["shop"], standing, NOW)
    assert table(told, "Stack")["First applied"] == "1d ago"
    assert lines(told, "Files") == ("/srv/shop.yaml",)
    assert table(told, "Services")["web"].startswith("1/2 ready, updating")
    assert lines(told, "Networks") == ("shop_default (bridge)",)
    assert lines(told, "Volumes") == ("shop_data (local)",)
