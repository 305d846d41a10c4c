"""The planner: desired and observed in, the operations that are allowed now out (DESIGN 2: level-triggered).

Nothing is scheduled ahead. Order comes from looking again: whoever carried operations out asks once more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from orchtui.core.desired import DesiredStack
from orchtui.core.identity import (
    COMPOSE_SERVICE,
    ENGINE,
    SERVICE,
    STACK,
    is_foreign,
    is_ours,
    network_labels,
    volume_labels,
)
from orchtui.core.moves import Room, dismissal
from orchtui.core.operations import CreateNetwork, CreateVolume, Operation, Pull, RemoveNetwork
from orchtui.core.rollout import RolloutRecord
from orchtui.core.service import Gate, ServicePass, ServiceResult
from orchtui.core.teardown import teardown
from orchtui.core.world import Pass, World
from orchtui.model.history import ServiceStanding
from orchtui.model.observed import Container, Network
from orchtui.model.snapshot import Status
from orchtui.model.spec import DependencySpec

CREATIONS = 8  # begun at most at once in one stack: the knee of dockerd's curve (research/feasibility.md section 5)

__all__ = ["CREATIONS", "Pass", "World", "plan"]


def plan(desired: DesiredStack, world: World, rollouts: Mapping[str, RolloutRecord], now: float) -> Pass:
    """What may be done now so that `world` becomes what `desired` says.

    Pure: the same arguments give the same answer. `rollouts` is the `rollouts` of the previous pass (empty at first).
    """
    if desired.removing:
        return teardown(desired, world)
    return _Planner(desired, world, rollouts, now).run()


class _Planner:
    def __init__(self, desired: DesiredStack, world: World, rollouts: Mapping[str, RolloutRecord], now: float) -> None:
        self.desired, self.world, self.rollouts, self.now = desired, world, rollouts, now
        self.members: dict[str, list[Container]] = defaultdict(list)
        self.foreign: dict[str, list[Container]] = defaultdict(list)
        for one in world.containers:
            if is_ours(one, desired.engine_id) and one.labels.get(STACK) == desired.name:
                self.members[one.labels.get(SERVICE, "")].append(one)
            elif is_foreign(one, desired.name, desired.engine_id):
                self.foreign[one.labels.get(COMPOSE_SERVICE, "")].append(one)
        beginning = sum(one.state == "created" and not one.error for many in self.members.values() for one in many)
        self.room = Room(CREATIONS - beginning)
        self.results: dict[str, ServiceResult] = {}
        self.standings: dict[str, ServiceStanding] = {}

    def run(self) -> Pass:
        operations: list[Operation] = [*self._networks(), *self._volumes()]
        for name in self.desired.in_order():
            if self.foreign[name]:
                self.standings[name] = self._taken_over(name)
                continue
            result = ServicePass(
                self.desired,
                name,
                self.world,
                members=tuple(self.members[name]),
                record=self.rollouts.get(name),
                gate=self._gate(name),
                room=self.room,
                now=self.now,
            ).run()
            self.results[name] = result
            self.standings[name] = result.standing
            # Two services may want the same image; its lane says so, and once is enough.
            pulls = {one.lane for one in operations if isinstance(one, Pull)}
            operations += (one for one in result.operations if not (isinstance(one, Pull) and one.lane in pulls))
        leaving = list(self._leaving())
        operations += leaving
        results = self.results.values()
        over = all(result.outcome != "working" for result in results) and not leaving
        converged = over and all(result.outcome == "converged" for result in results)
        wakes = [wake for result in results for wake in result.wakes]
        return Pass(
            operations=tuple(operations),
            standings=self.standings,
            rollouts=self._records(),
            holds={name: result.holds for name, result in self.results.items() if result.holds}
            | {name: self._holds(name) for name in self.desired.services if self.foreign[name]},
            slots={name: frozenset(slot.number for slot in result.slots) for name, result in self.results.items()},
            requeue_after=max(0.0, min(wakes) - self.now) if wakes else None,
            settled=over,
            converged=converged and not any(self.foreign[name] for name in self.desired.services),
        )

    def _records(self) -> dict[str, RolloutRecord]:
        records = {name: result.record for name, result in self.results.items() if result.record is not None}
        return records | {name: old for name, old in self.rollouts.items() if self.foreign.get(name)}

    def _holds(self, name: str) -> dict[int, bool]:
        service = self.desired.services[name]
        return {slot: slot in service.reached for slot in sorted(service.held)}

    def _taken_over(self, name: str) -> ServiceStanding:
        names = ", ".join(sorted(one.name for one in self.foreign[name])[:3])
        return ServiceStanding(
            desired=self.desired.services[name].replicas,
            status=Status.TAKEN_OVER,
            reason=f"somebody else runs it ({names}); nothing is created beside that",
            foreign=True,
        )

    def _leaving(self) -> Iterable[Operation]:
        """Containers of services that are no longer in the stack."""
        for service in sorted(self.members):
            if service not in self.desired.services and not self.foreign[service]:
                for one in self.members[service]:
                    yield from dismissal(one, service=service, cause=f"{service or 'it'} is not in the stack any more")

    # what services depend on

    def _gate(self, name: str) -> Gate:
        for dependency in self.desired.services[name].spec.depends_on:
            gate = self._condition(dependency)
            if not gate.open and not (gate.failed and not dependency.required):
                return gate
        return Gate()

    def _condition(self, dependency: DependencySpec) -> Gate:
        """research/orchestrators.md 2.4: D1 started, D2 healthy, D3 completed, D5 scale 0 is not waited for."""
        name = dependency.service
        service, result = self.desired.services.get(name), self.results.get(name)
        if service is None or result is None or not service.replicas:  # not in the stack, taken over, or scaled to zero
            return Gate()
        if len(result.holds) == len(result.slots):
            return Gate(open=False, failed=True, reason=f"waits for {name}, which is stopped on request")
        if result.outcome == "given_up":
            return Gate(open=False, failed=True, reason=f"waits for {name}: {result.reason}")
        if result.record is None:
            return Gate(open=False, reason=f"waits for {name}, which {result.reason or 'waits'}")
        if result.record.state != "completed" and result.record.update:
            return Gate(open=False, reason=f"waits for {name} to be updated")
        heads = [slot.head for slot in result.slots if slot.number not in result.holds]
        match dependency.condition:
            case "service_started":
                if any(head is None or head.started_at is None for head in heads):
                    return Gate(open=False, reason=f"waits for {name} to start")
            case "service_healthy":
                return self._healthy(name, heads)
            case "service_completed_successfully":
                if not any(head is not None and result.look.completed(head) for head in heads):
                    return Gate(open=False, reason=f"waits for {name} to complete")
        return Gate()

    def _healthy(self, name: str, heads: Iterable[Container | None]) -> Gate:
        for head in heads:
            if head is None or head.state != "running" or head.health == "starting":
                return Gate(open=False, reason=f"waits for {name} to be healthy")
            if head.health == "unhealthy":
                return Gate(open=False, failed=True, reason=f"waits for {name}: {head.name} is unhealthy")
            if head.health == "none":
                return Gate(
                    open=False, failed=True, reason=f"waits for {name} to be healthy, but it has no healthcheck"
                )
        return Gate()

    # networks and volumes

    def _networks(self) -> Iterable[Operation]:
        for key, spec in self.desired.networks.items():
            there = [network for network in self.world.networks if network.name == spec.name]
            if not there:
                if not spec.external:
                    yield CreateNetwork(
                        cause=f"stack {self.desired.name} needs it",
                        lane=f"network {spec.name}",
                        spec=spec,
                        labels=network_labels(self.desired, key, spec.labels),
                    )
                continue
            yield from self._twins(there)

    def _twins(self, there: list[Network]) -> Iterable[Operation]:
        """Names of networks are not unique on Engine 20.10: the oldest is kept, later ones of ours go if unused."""
        _, *twins = sorted(there, key=lambda network: (network.created_at, network.id))
        used = {attachment.network_id for one in self.world.containers for attachment in one.networks}
        for twin in twins:
            if twin.labels.get(ENGINE) == self.desired.engine_id and twin.id not in used:
                yield RemoveNetwork(
                    cause="a twin of an older network", lane=f"network {twin.id}", id=twin.id, name=twin.name
                )

    def _volumes(self) -> Iterable[Operation]:
        names = {volume.name for volume in self.world.volumes}
        for key, spec in self.desired.volumes.items():
            if not spec.external and spec.name not in names:
                yield CreateVolume(
                    cause=f"stack {self.desired.name} needs it",
                    lane=f"volume {spec.name}",
                    spec=spec,
                    labels=volume_labels(self.desired, key, spec.labels),
                )
