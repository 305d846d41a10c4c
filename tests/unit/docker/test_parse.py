from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchtui.docker import parse
from orchtui.docker.document import container_document
from orchtui.model.observed import Attachment, Health, PortBinding

LISTED: dict[str, Any] = {
    "Id": "d297bd4d5fc4" + "0" * 52,
    "Names": ["/other/alias", "/web-1"],
    "Image": "nginx:1",
    "ImageID": "sha256:abc",
    "Command": "sleep 600",
    "Created": 1795415116,
    "Ports": [
        {"IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
        {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
        {"PrivatePort": 53, "Type": "udp"},
    ],
    "Labels": {"a": "b"},
    "State": "running",
    "Status": "Up 1 second (health: starting)",
    "NetworkSettings": {"Networks": {"bridge": {"NetworkID": "n1", "IPAddress": "172.17.0.2", "Aliases": None}}},
    "Mounts": [{"Type": "volume", "Name": "v", "Source": "/x", "Destination": "/data", "RW": False}],
}


def inspected(**state: Any) -> dict[str, Any]:
    return {
        "Id": "d297bd4d5fc4",
        "Created": "2026-11-23T06:25:16.821847285Z",
        "Path": "sleep",
        "Args": ["600"],
        "Name": "/web-1",
        "Image": "sha256:abc",
        "RestartCount": 2,
        "State": {
            "Status": "running",
            "Pid": 42,
            "ExitCode": 0,
            "StartedAt": "2026-11-23T06:25:17.066559774Z",
            "FinishedAt": "0001-01-01T00:00:00Z",
            **state,
        },
        "Config": {"Image": "nginx:1", "Tty": True, "Labels": None, "Env": ["A=1"], "Cmd": ["sleep"]},
        "HostConfig": {
            "Memory": 1024,
            "NanoCpus": 500_000_000,
            "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5},
        },
        "NetworkSettings": {
            "Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}], "53/udp": None},
            "Networks": {
                "front": {"NetworkID": "n1", "IPAddress": "", "GlobalIPv6Address": "fd00::2", "Aliases": ["w"]}
            },
        },
        "Mounts": [],
    }


@pytest.mark.parametrize(
    ("status", "health", "code"),
    [
        ("Up 3 minutes (healthy)", "healthy", None),
        ("Up 2 weeks (unhealthy)", "unhealthy", None),
        ("Up Less than a second (health: starting)", "starting", None),
        ("Up 3 minutes", "none", None),
        ("Up 3 minutes (Paused)", "none", None),
        ("Exited (137) 2 hours ago", "none", 137),
        ("Exited (0) About a minute ago", "none", 0),
        ("Restarting (1) 5 seconds ago", "none", 1),
        ("Exited (-1) 5 seconds ago", "none", -1),
        ("Created", "none", None),
        ("Dead", "none", None),
        ("Removal In Progress", "none", None),
        ("", "none", None),
    ],
)
def test_status_texts(status: str, health: Health, code: int | None) -> None:
    assert parse.status_text(status) == (health, code)


def test_a_listed_container() -> None:
    found = parse.listed_container(LISTED)
    assert (found.name, found.image, found.state, found.health) == ("web-1", "nginx:1", "running", "starting")
    assert found.created_at == 1795415116.0
    assert found.ports == (
        PortBinding(container_port=53, protocol="udp"),
        PortBinding(container_port=80, host_ip="0.0.0.0", host_port=8080),
        PortBinding(container_port=80, host_ip="::", host_port=8080),
    )
    assert found.networks == (Attachment(network="bridge", network_id="n1", ip="172.17.0.2"),)
    assert found.mounts[0].read_only
    assert not found.inspected


def test_an_inspected_container() -> None:
    found = parse.inspected_container(inspected())
    assert (found.name, found.command, found.pid, found.tty) == ("web-1", "sleep 600", 42, True)
    assert found.created_at == pytest.approx(1795415116.821847, abs=1e-6)
    assert found.started_at == pytest.approx(1795415117.06656, abs=1e-5)
    assert found.finished_at is None
    assert found.exit_code is None
    assert (found.restart_count, found.restart_policy) == (2, "on-failure")
    assert (found.memory_limit, found.cpu_limit) == (1024, 0.5)
    assert found.ports == (
        PortBinding(container_port=53, protocol="udp"),
        PortBinding(container_port=80, host_ip="127.0.0.1", host_port=8080),
    )
    assert found.networks == (Attachment(network="front", network_id="n1", ip="fd00::2", aliases=("w",)),)
    assert found.inspected


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"Status": "exited", "ExitCode": 137, "FinishedAt": "2026-11-23T06:26:00Z"}, 137),
        ({"Status": "exited", "ExitCode": 0, "FinishedAt": "2026-11-23T06:26:00Z"}, 0),
        ({"Status": "running", "ExitCode": 0, "FinishedAt": "2026-11-23T06:26:00Z"}, None),
        ({"Status": "restarting", "ExitCode": 1, "FinishedAt": "2026-11-23T06:26:00Z"}, 1),
        ({"Status": "created", "ExitCode": 0}, None),
        ({"Status": "created", "ExitCode": 127, "Error": "exec: no such file"}, 127),
    ],
)
def test_exit_codes(state: dict[str, Any], code: int | None) -> None:
    assert parse.inspected_container(inspected(**state)).exit_code == code


