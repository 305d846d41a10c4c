"""Commands are data: one union, one `execute`, so there is one place to authorise, confirm, audit and retry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal, TypeAlias, assert_never

ActVerb: TypeAlias = Literal["start", "stop", "restart", "kill", "pause", "unpause", "remove"]
TargetKind = Literal["stack", "service", "container"]


class Risk(IntEnum):
    """Confirmation tiers (research/peers-tui.md 6.3)."""

    LOOK = 0
    SMALL = 1  # reversible, small: a dialog and `y`
    WIDE = 2  # reversible, wide: plan and `y`
    DESTRUCTIVE = 3  # loses something: plan and the typed name


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A stack's or service's key, or a container's full ID. `name` is what a person reads."""

    kind: TargetKind
    key: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name or self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks: a user name and the way in (`console`, `command line`, `api`)."""

    name: str
    via: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply:
    """Make stack `stack` be what the canonical Compose `tree` says (a closed bundle: nothing is read from paths).

    `base` is the revision the person saw, None to skip that check.
    """

    stack: str
    tree: Mapping[str, Any]
    working_dir: str = ""
    config_files: tuple[str, ...] = ()
    base: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    service: str
    replicas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """Apply an earlier revision again as a new one; only `service` of it when given (bare name).

    `to` is a number, `previous` or `stable`. Scale overrides stay unless `replicas`.
    """

    stack: str
    to: str = "previous"
    service: str | None = None
    replicas: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Down:
    """Remove everything of a managed stack; named volumes only with `volumes`. Revisions are kept."""

    stack: str
    volumes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A direct verb on a stack's, a service's or one container. A restart of a managed service or stack is rolling."""

    verb: ActVerb
    target: Target
    signal: str | None = None
    force: bool = field(default=False)


Command: TypeAlias = Apply | Scale | Rollback | Down | Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The command is durable. `serial` is what `Stack.settled` must reach (0: nothing to wait for)."""

    message: str
    stack: str = ""
    serial: int = 0
    revision: int | None = None


_ACT_RISK: Mapping[ActVerb, Risk] = {
    "start": Risk.SMALL,
    "unpause": Risk.SMALL,
    "restart": Risk.SMALL,
    "pause": Risk.SMALL,
    "stop": Risk.WIDE,
    "kill": Risk.WIDE,
    "remove": Risk.DESTRUCTIVE,
}


def risk(command: Command) -> Risk:
    """The confirmation tier of a command. Only what loses data is destructive: docs/decisions/0002."""
    match command:
        case Apply() | Rollback():
            return Risk.WIDE
        case Scale(replicas=replicas):
            return Risk.WIDE if replicas == 0 else Risk.SMALL
        case Down(volumes=volumes):
            return Risk.DESTRUCTIVE if volumes else Risk.WIDE
        case Act(verb="restart", target=Target(kind="stack" | "service")):
            return Risk.WIDE
        case Act(verb=verb):
            return _ACT_RISK[verb]
        case _:
            assert_never(command)


def confirm_name(command: Command) -> str:
    """The name that has to be typed for a destructive command."""
    match command:
        case Apply(stack=name) | Rollback(stack=name) | Down(stack=name) | Scale(service=name):
            return name
        case Act(target=target):
            return target.name or target.key
        case _:
            assert_never(command)


def sentence(command: Command) -> str:
    """What the command does, as dialogs, receipts and the event log say it (imperative, no full stop)."""
    match command:
        case Apply(stack=stack):
            return f"apply stack {stack}"
        case Scale(service=service, replicas=replicas):
            return f"scale {service} to {replicas}"
        case Rollback(stack=stack, service=None, to=to):
            return f"roll back {stack} to {_revision_words(to)}"
        case Rollback(stack=stack, service=service, to=to):
            return f"roll back {stack}/{service} to {_revision_words(to)}"
        case Down(stack=stack, volumes=volumes):
            return f"remove stack {stack}" + (" and its volumes" if volumes else "")
        case Act(verb=verb, target=target, signal=signal):
            return f"{verb} {target}" + (f" with {signal}" if signal else "")
        case _:
            assert_never(command)


def _revision_words(to: str) -> str:
    return f"revision {to}" if to.isdigit() else f"the {to} revision"
