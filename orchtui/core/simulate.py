"""What an operation does to a World if nothing goes wrong: the forecast's and the property tests' Docker Engine."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import assert_never

from orchtui.core.identity import IMAGE
from orchtui.core.operations import (
    Create,
    CreateNetwork,
    CreateVolume,
    Operation,
    Pull,
    Remove,
    RemoveNetwork,
    RemoveVolume,
    Rename,
    SetRestart,
    Start,
    Stop,
)
from orchtui.core.world import World
from orchtui.model.observed import Attachment, Container, Image, Network, Volume


def carried_out(world: World, operation: Operation, now: float) -> World:
    """The world after `operation`. Raises ValueError for what Docker would refuse (a name in use, a missing one)."""
    match operation:
        case Pull(image=ref):
            name, _, digest = ref.partition("@")
            image = Image(id=digest or "sha256:" + _digest(ref), tags=(name,))
            return replace(world, images={**world.images, ref: image, name: image, image.id: image})
        case CreateNetwork(spec=spec, labels=labels):
            network = Network(id=f"network-{len(world.networks)}-{now}", name=spec.name, created_at=now, labels=labels)
            return replace(world, networks=(*world.networks, network))
        case RemoveNetwork(id=id):
            return replace(world, networks=tuple(one for one in world.networks if one.id != id))
        case CreateVolume(spec=volume, labels=labels):
            return replace(world, volumes=(*world.volumes, Volume(name=volume.name, created_at=now, labels=labels)))
        case RemoveVolume(name=name):
            return replace(world, volumes=tuple(one for one in world.volumes if one.name != name))
        case Create():
            return _created(world, operation, now)
        case Remove(id=id):
            if _find(world, id).running:
                raise ValueError(f"{operation.name} runs")
            return replace(world, containers=tuple(one for one in world.containers if one.id != id))
        case Rename(id=id, to=to):
            _free(world, to)
            return _changed(world, replace(_find(world, id), name=to))
        case SetRestart(id=id, policy=policy):
            return _changed(world, replace(_find(world, id), restart_policy=policy.name))
        case Start(id=id):
            return _changed(world, started(_find(world, id), now))
        case Stop(id=id):
            return _changed(
                world, replace(_find(world, id), state="exited", exit_code=137, finished_at=now, health="none")
            )
        case _:
            assert_never(operation)


def started(container: Container, now: float) -> Container:
    """Running; a healthcheck (remembered as health `starting`) has not spoken yet."""
    return replace(container, state="running", started_at=now, error="", exit_code=0)


def _created(world: World, operation: Create, now: float) -> World:
    _free(world, operation.name)
    spec = operation.spec
    check = spec.healthcheck
    image = world.images.get(operation.image)
    has_check = check is not None and bool(check.test)
    if check is None and image is not None:
        has_check = image.has_healthcheck
    networks = {one.name: one.id for one in reversed(world.networks)}
    container = Container(
        id=_digest(f"{operation.name} {now} {len(world.containers)}"),
        name=operation.name,
        image=operation.image,
        image_id=operation.labels[IMAGE],
        state="created",
        health="starting" if has_check and not (check is not None and check.disabled) else "none",
        restart_policy=operation.policy.name,
        created_at=now,
        labels=operation.labels,
        networks=tuple(Attachment(network=name, network_id=networks[name]) for name in operation.networks.values()),
        inspected=True,
    )
    return replace(world, containers=(*world.containers, container))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _find(world: World, id: str) -> Container:
    for one in world.containers:
        if one.id == id:
            return one
    raise ValueError(f"no container {id}")


def _free(world: World, name: str) -> None:
    if any(one.name == name for one in world.containers):
        raise ValueError(f"the name {name} is in use")


def _changed(world: World, container: Container) -> World:
    return replace(world, containers=tuple(container if one.id == container.id else one for one in world.containers))
