"""Commands that make a revision: up and rollback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from orchtui.commands import Actor, Apply, Rollback
from orchtui.core.changes import image_changes, tree_changes
from orchtui.core.desired import DesiredService, DesiredStack
from orchtui.core.identity import canonical
from orchtui.core.redact import is_masked
from orchtui.core.rollout import RolloutRecord
from orchtui.docker.client import DockerClient
from orchtui.engines.desired import SpecCache, lowered
from orchtui.engines.reading import WorldReader
from orchtui.engines.storethread import StoreThread, never_managed
from orchtui.errors import NotFound, PlanRefused, Refused, StaleBase, UsageError
from orchtui.model.plan import Change
from orchtui.store.rows import NewRevision, StoredRevision, StoredStack


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A command understood: the wish it leads to, and how to make it durable. `commit` gives serial and revision."""

    desired: DesiredStack
    commit: Callable[[], tuple[int, int | None]]
    rollouts: Mapping[str, RolloutRecord]
    changes: tuple[Change, ...] = ()


class Revisions:
    """Proposals that lead to a revision. Nothing is written before `Proposal.commit` is called."""

    def __init__(
        self, thread: StoreThread, reader: WorldReader, specs: SpecCache, *, clock: Callable[[], float]
    ) -> None:
        self._thread, self._reader, self._specs, self._clock = thread, reader, specs, clock
        self._store = thread.store

    async def apply(self, client: DockerClient, command: Apply, actor: Actor) -> Proposal:
        name, tree = command.stack, command.tree
        if is_masked(json.dumps(tree, ensure_ascii=False)):
            raise PlanRefused(
                "The file holds masked values (••••••), which are for reading only.",
                hint="Apply the original file, not one that orchtui printed.",
            )
        if tree.get("name") != name:
            raise UsageError(f"The file is of stack {tree.get('name')}, not {name}.")
        stored = await self._thread(self._store.stack, name)
        current = stored.revision if stored is not None and stored.present else None
        if command.base is not None and command.base != (current.number if current is not None else 0):
            now_at = f"at revision {current.number}" if current is not None else "down"
            raise StaleBase(
                f"The stack {name} changed since you looked at it: it is {now_at} now.",
                hint="Look at the new plan and confirm it again.",
            )
        images, digests = await self._resolve(client, tree)
        new = NewRevision(tree=tree, images=images, digests=digests, author=actor.name, cause=f"up via {actor.via}")
        return await self._new_revision(stored, new, name, command.working_dir, command.config_files)

    async def _new_revision(
        self,
        stored: StoredStack | None,
        new: NewRevision,
        name: str,
        working_dir: str,
        config_files: tuple[str, ...],
        *,
        keep_overrides: bool = False,
    ) -> Proposal:
        spec, hashes = await asyncio.to_thread(lowered, new.tree)
        old_spec = self._specs.get(stored.revision)[0] if stored is not None and stored.present else None
        overrides = dict(stored.overrides) if stored is not None else {}
        stale = {
            service
            for service in overrides
            if service not in spec.services
            or old_spec is None
            or service not in old_spec.services
            or (not keep_overrides and old_spec.services[service].replicas != spec.services[service].replicas)
        }
        number = await self._thread(self._store.next_revision, name, new)
        serial = (stored.serial if stored is not None else 0) + 1
        generations = stored.generations if stored is not None else {}
        services = {
            service: DesiredService(
                spec=one,
                spec_hash=hashes[service],
                replicas=one.replicas if service in stale else overrides.get(service, one.replicas),
                revision=number,
                generation=generations.get(service, 0),
                image_id=new.images.get(service, ""),
                digest=new.digests.get(service, ""),
            )
            for service, one in spec.services.items()
        }
        desired = DesiredStack(
            name=name, engine_id=self._store.id, revision=number, serial=serial, applied=serial, services=services,
            networks=spec.networks, volumes=spec.volumes, working_dir=working_dir, config_files=config_files,
        )  # fmt: skip
        old = stored.revision if stored is not None and stored.present else None
        changes = tree_changes(old.tree if old is not None else {}, new.tree)
        if old is not None:
            changes += image_changes(old.images, new.images)
        commit = partial(
            self._store.apply, name, new, now=self._clock(), working_dir=working_dir, config_files=config_files,
            clear_overrides=stale,
        )  # fmt: skip
        return Proposal(
            desired=desired, commit=commit, rollouts=stored.rollouts if stored is not None else {}, changes=changes
        )

    async def _resolve(self, client: DockerClient, tree: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
        """Image IDs and digests by service; an image that is not here yet is resolved when it was pulled."""
        spec, _ = await asyncio.to_thread(lowered, tree)
        images, digests = {}, {}
        for service, one in spec.services.items():
            image = await self._reader.image(client, one.image)
            images[service] = image.id if image is not None else ""
            if image is not None and image.digests:
                digests[service] = image.digests[0]
        return images, digests

    async def roll_back(self, client: DockerClient, command: Rollback, actor: Actor) -> Proposal:
        name = command.stack
        stored = await self._thread(self._store.stack, name)
        if stored is None:
            raise never_managed(name)
        wanted = await self._rollback_target(stored, command.to)
        tree, images, digests = wanted.tree, dict(wanted.images), dict(wanted.digests)
        if command.service is not None:
            tree, images, digests = _one_service(stored.revision, wanted, command.service)
        if stored.present and canonical(tree) == canonical(stored.revision.tree) and images == stored.revision.images:
            raise Refused(
                f"{name} already is what revision {wanted.number} says.", hint="There is nothing to roll back."
            )
        for service, image in images.items():
            if image and service not in digests and await self._reader.image(client, image) is None:
                raise PlanRefused(
                    f"Revision {wanted.number} cannot come back: the image {image[:19]} of {service} is gone.",
                    hint="Load or build that image again, or roll back to another revision.",
                )
        what = f"{name}/{command.service}" if command.service else name
        new = NewRevision(
            tree=tree, images=images, digests=digests, author=actor.name,
            cause=f"rollback of {what} to {wanted.number}", rollback_of=wanted.number,
        )  # fmt: skip
        kept = replace(stored, overrides={}) if command.replicas else stored
        proposal = await self._new_revision(
            kept, new, name, stored.working_dir, stored.config_files, keep_overrides=not command.replicas
        )
        if not command.replicas:
            return proposal
        commit = partial(
            self._store.apply, name, new, now=self._clock(), working_dir=stored.working_dir,
            config_files=stored.config_files, clear_overrides=tuple(stored.overrides),
        )  # fmt: skip
        return replace(proposal, commit=commit)

    async def _rollback_target(self, stored: StoredStack, to: str) -> StoredRevision:
        return rollback_target(await self._thread(self._store.revisions, stored.name), stored.revision, to)


def rollback_target(revisions: Sequence[StoredRevision], current: StoredRevision, to: str) -> StoredRevision:
    """The revision that `to` (a number, `previous` or `stable`) names, of `revisions` newest first.

    `previous` is the newest one before the current that did not fail and says something else: after a rollback, a
    second one goes further back instead of to the revision that was just left. Raises NotFound, UsageError.
    """
    older = [one for one in revisions if one.number < current.number]
    if to.isdecimal():
        found = next((one for one in revisions if one.number == int(to)), None)
    elif to == "stable":
        found = next((one for one in older if one.stable), None)
    elif to == "previous":
        content = canonical(current.tree), current.images
        others = (one for one in older if (canonical(one.tree), one.images) != content)
        found = next((one for one in others if one.outcome != "failed"), None)
    else:
        raise UsageError(f"{to} is no revision.", hint="Give a number, `previous` or `stable`.")
    if found is None:
        known = ", ".join(str(one.number) for one in revisions)
        word = "revision" if len(revisions) == 1 else "revisions"
        raise NotFound(f"{current.stack} has no {_ordinal(to)}.", hint=f"It has {word} {known}.")
    return found


def _one_service(
    current: StoredRevision, wanted: StoredRevision, service: str
) -> tuple[dict[str, Any], dict[str, str], dict[str, str]]:
    """The current tree with `service`, and the networks and volumes it lacks, from another revision."""
    if service not in wanted.tree["services"]:
        raise NotFound(
            f"Revision {wanted.number} of {wanted.stack} has no service {service}.",
            hint=f"It has {', '.join(sorted(wanted.tree['services']))}.",
        )
    tree: dict[str, Any] = dict(current.tree)
    tree["services"] = {**current.tree["services"], service: wanted.tree["services"][service]}
    for kind in ("networks", "volumes"):
        if kind in wanted.tree or kind in current.tree:
            tree[kind] = {**(wanted.tree.get(kind) or {}), **(current.tree.get(kind) or {})}
    images = {**current.images, service: wanted.images.get(service, "")}
    digests = {name: one for name, one in current.digests.items() if name != service}
    if service in wanted.digests:
        digests[service] = wanted.digests[service]
    return tree, images, digests


def _ordinal(to: str) -> str:
    return f"revision {to}" if to.isdecimal() else f"{to} revision to go back to"
