"""Revisions, and what the reconciler says of a managed stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from orchtui.model.snapshot import Rollout, Status

Outcome = Literal["pending", "completed", "failed", "superseded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One immutable version of a stack. `images` maps a service to the image ID it resolved to ("" while unknown)."""

    stack: str
    number: int
    created_at: float
    author: str
    cause: str
    outcome: Outcome
    finished_at: float | None = None
    rollback_of: int | None = None
    stable: bool = False
    current: bool = False
    images: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStanding:
    """What the reconciler thinks of one managed service; core.view merges it into the snapshot's Service."""

    desired: int
    status: Status | None = None
    reason: str = ""
    rollout: Rollout | None = None
    held: tuple[int, ...] = ()
    foreign: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StackStanding:
    """The same of one managed stack (see Stack.serial and Stack.settled)."""

    name: str
    revision: int
    serial: int
    settled: int
    status: Status | None = None
    reason: str = ""
    services: Mapping[str, ServiceStanding] = field(default_factory=dict)
    config_files: tuple[str, ...] = ()
    working_dir: str = ""
    created_at: float = 0.0
    updated_at: float = 0.0
