"""What `:` commands mean: a pure parser, the table that help and completion read, and the names they speak of."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from orchtui.commands import ActVerb, Target
from orchtui.errors import NotFound, UsageError
from orchtui.model.snapshot import Snapshot

NameKind = Literal["service", "container", "stack", "theme", "any"]


@dataclass(frozen=True, slots=True)
class Goto:
    """Go to a pane (its number) and show only what matches `filter` ("" keeps all rows)."""

    pane: int
    filter: str = ""


@dataclass(frozen=True, slots=True)
class OpenLogs:
    """Logs of `name` ("" is the row under the cursor), of the last `since` seconds where given."""

    name: str
    since: float | None = None


@dataclass(frozen=True, slots=True)
class Look:
    view: Literal["describe", "inspect", "history", "shell"]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Do:
    """A direct verb on `name` ("" is the row under the cursor, or all marked ones)."""

    verb: ActVerb
    name: str = ""


@dataclass(frozen=True, slots=True)
class ScaleTo:
    name: str
    replicas: int


@dataclass(frozen=True, slots=True)
class TakeDown:
    name: str
    volumes: bool = False


@dataclass(frozen=True, slots=True)
class RollBackTo:
    name: str
    to: str = "previous"


@dataclass(frozen=True, slots=True)
class SetTheme:
    """`name` "" is the next theme."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """An action of the main screen without arguments."""

    action: Literal["quit", "help", "refresh", "apply", "faults_only", "toggle_stopped"]


Typed: TypeAlias = Goto | OpenLogs | Look | Do | ScaleTo | TakeDown | RollBackTo | SetTheme | Run


@dataclass(frozen=True, slots=True)
class Spec:
    """One command: its names (the first is shown), how it is written, and what its first argument names."""

    names: tuple[str, ...]
    arguments: str
    help: str
    parse: Callable[[list[str]], Typed]
    completes: NameKind | None = None

    @property
    def usage(self) -> str:
        return f":{self.names[0]} {self.arguments}".rstrip()


_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def seconds(text: str) -> float:
    """`90s`, `10m`, `1h30m`, `2d` in seconds. Raises UsageError."""
    match = _DURATION.fullmatch(text.lower())
    if not text or match is None:
        raise UsageError(f"`{text}` is not a length of time.", hint="Write it as 90s, 10m, 1h30m or 2d.")
    days, hours, minutes, rest = (int(part or 0) for part in match.groups())
    return float(days * 86_400 + hours * 3600 + minutes * 60 + rest)


def _goto(pane: int) -> Callable[[list[str]], Typed]:
    return lambda words: Goto(pane, " ".join(words))


def _look(view: Literal["describe", "inspect", "history", "shell"]) -> Callable[[list[str]], Typed]:
    return lambda words: Look(view, _one_name(words))


def _do(verb: ActVerb) -> Callable[[list[str]], Typed]:
    return lambda words: Do(verb, _one_name(words))


def _run(action: Literal["quit", "help", "refresh", "apply", "faults_only", "toggle_stopped"]) -> Callable[..., Typed]:
    def parse(words: list[str]) -> Typed:
        if words:
            raise UsageError("It takes nothing more.")
        return Run(action)

    return parse


def _one_name(words: list[str]) -> str:
    if len(words) > 1:
        raise UsageError("It takes one name.")
    return words[0] if words else ""


def _logs(words: list[str]) -> Typed:
    match [word.removeprefix("--") if word == "--since" else word for word in words]:
        case []:
            return OpenLogs("")
        case ["since", length]:
            return OpenLogs("", seconds(length))
        case [name]:
            return OpenLogs(name)
        case [name, "since", length]:
            return OpenLogs(name, seconds(length))
        case _:
            raise UsageError("It takes a name, then perhaps `since 10m`.")


def _scale(words: list[str]) -> Typed:
    match [part for word in words for part in word.split("=", 1)]:
        case [count] if count.isascii() and count.isdigit():
            return ScaleTo("", int(count))
        case [name, count] if count.isascii() and count.isdigit():
            return ScaleTo(name, int(count))
        case _:
            raise UsageError("It takes a service and a number, as in `:scale shop/web 5`.")


def _down(words: list[str]) -> Typed:
    names = [word for word in words if word not in ("--volumes", "-v")]
    return TakeDown(_one_name(names), volumes=len(names) < len(words))


def _rollback(words: list[str]) -> Typed:
    match words:
        case []:
            return RollBackTo("")
        case [name]:
            return RollBackTo(name)
        case [name, to] if to in ("previous", "stable") or (to.isascii() and to.isdigit()):
            return RollBackTo(name, to)
        case _:
            raise UsageError("It takes a stack, then perhaps a revision's number, `previous` or `stable`.")


def _theme(words: list[str]) -> Typed:
    return SetTheme(_one_name(words))


# In the order of help and of docs/keys.md.
SPECS: tuple[Spec, ...] = (
    Spec(("problems", "stacks", "cluster"), "[FILTER]", "problems and stacks", _goto(1)),
    Spec(("svc", "services", "service"), "[FILTER]", "services that match", _goto(2)),
    Spec(("ctr", "containers", "container", "ps"), "[FILTER]", "containers that match", _goto(3)),
    Spec(("logs", "log"), "[NAME] [since 10m]", "logs of it", _logs, "any"),
    Spec(("describe", "d"), "[NAME]", "all about it", _look("describe"), "any"),
    Spec(("inspect", "i"), "[NAME]", "Docker's document", _look("inspect"), "any"),
    Spec(("shell", "sh", "exec"), "[CONTAINER]", "a shell in it", _look("shell"), "container"),
    Spec(("history", "revisions"), "[STACK]", "revisions, roll back", _look("history"), "stack"),
    Spec(("scale",), "[SERVICE] N", "number of replicas", _scale, "service"),
    Spec(("restart",), "[NAME]", "restart, one by one", _do("restart"), "any"),
    Spec(("stop",), "[NAME]", "stop, keep stopped", _do("stop"), "any"),
    Spec(("start",), "[NAME]", "start what was stopped", _do("start"), "any"),
    Spec(("pause",), "[NAME]", "freeze its processes", _do("pause"), "any"),
    Spec(("unpause",), "[NAME]", "let them go on", _do("unpause"), "any"),
    Spec(("kill",), "[NAME]", "kill it without grace", _do("kill"), "any"),
    Spec(("delete", "rm"), "[NAME]", "remove it", _do("remove"), "any"),
    Spec(("rollback",), "[STACK] [N|stable]", "go back to a revision", _rollback, "stack"),
    Spec(("down",), "[STACK] [-v]", "take down; -v: volumes", _down, "stack"),
    Spec(("apply", "up"), "", "plan its file, apply it", _run("apply")),
    Spec(("faults",), "", "only what is wrong", _run("faults_only")),
    Spec(("stopped",), "", "show or hide stopped", _run("toggle_stopped")),
    Spec(("refresh",), "", "read all from Docker again", _run("refresh")),
    Spec(("theme",), "[NAME]", "another colour theme", _theme, "theme"),
    Spec(("help", "h"), "", "keys and commands", _run("help")),
    Spec(("q", "quit", "q!"), "", "quit", _run("quit")),
)

_BY_NAME: Mapping[str, Spec] = {name: spec for spec in SPECS for name in spec.names}


def spec_of(text: str) -> Spec | None:
    """The command that `text` (without its colon) begins with, if its name is complete."""
    words = text.split(None, 1)
    return _BY_NAME.get(words[0].lower()) if words else None


def parse(text: str) -> Typed:
    """The meaning of a typed line, with or without its colon. Raises UsageError that says how to write it."""
    words = text.strip().removeprefix(":").split()
    if not words:
        raise UsageError("No command was typed.", hint="`:help` lists them.")
    spec = _BY_NAME.get(words[0].lower())
    if spec is None:
        near = difflib.get_close_matches(words[0].lower(), _BY_NAME, n=1, cutoff=0.5)
        hint = f"Did you mean `:{near[0]}`?" if near else "`:help` lists them."
        raise UsageError(f"There is no command `:{words[0]}`.", hint=hint)
    try:
        return spec.parse(words[1:])
    except UsageError as error:
        raise UsageError(error.message, hint=error.hint or f"Write `{spec.usage}`.") from None


def complete(text: str, names: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Whole lines that `text` (without its colon) could become; `names` lists known names by kind."""
    head, space, rest = text.partition(" ")
    if not space:
        return tuple(f"{name} " for spec in SPECS for name in spec.names[:1] if name.startswith(head.lower()))
    spec = _BY_NAME.get(head.lower())
    if spec is None or spec.completes is None or " " in rest:
        return ()
    known: Iterable[str] = names.get(spec.completes, ())
    wanted = rest.lower()
    starts = [name for name in known if name.lower().startswith(wanted)]
    inside = [name for name in known if wanted in name.lower() and name not in starts]
    return tuple(f"{head} {name}" for name in (*starts, *inside))


