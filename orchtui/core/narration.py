"""Docker's events as lines for people. Nothing is ever decided from these."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from orchtui.core.exits import SIGNALS, exit_words
from orchtui.model.observed import DockerEvent

Severity = Literal["info", "warning", "error"]

_REMEMBERED = 512  # containers whose last kill or OOM is remembered until they die
# Said by others, or too often: `stop` and `restart` follow a die and a start, attach and exec are a person's own doing.
_CONTAINER_WORDS = {
    "create": "created",
    "start": "started",
    "pause": "paused",
    "unpause": "unpaused",
    "destroy": "removed",
    "update": "its limits or restart policy were changed",
}
_OTHER_WORDS = {
    ("image", "pull"): "pulled",
    ("image", "delete"): "image removed",
    ("image", "load"): "image loaded",
    ("image", "import"): "image imported",
    ("network", "create"): "network created",
    ("network", "destroy"): "network removed",
    ("volume", "create"): "volume created",
    ("volume", "destroy"): "volume removed",
    ("service", "create"): "service created",
    ("service", "update"): "service updated",
    ("service", "remove"): "service removed",
    ("node", "update"): "node updated",
    ("daemon", "reload"): "Docker reloaded its configuration",
}


@dataclass(frozen=True, slots=True)
class Line:
    subject: str
    text: str
    severity: Severity = "info"


@dataclass(slots=True)
class _Before:
    """What happened to a container before it died."""

    signals: tuple[int, ...] = ()
    oom: bool = False


class Narrator:
    """Remembers a little, so that a death is told with its cause: killed after its stop timeout, or out of memory."""

    def __init__(self) -> None:
        self._before: OrderedDict[str, _Before] = OrderedDict()

    def tell(self, event: DockerEvent) -> Line | None:
        """The line for an event; None for one that nobody needs to read."""
        subject = event.attributes.get("name") or event.id[:12]
        if event.kind != "container":
            words = _OTHER_WORDS.get((event.kind, event.action))
            return Line(subject, words) if words is not None else None
        action, _, detail = event.action.partition(":")
        match action:
            case "die":
                return self._death(subject, event)
            case "oom":
                self._note(event.id).oom = True
                return Line(subject, "ran out of memory", "error")
            case "kill":
                return self._kill(subject, event)
            case "health_status":
                return _health(subject, detail.strip())
            case "rename":
                old = event.attributes.get("oldName", "").lstrip("/")
                return Line(subject, f"renamed from {old}" if old else "renamed")
        if action in ("start", "destroy"):
            self._before.pop(event.id, None)
        words = _CONTAINER_WORDS.get(action)
        return Line(subject, words) if words is not None else None

    def _note(self, id: str) -> _Before:
        before = self._before.setdefault(id, _Before())
        self._before.move_to_end(id)
        while len(self._before) > _REMEMBERED:
            self._before.popitem(last=False)
        return before

    def _kill(self, subject: str, event: DockerEvent) -> Line:
        text = event.attributes.get("signal", "")
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
        before = self._note(event.id)
        before.signals = (*before.signals[-3:], number)
        name = SIGNALS.get(number, f"signal {number}" if number else "a signal")
        if number == 9 and len(before.signals) > 1:
            return Line(subject, "sent SIGKILL: it did not stop within its grace period", "warning")
        return Line(subject, f"sent {name}")

    def _death(self, subject: str, event: DockerEvent) -> Line:
        before = self._before.pop(event.id, None) or _Before()
        text = event.attributes.get("exitCode", "")
        if not (text.isascii() and text.isdigit() and len(text) < 6):
            return Line(subject, "ended", "warning")
        code = int(text)
        forced = len(before.signals) > 1 and before.signals[-1] == 9
        words = f"ended with {exit_words(code, oom=before.oom, forced=forced)}"
        asked = bool(before.signals) and not before.oom
        return Line(subject, words, "info" if code == 0 or asked else "error")


def _health(subject: str, health: str) -> Line | None:
    match health:
        case "healthy":
            return Line(subject, "became healthy")
        case "unhealthy":
            return Line(subject, "became unhealthy", "warning")
    return None