def test_health_and_oom() -> None:
    found = parse.inspected_container(inspected(OOMKilled=True, Health={"Status": "unhealthy", "FailingStreak": 4}))
    assert (found.health, found.failing_streak, found.oom_killed) == ("unhealthy", 4, True)


def test_newer_engines_leave_things_out_and_put_health_into_the_list() -> None:
    found = parse.listed_container(
        {"Id": "a" * 64, "State": "running", "Health": {"Status": "healthy", "FailingStreak": 0}}
    )
    assert (found.name, found.health, found.networks) == ("a" * 12, "healthy", ())


def test_hostile_strings_stay_data_and_long_labels_are_cut() -> None:
    hostile = "\x1b]52;c;aGk=\x07[@click=app.x()]"
    found = parse.listed_container(LISTED | {"Image": hostile, "Labels": {hostile: hostile, "big": "x" * 10_000}})
    assert found.image == hostile
    assert found.labels[hostile] == hostile
    assert len(found.labels["big"]) == parse.LABEL_LIMIT


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("2026-11-23T06:25:16.821847285Z", 1795415116_821847285),
        ("2026-11-23T06:25:16Z", 1795415116_000000000),
        ("2026-11-23T08:25:16.5+02:00", 1795415116_500000000),
        ("0001-01-01T00:00:00Z", 0),
        ("", 0),
        ("yesterday", 0),
        ("2026-13-99T99:99:99Z", 0),
        (None, 0),
        (5, 0),
    ],
)
def test_times(text: object, nano: int) -> None:
    assert parse.nano(text) == nano
    assert (parse.seconds(text) is None) == (nano == 0)


def test_events_use_only_what_every_version_has() -> None:
    found = parse.event(
        {"Type": "container", "Action": "die", "Actor": {"ID": "c", "Attributes": {"exitCode": "1"}}, "timeNano": 5}
    )
    assert found is not None
    assert (found.kind, found.action, found.id, found.nano, found.attributes) == (
        "container",
        "die",
        "c",
        5,
        {"exitCode": "1"},
    )
    assert parse.event({"status": "die", "id": "c"}) is None


def test_swarm_services() -> None:
    item: dict[str, Any] = {
        "ID": "s1",
        "CreatedAt": "2026-11-23T06:25:16Z",
        "Spec": {
            "Name": "web",
            "Labels": {},
            "Mode": {"Replicated": {"Replicas": 3}},
            "TaskTemplate": {"ContainerSpec": {"Image": "nginx:1@sha256:x"}},
        },
        "Endpoint": {"Ports": [{"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 8080}]},
        "UpdateStatus": {"State": "paused", "Message": "m"},
    }
    bare = parse.swarm_service(item)
    assert (bare.desired, bare.running, bare.update_state) == (3, 0, "paused")
    counted = parse.swarm_service(item | {"ServiceStatus": {"RunningTasks": 2, "DesiredTasks": 4}})
    assert (counted.desired, counted.running) == (4, 2)
    everywhere = item | {"Spec": item["Spec"] | {"Mode": {"Global": {}}}}
    assert parse.swarm_service(everywhere).desired is None


def test_host() -> None:
    info = {
        "ID": "X:Y",
        "Name": "box",
        "NCPU": 4,
        "MemTotal": 8,
        "CgroupVersion": "2",
        "CgroupDriver": "systemd",
        "SecurityOptions": ["name=seccomp,profile=default", "name=rootless"],
        "Swarm": {"LocalNodeState": "active", "ControlAvailable": True},
    }
    host = parse.host(info, {"Version": "26.1.5"}, api="1.45", endpoint="unix:///x", context="default")
    assert (host.cgroup_version, host.cgroup_driver, host.rootless, host.swarm) == (2, "systemd", True, "manager")
    assert (host.engine_version, host.api_version, host.cpus) == ("26.1.5", "1.45", 4)


def test_images() -> None:
    found = parse.image(
        {
            "Id": "sha256:a",
            "RepoTags": None,
            "RepoDigests": ["n@sha256:b"],
            "Config": {"Healthcheck": {"Test": ["CMD", "x"]}},
        }
    )
    assert (found.tags, found.digests, found.has_healthcheck) == ((), ("n@sha256:b",), True)
    assert not parse.image({"Config": {"Healthcheck": {"Test": ["NONE"]}}}).has_healthcheck


def test_a_document_carries_probes_and_the_raw_json() -> None:
    raw = inspected(
        Health={
            "Status": "unhealthy",
            "Log": [{"Start": "2026-11-23T06:25:16Z", "End": "2026-11-23T06:25:17Z", "ExitCode": 1, "Output": "no\n"}],
        }
    )
    found = container_document(raw, ("n@sha256:b",))
    assert found.env == ("A=1",)
    assert found.command == ("sleep",)
    assert found.restart_max == 5
    assert [(probe.exit_code, probe.output) for probe in found.probes] == [(1, "no\n")]
    assert found.raw is raw


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(LISTED)), JSON))
def test_a_listed_container_of_any_shape_is_read(item: dict[str, Any]) -> None:
    assert parse.listed_container(item).state in parse._STATES
