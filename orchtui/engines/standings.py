"""What the console is told of a managed stack: the store's facts and the last pass as one StackStanding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from orchtui.core.desired import DesiredStack
from orchtui.core.world import Pass
from orchtui.model.history import ServiceStanding, StackStanding
from orchtui.model.snapshot import Status
from orchtui.store.rows import StoredStack


def stack_standing(
    stored: StoredStack, desired: DesiredStack, answer: Pass | None, failed: Mapping[str, str] | None = None
) -> StackStanding:
    """`answer` is None before the first pass: then only what is wished is said. `failed` gives, by service ("" is
    the stack itself), what Docker refuses to do.
    """
    failed = failed or {}
    if answer is None:
        services = {
            name: ServiceStanding(
                desired=0 if desired.removing else one.replicas - len(one.held), held=tuple(sorted(one.held))
            )
            for name, one in desired.services.items()
        }
    else:
        services = {name: _with_failure(one, failed.get(name, "")) for name, one in answer.standings.items()}
    status = answer.status if answer is not None else (Status.REMOVING if desired.removing else None)
    reason = answer.reason if answer is not None else ""
    if failed.get(""):
        status, reason = status or Status.FAILED, failed[""]
    return StackStanding(
        name=stored.name,
        revision=stored.revision.number,
        serial=stored.serial,
        settled=stored.settled,
        status=status,
        reason=reason,
        services=services,
        config_files=stored.config_files,
        working_dir=stored.working_dir,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )


def _with_failure(standing: ServiceStanding, message: str) -> ServiceStanding:
    if not message or (standing.rollout is not None and standing.rollout.state == "paused"):
        return standing
    return replace(standing, status=Status.FAILED, reason=message)
