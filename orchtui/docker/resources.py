"""Verbs on networks, volumes, images and Swarm services."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from orchtui.docker import compile as compiled
from orchtui.docker import parse
from orchtui.docker.connection import Connection, path
from orchtui.docker.containers import label_filter
from orchtui.docker.faults import refused
from orchtui.errors import DockerConflict, DockerNotFound, DockerRefused
from orchtui.model.observed import Image, Network, SwarmService, Volume
from orchtui.model.spec import NetworkSpec, VolumeSpec

_REFERENCE = re.compile(r"(?P<name>[^@]+?)(?::(?P<tag>[^/:@]+))?(?:@(?P<digest>.+))?")


def split_reference(reference: str) -> tuple[str, str]:
    """An image reference as (name, tag or digest); without either `latest`, since Docker would pull all tags."""
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        return reference, "latest"
    return match["name"], match["digest"] or match["tag"] or "latest"


class ResourceVerbs(Connection):
    """Errors: DockerNotFound, DockerConflict (in use), DockerRefused, DockerUnreachable."""

    async def list_networks(self, labels: Mapping[str, str | None] | None = None) -> tuple[Network, ...]:
        items = await self.read_json("networks", doing="list networks", params=label_filter(labels or {}))
        return tuple(parse.network(item) for item in items)

    async def create_network(self, spec: NetworkSpec, labels: Mapping[str, str]) -> str:
        """Its ID. Names are not unique on Engine 20.10: list before and after (DESIGN 11, Names and labels)."""
        answer = await self.call(
            "networks/create", "POST", doing=f"create network {spec.name}", body=compiled.network(spec, labels)
        )
        return str(answer["Id"])

    async def remove_network(self, network: str) -> None:
        """Raises DockerConflict while containers are attached (20.10 says 403 for it)."""
        try:
            await self.call(path("networks", network), "DELETE", doing=f"remove network {network}")
        except DockerRefused as error:
            if error.status == 403 and not isinstance(error, DockerConflict):
                raise DockerConflict(error.message, hint=error.hint, status=403) from error
            raise

    async def list_volumes(self, labels: Mapping[str, str | None] | None = None) -> tuple[Volume, ...]:
        answer = await self.read_json("volumes", doing="list volumes", params=label_filter(labels or {}))
        return tuple(parse.volume(item) for item in answer.get("Volumes") or ())

    async def create_volume(self, spec: VolumeSpec, labels: Mapping[str, str]) -> Volume:
        """The volume of that name; one that existed keeps its own labels and options, so compare them."""
        answer = await self.call(
            "volumes/create", "POST", doing=f"create volume {spec.name}", body=compiled.volume(spec, labels)
        )
        return parse.volume(answer)

    async def remove_volume(self, name: str) -> None:
        """Raises DockerConflict while a container uses it."""
        await self.call(path("volumes", name), "DELETE", doing=f"remove volume {name}")

    async def image(self, reference: str) -> Image | None:
        """A local image by name, digest or ID; None when there is none."""
        try:
            document = await self.read_json(path("images", reference) + "/json", doing=f"look for image {reference}")
        except DockerNotFound:
            return None
        return parse.image(document)

    async def pull(self, reference: str, progress: Callable[[str], None] | None = None) -> Image:
        """Pull an image with the docker CLI's own credentials; `progress` gets one short line an update.

        Raises DockerRefused with the registry's words, DockerUnreachable.
        """
        name, tag = split_reference(reference)
        doing = f"pull image {reference}"
        auth = await asyncio.to_thread(registry_auth, name)
        headers = {"X-Registry-Auth": auth} if auth else {}
        params = {"fromImage": name, "tag": tag}
        async with self.stream("images/create", "POST", doing=doing, params=params, headers=headers) as chunks:
            async for item in json_lines(chunks):
                if item.get("error"):
                    raise refused(500, str(item["error"]), doing)
                if progress is not None:
                    words = (item.get("id"), item.get("status"), item.get("progress"))
                    progress(" ".join(str(word) for word in words if word))
        found = await self.image(reference)
        if found is None:
            raise DockerRefused(f"Docker pulled {reference}, but has no such image now.", hint="Try it again.")
        return found

    async def swarm_services(self) -> tuple[SwarmService, ...]:
        """All services with their counts; none where this engine is not a manager."""
        if self.host.swarm != "manager":
            return ()
        try:
            items = await self.read_json("services", doing="list services", params={"status": "true"})
        except DockerRefused as error:
            if error.status in (406, 503):  # it left the swarm, or the managers have no majority
                return ()
            raise
        return tuple(parse.swarm_service(item) for item in items)

    async def remove_swarm_service(self, service: str) -> None:
        await self.call(path("services", service), "DELETE", doing=f"remove service {service}")


def registry_auth(name: str) -> str | None:
    """The X-Registry-Auth header for an image name, from the docker CLI's configuration and its credential helpers.

    Slow (helpers are processes): call it in a thread. None without credentials. Raises DockerRefused.
    """
    from docker import auth, errors  # imported here: 80 ms that only a pull needs

    try:
        registry, _ = auth.resolve_repository_name(name)
        found = auth.load_config().resolve_authconfig(registry)
    except errors.DockerException as error:
        raise DockerRefused(
            f"The registry credentials for {name} cannot be read: {error}.",
            hint="Check the docker CLI's config.json and its credential helper, or run `docker login` again.",
        ) from error
    if not found:
        return None
    known = {
        "username": found.get("username") or found.get("Username"),
        "password": found.get("password") or found.get("Password"),
        "identitytoken": found.get("identitytoken") or found.get("IdentityToken"),
        "serveraddress": found.get("serveraddress") or found.get("ServerAddress"),
    }
    return base64.urlsafe_b64encode(json.dumps({k: v for k, v in known.items() if v}).encode()).decode()


async def json_lines(chunks: AsyncIterator[bytes], limit: int = 4 * 1024 * 1024) -> AsyncIterator[dict[str, Any]]:
    """The JSON objects of a stream of lines; what is no object, or longer than `limit` bytes, is passed over."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > limit:
            rest = b""
        for line in lines:
            if (item := _object(line)) is not None:
                yield item
    if (item := _object(rest)) is not None:
        yield item


def _object(line: bytes) -> dict[str, Any] | None:
    if not line.strip():
        return None
    try:
        item = json.loads(line)
    except ValueError:
        return None
    return item if isinstance(item, dict) else None
