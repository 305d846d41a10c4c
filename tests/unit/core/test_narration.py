from __future__ import annotations

import pytest

from orchtui.core.narration import Line, Narrator
from orchtui.model.observed import DockerEvent


def event(action: str, kind: str = "container", **attributes: str) -> DockerEvent:
    name = {"name": "web"} if kind == "container" else {}
    return DockerEvent(at=1.0, nano=1, kind=kind, action=action, id="c" * 64, attributes=name | attributes)


def told(*events: DockerEvent) -> list[str]:
    narrator = Narrator()
    lines = [narrator.tell(one) for one in events]
    return [f"{line.severity} {line.subject}: {line.text}" for line in lines if line is not None]


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (event("start"), "info web: started"),
        (event("destroy"), "info web: removed"),
        (event("rename", oldName="/old"), "info web: renamed from old"),
        (event("health_status: unhealthy"), "warning web: became unhealthy"),
        (event("health_status: healthy"), "info web: became healthy"),
        (event("oom"), "error web: ran out of memory"),
        (event("die", exitCode="1"), "error web: ended with exit 1: failed"),
        (event("die", exitCode="0"), "info web: ended with exit 0: finished"),
        (event("die", exitCode="x"), "warning web: ended"),
        (event("kill", signal="15"), "info web: sent SIGTERM"),
        (event("kill", signal="64"), "info web: sent signal 64"),
        (event("kill"), "info web: sent a signal"),
        (event("create", kind="network", name="shop_default"), "info shop_default: network created"),
        (event("pull", kind="image", name="busybox"), "info busybox: pulled"),
    ],
)
def test_lines(one: DockerEvent, line: str) -> None:
    assert told(one) == [line]


@pytest.mark.parametrize(
    "one",
    [event("stop"), event("health_status: starting"), event("connect", kind="network"), event("attach"), event("")],
)
def test_what_nobody_needs_to_read(one: DockerEvent) -> None:
    assert Narrator().tell(one) is None


def test_a_stop_that_ran_out_of_patience() -> None:
    assert told(event("kill", signal="15"), event("kill", signal="9"), event("die", exitCode="137")) == [
        "info web: sent SIGTERM",
        "warning web: sent SIGKILL: it did not stop within its grace period",
        "info web: ended with exit 137: killed by SIGKILL (did not stop within its grace period)",
    ]


def test_out_of_memory_and_then_another_life() -> None:
    narrator = Narrator()
    for one in (event("oom"),):
        narrator.tell(one)
    assert narrator.tell(event("die", exitCode="137")) == Line(
        "web", "ended with exit 137: killed by SIGKILL (out of memory)", "error"
    )
    narrator.tell(event("start"))
    assert narrator.tell(event("die", exitCode="137")) == Line("web", "ended with exit 137: killed by SIGKILL", "error")


def test_memory_stays_bounded() -> None:
    narrator = Narrator()
    for number in range(2000):
        narrator.tell(DockerEvent(at=1.0, nano=1, kind="container", action="oom", id=str(number)))
    assert len(narrator._before) == 512
