"""Taking a stack down: containers in reverse order of dependencies, then networks, then volumes if asked for."""

from __future__ import annotations

from collections.abc import Iterable

from orchtui.core.desired import DesiredStack
from orchtui.core.identity import ENGINE, SERVICE, STACK, is_ours
from orchtui.core.moves import dismissal
from orchtui.core.operations import Operation, RemoveNetwork, RemoveVolume
from orchtui.core.world import Pass, World
from orchtui.model.history import ServiceStanding
from orchtui.model.observed import Container
from orchtui.model.snapshot import Status


def teardown(desired: DesiredStack, world: World) -> Pass:
    """What may be removed now. External networks and volumes and whatever is not ours stay."""
    ours = [
        one
        for one in world.containers
        if is_ours(one, desired.engine_id) and one.labels.get(STACK) == desired.name
    ]  # fmt: skip
    operations = list(_containers(desired, ours))
    rest = [*_networks(desired, world), *_volumes(desired, world)]
    if not ours:
        operations += rest
    return Pass(
        operations=tuple(operations),
        standings={name: ServiceStanding(desired=0, status=Status.REMOVING) for name in desired.services},
        settled=not ours and not rest,
        converged=not ours and not rest,
        gone=not ours and not rest,
        status=Status.REMOVING,
        reason="is being removed",
    )


def _containers(desired: DesiredStack, ours: list[Container]) -> Iterable[Operation]:
    remaining = {one.labels.get(SERVICE, "") for one in ours}
    cause = f"stack {desired.name} is removed"
    order = {name: index for index, name in enumerate(reversed(desired.in_order()))}
    for one in sorted(ours, key=lambda one: (order.get(one.labels.get(SERVICE, ""), -1), one.name)):
        service = one.labels.get(SERVICE, "")
        if service not in desired.services or not remaining.intersection(desired.dependants(service)):
            yield from dismissal(one, service=service, cause=cause)


def _networks(desired: DesiredStack, world: World) -> Iterable[Operation]:
    # One that a stranger is attached to cannot be removed, and it is not for us to disconnect him.
    used = {attachment.network_id for one in world.containers for attachment in one.networks if attachment.network_id}
    for network in world.networks:
        labels = network.labels
        if labels.get(ENGINE) == desired.engine_id and labels.get(STACK) == desired.name and network.id not in used:
            yield RemoveNetwork(
                cause=f"stack {desired.name} is removed", lane=f"network {network.id}", id=network.id, name=network.name
            )


def _volumes(desired: DesiredStack, world: World) -> Iterable[Operation]:
    if not desired.remove_volumes:
        return
    for volume in world.volumes:
        if volume.labels.get(ENGINE) == desired.engine_id and volume.labels.get(STACK) == desired.name:
            yield RemoveVolume(cause=f"stack {desired.name} is removed", lane=f"volume {volume.name}", name=volume.name)
