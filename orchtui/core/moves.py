"""The operations of one service's pass, collected in order."""

from __future__ import annotations

from dataclasses import dataclass

from orchtui.core.desired import DesiredService, DesiredStack
from orchtui.core.identity import container_labels, final_name, replacement_name
from orchtui.core.operations import Create, Operation, Pull, Remove, Rename, SetRestart, Start, Stop
from orchtui.core.restart import Policy
from orchtui.core.slots import Slot
from orchtui.core.world import World
from orchtui.model.observed import Container

NO_RESTART = Policy()


@dataclass(slots=True)
class Room:
    """How many more creations this pass may begin (DESIGN 11: concurrency 8 for creation and scale-up)."""

    left: int

    def take(self) -> bool:
        self.left -= 1
        return self.left >= 0


class Moves:
    """Collects operations; whatever cannot be had yet (an image, a network) makes a creation wait."""

    def __init__(
        self, stack: DesiredStack, service: DesiredService, world: World, *, policy: Policy, room: Room
    ) -> None:
        self._stack, self._service, self._world, self._policy, self._room = stack, service, world, policy, room
        self._name = service.spec.name
        self.operations: list[Operation] = []
        self.image_gone = ""  # why there is nothing to create from, and never will be without a person

    def set_policy(self, one: Container, wanted: Policy, *, cause: str) -> None:
        """Nothing if it has that policy."""
        if one.restart_policy != wanted.name:
            self.operations.append(
                SetRestart(cause=cause, lane=_lane(one), service=self._name, id=one.id, name=one.name, policy=wanted)
            )

    def stop(self, one: Container, *, cause: str) -> None:
        self.operations.append(Stop(cause=cause, lane=_lane(one), service=self._name, id=one.id, name=one.name))

    def start(self, one: Container, *, cause: str) -> None:
        self.operations.append(Start(cause=cause, lane=_lane(one), service=self._name, id=one.id, name=one.name))

    def rename(self, one: Container, to: str, *, cause: str) -> None:
        self.operations.append(
            Rename(cause=cause, lane=_lane(one), service=self._name, id=one.id, name=one.name, to=to)
        )

    def dismiss(self, one: Container, *, cause: str) -> None:
        self.operations += dismissal(one, service=self._name, cause=cause)

    def can_create(self) -> bool:
        """Whether a creation would go ahead now; asks for the image otherwise."""
        return self._room.left > 0 and self.image() is not None and self._resources_exist()

    def image(self) -> tuple[str, str] | None:
        """What to create from and its ID. None while there is nothing: it is pulled, or `image_gone` says why not."""
        wanted, images, spec = self._service.image_id, self._world.images, self._service.spec
        tagged = images.get(spec.image)
        if tagged is not None and wanted in ("", tagged.id):
            return spec.image, tagged.id
        if wanted and wanted in images:
            return wanted, wanted
        if wanted and not self._service.digest and tagged is not None:
            revision = self._service.revision
            self.image_gone = f"the image {wanted[:19]} of revision {revision} is gone; {spec.image} is another now"
            return None
        source = self._service.digest or spec.image
        pull = Pull(cause=f"{self._name} needs it", lane=f"image {source}", service=self._name, image=source)
        if pull not in self.operations:
            self.operations.append(pull)
        return None

    def create(self, slot: Slot, *, cause: str, failures: int = 0, replaces: bool = False) -> None:
        """A container of the wanted form, under the slot's final name if that is free."""
        if not self.can_create() or (image := self.image()) is None or not self._room.take():
            return
        stack, service = self._stack, self._service
        final = final_name(stack.name, self._name, slot.number)
        self.operations.append(
            Create(
                cause=cause,
                lane=f"{self._name}/{slot.number}" if slot.head is None else _lane(slot.head),
                service=self._name,
                name=replacement_name(stack.name, service, slot.number, slot.names) if slot.names else final,
                slot=slot.number,
                spec=service.spec,
                image=image[0],
                labels=container_labels(
                    stack, service, slot=slot.number, image_id=image[1], policy=self._policy, failures=failures
                ),
                networks={one.network: stack.networks[one.network].name for one in service.spec.networks},
                aliases=(final, self._name),
                policy=self._policy,
                replaces=replaces,
            )
        )

    def _resources_exist(self) -> bool:
        spec, stack = self._service.spec, self._stack
        names = {network.name for network in self._world.networks}
        if any(stack.networks[one.network].name not in names for one in spec.networks):
            return False
        volumes = {volume.name for volume in self._world.volumes}
        declared = {volume.name for volume in stack.volumes.values()}
        used = {mount.source for mount in spec.mounts if mount.kind == "volume" and mount.source}
        return (used & declared) <= volumes


def dismissal(one: Container, *, service: str, cause: str) -> list[Operation]:
    """Take one container out of the world: policy, stop with its grace, remove."""
    operations: list[Operation] = []
    if one.running:
        if one.restart_policy != "no":
            operations.append(
                SetRestart(cause=cause, lane=_lane(one), service=service, id=one.id, name=one.name, policy=NO_RESTART)
            )
        operations.append(Stop(cause=cause, lane=_lane(one), service=service, id=one.id, name=one.name))
    if one.state != "removing":
        operations.append(Remove(cause=cause, lane=_lane(one), service=service, id=one.id, name=one.name))
    return operations


def _lane(one: Container) -> str:
    return f"container {one.id}"
