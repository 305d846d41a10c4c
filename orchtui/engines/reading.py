"""Reading one stack's world from Docker, cheaply: what no event has touched is not inspected again."""

from __future__ import annotations

from collections.abc import Iterable

from orchtui.core.desired import DesiredStack
from orchtui.core.identity import ENGINE, PROJECT
from orchtui.core.world import World
from orchtui.docker.client import DockerClient
from orchtui.model.observed import Container, Image, Network, Volume


class WorldReader:
    """Reads a World. Whoever hears of changes calls `forget`; a full `forget()` is due now and then anyway."""

    def __init__(self) -> None:
        self._age = 0  # grows with every `forget`, so that an answer that was overtaken is not kept
        self._containers: dict[str, Container] = {}
        self._images: dict[str, Image | None] = {}
        self._networks: tuple[Network, ...] | None = None
        self._volumes: tuple[Volume, ...] | None = None

    def forget(self, kind: str = "", id: str = "") -> None:
        """What was read of this container, of all images, networks or volumes, or (without `kind`) of everything."""
        self._age += 1
        if kind == "container":
            self._containers.pop(id, None)
        if kind in ("image", ""):
            self._images.clear()
        if kind in ("network", ""):
            self._networks = None
        if kind in ("volume", ""):
            self._volumes = None
        if not kind:
            self._containers.clear()

    async def read(self, client: DockerClient, desired: DesiredStack) -> World:
        """The world of `desired`, without what only the reconciler knows (`pending`, `signalled`).

        Raises DockerError.
        """
        references = {service.spec.image for service in desired.services.values()}
        references |= {service.image_id for service in desired.services.values() if service.image_id}
        # One after the other: of these only the containers are not usually known already.
        return World(
            containers=await self._read_containers(client, desired),
            networks=await self._read_networks(client),
            volumes=await self._read_volumes(client),
            images=await self._read_images(client, references),
        )

    async def _read_containers(self, client: DockerClient, desired: DesiredStack) -> tuple[Container, ...]:
        age = self._age
        listed = await client.list_containers(labels={PROJECT: desired.name})
        ours = [one for one in listed if one.labels.get(ENGINE) == desired.engine_id]
        unknown = [one.id for one in ours if not self._still(one)]
        found = {one.id: one for one in await client.inspect_containers(unknown)} if unknown else {}
        result = []
        for one in listed:
            if one not in ours:
                result.append(one)
            elif (
                known := found.get(one.id) or (None if one.id in unknown else self._containers.get(one.id))
            ) is not None:
                result.append(known)
        if age == self._age:
            self._containers.update(found)
        return tuple(result)

    def _still(self, listed: Container) -> bool:
        """What was inspected before still fits what the list says. One that was never started is still being made."""
        known = self._containers.get(listed.id)
        return (
            known is not None
            and known.state != "created"
            and (known.state, known.health, known.name)
            == (
                listed.state,
                listed.health,
                listed.name,
            )
        )

    async def _read_networks(self, client: DockerClient) -> tuple[Network, ...]:
        age, known = self._age, self._networks
        if known is None:
            known = await client.list_networks()
            if age == self._age:
                self._networks = known
        return known

    async def _read_volumes(self, client: DockerClient) -> tuple[Volume, ...]:
        age, known = self._age, self._volumes
        if known is None:
            known = await client.list_volumes()
            if age == self._age:
                self._volumes = known
        return known

    async def _read_images(self, client: DockerClient, references: Iterable[str]) -> dict[str, Image]:
        found = {}
        for reference in sorted(references):
            if (image := await self.image(client, reference)) is not None:
                found[reference] = image
        return found

    async def image(self, client: DockerClient, reference: str) -> Image | None:
        """A local image by name or ID."""
        age = self._age
        if reference in self._images:
            return self._images[reference]
        image = await client.image(reference)
        if age == self._age:
            self._images[reference] = image
        return image
