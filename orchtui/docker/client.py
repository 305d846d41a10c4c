"""The Docker Engine behind typed verbs: the one object that the engines talk to."""

from __future__ import annotations

from typing import Self

from orchtui.docker.containers import ContainerVerbs
from orchtui.docker.endpoint import Endpoint
from orchtui.docker.resources import ResourceVerbs


class DockerClient(ContainerVerbs, ResourceVerbs):
    """Every method raises orchtui.errors.DockerError subclasses only; each survives a loss of the connection.

    `DockerClient(endpoint)` needs no Docker yet (an engine that starts before dockerd does); `connect` insists on one.
    Calls open connections as they need them, so after a loss the same client works again; call `refresh_host` then,
    since another version may have come back. Belongs to the event loop it was made in.
    """

    @classmethod
    async def connect(cls, endpoint: Endpoint) -> Self:
        """A client whose `host` is known and whose API version is agreed on.

        Raises DockerUnreachable, DockerDenied, DockerVersion.
        """
        client = cls(endpoint)
        try:
            await client.refresh_host()
        except BaseException:
            await client.aclose()
            raise
        return client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()
