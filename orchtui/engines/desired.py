"""From what the store keeps to what the planner is asked: one DesiredStack, with every override applied."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from orchtui.compose.lower import lower
from orchtui.core.desired import DesiredService, DesiredStack
from orchtui.core.identity import spec_hash
from orchtui.model.spec import StackSpec
from orchtui.store.rows import StoredRevision, StoredStack


class SpecCache:
    """Lowered trees of revisions. Both are immutable, so one that was lowered once stays right."""

    def __init__(self) -> None:
        self._specs: dict[tuple[str, int, float], tuple[StackSpec, Mapping[str, str]]] = {}

    def get(self, revision: StoredRevision) -> tuple[StackSpec, Mapping[str, str]]:
        """The spec of a revision, and the spec hash of each of its services."""
        key = (revision.stack, revision.number, revision.created_at)
        if key not in self._specs:
            if len(self._specs) > 64:
                self._specs.clear()
            self._specs[key] = lowered(revision.tree)
        return self._specs[key]


def lowered(tree: Mapping[str, Any]) -> tuple[StackSpec, Mapping[str, str]]:
    """The spec of a canonical tree, and the spec hash of each service. Raises StackFileError."""
    spec = lower(tree)
    return spec, {name: spec_hash(tree, name) for name in spec.services}


def assemble(
    stored: StoredStack,
    engine_id: str,
    specs: SpecCache,
    *,
    earlier: Collection[StoredRevision] = (),
) -> DesiredStack:
    """What is wished of `stored`. `earlier` revisions only matter to containers with spec labels of another version."""
    spec, hashes = specs.get(stored.revision)
    known = {one.number: specs.get(one)[1] for one in earlier}
    services = {}
    for name, service in spec.services.items():
        holds = stored.holds.get(name, {})
        services[name] = DesiredService(
            spec=service,
            spec_hash=hashes[name],
            replicas=stored.overrides.get(name, service.replicas),
            revision=stored.revision.number,
            generation=stored.generations.get(name, 0),
            image_id=stored.revision.images.get(name, ""),
            digest=stored.revision.digests.get(name, ""),
            held=frozenset(holds),
            reached=frozenset(slot for slot, reached in holds.items() if reached),
            known_specs={number: found[name] for number, found in known.items() if name in found},
        )
    return DesiredStack(
        name=stored.name,
        engine_id=engine_id,
        revision=stored.revision.number,
        serial=stored.serial,
        applied=stored.applied,
        services=services,
        networks=spec.networks,
        volumes=spec.volumes,
        removing=stored.removing,
        remove_volumes=stored.remove_volumes,
        working_dir=stored.working_dir,
        config_files=stored.config_files,
    )
