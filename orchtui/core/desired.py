"""What is wished of one stack, resolved as far as it can be: the planner's first input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchtui.model.spec import NetworkSpec, ServiceSpec, VolumeSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredService:
    """One service. `replicas` includes a scale override; `image_id` is "" until the image was seen once.

    `held` slots are stopped because a person wants it; `reached` are those of them that were seen stopped since.
    `known_specs` gives this service's spec hash in earlier revisions, for containers whose label is of another version.
    `digest` is the image's repository digest (`name@sha256:…`), for pulling exactly that image again.
    """

    spec: ServiceSpec
    spec_hash: str
    replicas: int
    revision: int
    generation: int = 0
    image_id: str = ""
    digest: str = ""
    held: frozenset[int] = frozenset()
    reached: frozenset[int] = frozenset()
    known_specs: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredStack:
    """One stack of the engine `engine_id` (our store's identity, the value of the label orchtui.engine).

    `serial` counts accepted commands, `applied` is the serial of the last one that may retry a paused rollout
    (up, rollback). With `removing` everything of the stack goes, named volumes only with `remove_volumes`.
    """

    name: str
    engine_id: str
    revision: int
    serial: int
    services: Mapping[str, DesiredService]
    applied: int = 0
    networks: Mapping[str, NetworkSpec] = field(default_factory=dict)
    volumes: Mapping[str, VolumeSpec] = field(default_factory=dict)
    removing: bool = False
    remove_volumes: bool = False
    working_dir: str = ""
    config_files: tuple[str, ...] = ()

    def job(self, service: str) -> bool:
        """Whether another service waits for this one to complete (DESIGN 11: then it is a job)."""
        return any(
            dependency.service == service and dependency.condition == "service_completed_successfully"
            for other in self.services.values()
            for dependency in other.spec.depends_on
        )

    def in_order(self) -> tuple[str, ...]:
        """Service names, dependencies first, otherwise by name. Dependencies outside the stack are skipped."""
        ordered: dict[str, None] = {}

        def visit(name: str, path: frozenset[str]) -> None:
            if name in ordered or name in path:  # a cycle is a load error already; here it must only end
                return
            for dependency in sorted(self.services[name].spec.depends_on, key=lambda one: one.service):
                if dependency.service in self.services:
                    visit(dependency.service, path | {name})
            ordered[name] = None

        for name in sorted(self.services):
            visit(name, frozenset())
        return tuple(ordered)

    def dependants(self, service: str) -> tuple[str, ...]:
        """The services that depend on `service` directly."""
        return tuple(
            name
            for name, other in self.services.items()
            if any(dependency.service == service for dependency in other.spec.depends_on)
        )
