"""What a container's death means under the restart rules of DESIGN 11, "Deaths and stops"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from orchtui.model.observed import Container
from orchtui.model.spec import ServiceSpec

# kubelet's numbers (research/orchestrators.md 2.3): seconds before the n-th retry after n failures in a row.
BACKOFF = (0.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
# dockerd decides within this time whether it restarts a container itself.
DOCKERD_DECIDES = 0.3
# Docker's times and ours come from one clock; they differ by less than this unless it was set back.
SKEW = 1.0
# One that lived shorter than this never did its job: its death counts as a failure in a row.
SHORT_LIFE = 1.0

Verdict = Literal["completed", "failed", "wait", "start", "replace"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Docker's restart policy; `max_retries` only means something for `on-failure`."""

    name: str = "no"
    max_retries: int = 0

    def __str__(self) -> str:
        return f"{self.name}:{self.max_retries}" if self.max_retries else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """What to do about a container that does not run. `until` is when to look again (verdict `wait`).

    `failures` counts failures in a row including this one; the next container of the slot carries it as a label.
    """

    verdict: Verdict
    until: float = 0.0
    failures: int = 0


def due(since: float, wait: float, now: float) -> float:
    """When `wait` seconds after `since` are over. A `since` that is yet to come means that the clock was set back:
    nobody is to wait for it to get there again.
    """
    return since + wait if since <= now + SKEW else now


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row: 0, 10, 20, 40, 80, 160, 300, 300, …"""
    return BACKOFF[min(max(failures, 1), len(BACKOFF)) - 1]


def policy(spec: ServiceSpec, *, job: bool) -> Policy:
    """The Docker policy that carries out a service's `restart` key.

    `always` stands for unless-stopped too, which does not survive a crash of dockerd (research/ops.md fact 5). A job is
    never restarted after success (research/orchestrators.md 2.2, R1: for jobs `any` is on-failure).
    """
    match spec.restart:
        case "no":
            return Policy()
        case None:
            return Policy(name="on-failure")
        case "on-failure":
            return Policy(name="on-failure", max_retries=spec.restart_max_attempts or 0)
        case "always" | "unless-stopped":
            return Policy(name="on-failure" if job else "always")


def parse_policy(text: str) -> Policy:
    """The policy that a label says; `no` for anything else."""
    name, _, retries = text.partition(":")
    if name not in ("on-failure", "always"):
        return Policy()
    return Policy(name=name, max_retries=int(retries) if retries.isascii() and retries.isdigit() else 0)


def judge(
    container: Container, wanted: Policy, *, failures: int, interrupted: bool, now: float, killed: bool = False
) -> Death:
    """What is to be done about a created, exited or dead container that its slot still wants.

    `failures` is the number of failures in a row before it, `interrupted` whether a signal from outside ended it, so
    that its exit code says nothing about completion, `killed` whether that was a `docker kill`, which dockerd itself
    never answers with a restart.
    """
    if container.state == "created" and not container.error:
        return Death(verdict="start", failures=failures)
    retired = container.restart_policy == "no" and wanted.name != "no"
    if container.error:
        return _failed_start(container, wanted, failures=failures + 1, now=now)
    if container.state == "dead" and wanted.name == "no":
        return Death(verdict="failed", failures=failures)
    if container.state == "exited":
        if retired:  # we stopped it under a hold, or were interrupted while replacing it: it may simply go on
            return Death(verdict="start", failures=failures)
        code = container.exit_code or 0
        if wanted.name == "no":
            return Death(verdict="failed" if code else "completed", failures=failures)
        if wanted.name == "on-failure":
            if code == 0 and not interrupted:
                return Death(verdict="completed")
            if wanted.max_retries and container.restart_count >= wanted.max_retries:
                return Death(verdict="failed", failures=container.restart_count)
    ended = container.finished_at or container.created_at
    decided = due(ended, DOCKERD_DECIDES, now)
    if container.restart_policy != "no" and not killed and now < decided:
        return Death(verdict="wait", until=decided, failures=failures)
    # dockerd restarts what dies by itself, so this one was killed from outside, or dockerd was: back at once.
    short = container.started_at is None or ended - container.started_at < SHORT_LIFE
    return _replace(ended, failures=failures + 1 if short else 0, now=now)


def _failed_start(container: Container, wanted: Policy, *, failures: int, now: float) -> Death:
    if wanted.name == "no":
        return Death(verdict="failed", failures=failures)
    return _replace(max(container.created_at, container.finished_at or 0.0), failures=failures, now=now)


def _replace(since: float, *, failures: int, now: float) -> Death:
    until = due(since, backoff(failures), now)
    if now < until:
        return Death(verdict="wait", until=until, failures=failures)
    return Death(verdict="replace", failures=failures)
