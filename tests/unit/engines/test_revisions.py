"""Which revision a rollback means."""

from __future__ import annotations

import pytest

from orchtui.engines.revisions import rollback_target
from orchtui.errors import NotFound, UsageError
from orchtui.model.history import Outcome
from orchtui.store.rows import StoredRevision


def revision(number: int, content: str, outcome: Outcome = "completed") -> StoredRevision:
    return StoredRevision(
        stack="shop", number=number, tree={"services": {"web": {"command": content}}}, images={}, digests={},
        author="dana", cause="up", created_at=float(number), outcome=outcome, stable=outcome == "completed",
    )  # fmt: skip


GOOD, BETTER, BROKEN = revision(1, "good"), revision(2, "better"), revision(3, "broken", "failed")
BACK = revision(4, "better")  # the rollback of 3 to 2


@pytest.mark.parametrize(
    ("history", "to", "expected"),
    [
        ((BETTER, GOOD), "previous", 1),
        ((BROKEN, BETTER, GOOD), "previous", 2),
        ((BACK, BROKEN, BETTER, GOOD), "previous", 1),
        ((BROKEN, BETTER, GOOD), "stable", 2),
        ((BACK, BROKEN, BETTER, GOOD), "3", 3),
    ],
)
def test_targets(history: tuple[StoredRevision, ...], to: str, expected: int) -> None:
    assert rollback_target(history, history[0], to).number == expected


def test_no_such_revision_names_those_there_are() -> None:
    with pytest.raises(NotFound, match=r"no revision 9.*has revisions 2, 1"):
        rollback_target((BETTER, GOOD), BETTER, "9")
    with pytest.raises(NotFound, match="no previous revision to go back to"):
        rollback_target((GOOD,), GOOD, "previous")
    with pytest.raises(UsageError):
        rollback_target((GOOD,), GOOD, "-1")
