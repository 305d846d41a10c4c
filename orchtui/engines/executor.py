"""Carries out operations: one Docker call each, no decisions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import assert_never

from orchtui.core.identity import same_identity
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
from orchtui.docker.client import DockerClient
from orchtui.errors import DockerConflict, DockerNotFound

CONCURRENCY = 8  # creations and starts at once on one Docker Engine (research/feasibility.md section 5: the knee)
PULLS = 2


class Executor:
    """One for all stacks of an engine, so that its limits hold for the daemon as a whole."""

    def __init__(self) -> None:
        self._beginning = asyncio.Semaphore(CONCURRENCY)
        self._pulling = asyncio.Semaphore(PULLS)

    async def run(self, client: DockerClient, operation: Operation) -> None:
        """Raises DockerError. What is already done, or whose object is gone, counts as done: the loop looks again."""
        match operation:
            case Create():
                async with self._beginning:
                    await _create(client, operation)
            case Start(id=id):
                async with self._beginning:
                    await _unless_gone(client.start(id))
            case Stop(id=id, grace=grace):
                await _unless_gone(client.stop(id, grace))
            case Remove(id=id):
                # Not by force and without its anonymous volumes: what a person may still want is not ours to lose.
                await _unless_gone(client.remove(id))
            case Rename(id=id, to=to):
                await _unless_gone(client.rename(id, to))
            case SetRestart(id=id, policy=policy):
                await _unless_gone(client.set_restart(id, policy.name, policy.max_retries))
            case Pull(image=image):
                async with self._pulling:
                    await client.pull(image)
            case CreateNetwork(spec=network, labels=labels):
                await client.create_network(network, labels)
            case RemoveNetwork(id=id):
                await _unless_gone(client.remove_network(id))
            case CreateVolume(spec=volume, labels=labels):
                await client.create_volume(volume, labels)
            case RemoveVolume(name=name):
                await _unless_gone(client.remove_volume(name))
            case _:
                assert_never(operation)


async def _unless_gone(call: Awaitable[object]) -> None:
    try:
        await call
    except DockerNotFound:
        return


async def _create(client: DockerClient, operation: Create) -> None:
    try:
        await client.create_container(
            name=operation.name,
            spec=operation.spec,
            image=operation.image,
            labels=operation.labels,
            networks=operation.networks,
            aliases=operation.aliases,
            restart=operation.policy.name,
            restart_max=operation.policy.max_retries,
        )
    except DockerConflict as error:
        try:
            holder = await client.inspect_container(operation.name)
        except DockerNotFound:
            raise error from None  # it went away in between: the next pass tries again
        if not same_identity(holder.labels, operation.labels):
            raise DockerConflict(
                f"The name {operation.name} is taken by another container ({holder.short_id}, {holder.image}).",
                hint=f"Remove or rename it: docker rename {operation.name} NEW-NAME.",
            ) from error
