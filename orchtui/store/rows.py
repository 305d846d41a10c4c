"""What the store hands out: plain values, free of SQL."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from orchtui.core.identity import canonical
from orchtui.core.rollout import RolloutRecord
from orchtui.model.history import Outcome, Revision


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRevision:
    """A revision with its canonical tree. `images` maps services to image IDs ("" while unknown)."""

    stack: str
    number: int
    tree: Mapping[str, Any]
    images: Mapping[str, str]
    digests: Mapping[str, str]
    author: str
    cause: str
    created_at: float
    outcome: Outcome = "pending"
    finished_at: float | None = None
    rollback_of: int | None = None
    stable: bool = False

    def shown(self, current: int | None) -> Revision:
        """For people: without the tree."""
        return Revision(
            stack=self.stack,
            number=self.number,
            created_at=self.created_at,
            author=self.author,
            cause=self.cause,
            outcome=self.outcome,
            finished_at=self.finished_at,
            rollback_of=self.rollback_of,
            stable=self.stable,
            current=self.number == current,
            images=self.images,
            digests=self.digests,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredStack:
    """All that is kept of one stack. `present` is False once it was taken down: only its revisions are left.

    `holds` maps a service's held slots to whether they were seen stopped.
    """

    name: str
    serial: int
    applied: int
    settled: int
    revision: StoredRevision
    present: bool
    removing: bool
    remove_volumes: bool
    working_dir: str
    config_files: tuple[str, ...]
    created_at: float
    updated_at: float
    overrides: Mapping[str, int] = field(default_factory=dict)
    generations: Mapping[str, int] = field(default_factory=dict)
    holds: Mapping[str, Mapping[int, bool]] = field(default_factory=dict)
    rollouts: Mapping[str, RolloutRecord] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRevision:
    """A tree to apply. With the same tree and images as the current revision, no new one is made."""

    tree: Mapping[str, Any]
    images: Mapping[str, str]
    digests: Mapping[str, str]
    author: str
    cause: str
    rollback_of: int | None = None


def same_content(current: StoredRevision, new: NewRevision) -> bool:
    """The same tree, and no image that is known on both sides differs."""
    if canonical(current.tree) != canonical(new.tree):
        return False
    pairs = ((image, new.images.get(name)) for name, image in current.images.items())
    return all(not old or not found or old == found for old, found in pairs)


def read_revision(row: Mapping[str, Any]) -> StoredRevision:
    """A revision from its columns."""
    fields = dict(row)
    for key in ("tree", "images", "digests"):
        fields[key] = json.loads(fields[key])
    fields["stable"] = bool(fields["stable"])
    return StoredRevision(**fields)


def record_text(record: RolloutRecord) -> str:
    return canonical(asdict(record))


def read_record(text: str) -> RolloutRecord:
    fields = json.loads(text)
    fields["finished"] = {int(slot): at for slot, at in fields["finished"].items()}
    return RolloutRecord(**fields)
