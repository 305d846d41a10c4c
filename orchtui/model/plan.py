"""What would be done, as data and as text: dialogs, `orchtui plan`, dry runs and tests read the same value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verb = Literal[
    "pull", "create-network", "create-volume", "create", "start", "set-restart", "stop", "kill", "pause", "unpause",
    "restart", "rename", "remove", "remove-network", "remove-volume",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One operation of a plan: what is done to what, and why."""

    verb: Verb
    subject: str
    cause: str

    def __str__(self) -> str:
        return f"{self.verb} {self.subject}  ({self.cause})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field that differs. Secret-looking values are masked before they get here."""

    subject: str
    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The preview of one command. `risks` are sentences about downtime or loss; `notes` say what is assumed."""

    summary: str
    steps: tuple[Step, ...] = ()
    changes: tuple[Change, ...] = ()
    risks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.steps and not self.changes