def known_names(snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """The names that `complete` offers, by kind."""
    services = tuple(sorted(snapshot.services))
    stacks = tuple(sorted(key for key in snapshot.stacks if key != "-"))
    containers = tuple(sorted(container.name for container in snapshot.containers.values()))
    return {
        "service": services,
        "stack": stacks,
        "container": containers,
        "any": tuple(dict.fromkeys((*services, *containers, *stacks))),
    }


def resolve(name: str, snapshot: Snapshot, kinds: Sequence[Literal["service", "container", "stack"]]) -> Target:
    """The one thing that `name` means: exact keys and names first, in the order of `kinds`, then short forms.

    A service may be named without its stack and a container by the start of its ID, where that is unique. Raises
    NotFound that names what is near.
    """
    exact = [target for kind in kinds for target in _targets(snapshot, kind) if name in (target.name, target.key)]
    if exact:
        return exact[0]
    short = [target for kind in kinds for target in _targets(snapshot, kind) if _is_short_for(name, target)]
    if len(short) == 1:
        return short[0]
    if short:
        listed = ", ".join(sorted(target.name for target in short)[:4])
        raise NotFound(f"`{name}` could be {listed}.", hint="Write more of its name.")
    what = " or ".join(kinds)
    everything = [target.name for kind in kinds for target in _targets(snapshot, kind)]
    near = difflib.get_close_matches(name, everything, n=1, cutoff=0.5)
    raise NotFound(f"There is no {what} `{name}`.", hint=f"Did you mean `{near[0]}`?" if near else "")


def _targets(snapshot: Snapshot, kind: Literal["service", "container", "stack"]) -> list[Target]:
    match kind:
        case "service":
            return [Target(kind="service", key=key, name=key) for key in snapshot.services]
        case "container":
            return [Target(kind="container", key=each.id, name=each.name) for each in snapshot.containers.values()]
        case "stack":
            return [Target(kind="stack", key=key, name=key) for key in snapshot.stacks if key != "-"]


def _is_short_for(name: str, target: Target) -> bool:
    if target.kind == "service":
        return target.key.rpartition("/")[2] == name
    return target.kind == "container" and len(name) >= 4 and target.key.startswith(name)
