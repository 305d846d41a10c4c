from __future__ import annotations

from typing import Any

import pytest

from orchtui.core.exits import exit_words, explain
from orchtui.model.observed import Container


def container(**fields: Any) -> Container:
    return Container(
        **({"id": "a" * 64, "name": "web", "image": "i", "image_id": "sha256:i", "state": "exited"} | fields)
    )


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "exit 0: finished"),
        (1, "exit 1: failed"),
        (3, "exit 3: failed"),
        (125, "exit 125: Docker could not run the container"),
        (126, "exit 126: the command cannot be executed (permission, or not a program)"),
        (127, "exit 127: the command was not found"),
        (130, "exit 130: interrupted (SIGINT)"),
        (134, "exit 134: aborted itself (SIGABRT)"),
        (137, "exit 137: killed by SIGKILL"),
        (139, "exit 139: crashed with a segmentation fault (SIGSEGV)"),
        (143, "exit 143: ended by SIGTERM"),
        (129, "exit 129: killed by SIGHUP"),
        (190, "exit 190: killed by signal 62"),
        (200, "exit 200: failed"),
        (255, "exit 255: failed, or its end was lost in a crash of Docker"),
    ],
)
def test_exit_codes_in_words(code: int, words: str) -> None:
    assert exit_words(code) == words


def test_why_it_was_killed() -> None:
    assert exit_words(137, oom=True) == "exit 137: killed by SIGKILL (out of memory)"
    assert exit_words(137, forced=True) == "exit 137: killed by SIGKILL (did not stop within its grace period)"
    assert exit_words(1, oom=True) == "exit 1: failed; a process in it ran out of memory"
    assert exit_words(143, forced=True) == "exit 143: ended by SIGTERM"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": "running"}, ""),
        ({"state": "running", "health": "unhealthy", "failing_streak": 3}, "unhealthy, 3 probes failed in a row"),
        ({"state": "running", "health": "unhealthy"}, "unhealthy, its probes fail"),
        ({"state": "running", "oom_killed": True}, "a process in it ran out of memory"),
        ({"state": "paused"}, "paused"),
        ({"state": "created"}, "created, never started"),
        ({"state": "created", "error": "exec: no\nx"}, "could not start: exec: no"),
        ({"state": "removing"}, "is being removed"),
        ({"state": "dead"}, "dead: Docker could not remove it completely"),
        ({"exit_code": 0}, "exit 0: finished"),
        ({}, "has ended"),
        ({"exit_code": 127, "error": "no such file"}, "could not start: no such file"),
        (
            {"exit_code": 137, "oom_killed": True, "memory_limit": 64 * 2**20},
            "exit 137: killed by SIGKILL (out of memory, limit 64M)",
        ),
        (
            {"state": "restarting", "exit_code": 1, "restart_count": 4},
            "exit 1: failed; Docker is restarting it after 4 restarts",
        ),
        ({"state": "restarting", "exit_code": 1}, "exit 1: failed; Docker is restarting it"),
    ],
)
def test_state_in_words(fields: dict[str, Any], words: str) -> None:
    assert explain(container(**fields)) == words
