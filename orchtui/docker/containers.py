"""Verbs on containers. Where Docker answers 304 (already started, already stopped) a verb simply succeeds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import aiohttp

from orchtui.docker import compile as compiled
from orchtui.docker import parse
from orchtui.docker.connection import Connection, fan_out, path
from orchtui.docker.document import ContainerDocument, container_document
from orchtui.errors import DockerConflict, DockerError, DockerNotFound, DockerRefused
from orchtui.model.observed import Container
from orchtui.model.spec import ServiceSpec

# How long a stop may take beyond the grace period, and how long one whose grace period only the container knows.
STOP_MARGIN = 60.0
STOP_UNKNOWN = 900.0


def label_filter(labels: Mapping[str, str | None]) -> dict[str, str]:
    """The `filters` parameter for labels; a value of None asks for the label whatever its value."""
    if not labels:
        return {}
    wanted = [key if value is None else f"{key}={value}" for key, value in labels.items()]
    return {"filters": json.dumps({"label": wanted})}


def _graceful(grace: float | None) -> tuple[dict[str, str], aiohttp.ClientTimeout]:
    """The `t` parameter, and a deadline that outlasts it."""
    params = {} if grace is None else {"t": str(compiled.whole_seconds(grace))}
    total = STOP_UNKNOWN if grace is None else grace + STOP_MARGIN
    return params, aiohttp.ClientTimeout(total=total, connect=5, sock_connect=5)


class ContainerVerbs(Connection):
    """`container` is an ID, a unique prefix of one, or a name. Errors: DockerNotFound, DockerConflict, DockerRefused,
    DockerUnreachable.
    """

    async def list_containers(self, *, labels: Mapping[str, str | None] | None = None) -> tuple[Container, ...]:
        """All containers, running or not, that carry `labels`. One call: times, restarts and exits are partial."""
        items = await self.read_json(
            "containers/json", doing="list containers", params={"all": "1", **label_filter(labels or {})}
        )
        return tuple(parse.listed_container(item) for item in items)

    async def inspect_container(self, container: str) -> Container:
        document = await self.read_json(path("containers", container, "json"), doing=f"inspect container {container}")
        return parse.inspected_container(document)

    async def inspect_containers(self, containers: Sequence[str]) -> tuple[Container, ...]:
        """Many at once, in order; those that vanished meanwhile are left out."""

        async def one(container: str) -> Container | None:
            try:
                return await self.inspect_container(container)
            except DockerNotFound:
                return None

        return tuple(found for found in await fan_out(list(containers), one) if found is not None)

    async def container_document(self, container: str) -> ContainerDocument:
        """Everything about one container, unmasked, with its image's digests where the image still exists."""
        document = await self.read_json(path("containers", container, "json"), doing=f"inspect container {container}")
        try:
            image = await self.read_json(
                path("images", str(document.get("Image") or "")) + "/json", doing="inspect its image"
            )
        except DockerNotFound:
            image = {}
        return container_document(document, parse.image(image).digests)

    async def create_container(
        self,
        *,
        name: str,
        spec: ServiceSpec,
        image: str,
        labels: Mapping[str, str],
        networks: Mapping[str, str],
        aliases: Sequence[str] = (),
        restart: str = "no",
        restart_max: int = 0,
    ) -> str:
        """Create, not start; the new ID. `networks` gives the real name of each network key of the spec.

        Raises DockerConflict when the name is taken. A container that could not join all its networks is removed again;
        that one of them does not exist, though, Docker finds out at the start only.
        """
        creation = compiled.container(
            spec=spec,
            image=image,
            labels=labels,
            networks=networks,
            aliases=aliases,
            restart=restart,
            restart_max=restart_max,
            api=self.api,
        )
        doing = f"create container {name}"
        answer = await self.call("containers/create", "POST", doing=doing, params={"name": name}, body=creation.config)
        created = str(answer["Id"])
        try:
            for network, end in creation.connects:
                await self.call(
                    path("networks", network, "connect"),
                    "POST",
                    doing=f"connect container {name} to network {network}",
                    body={"Container": created, "EndpointConfig": end},
                )
        except DockerError:
            await self.remove(created, force=True, volumes=True)
            raise
        return created

    async def start(self, container: str) -> None:
        await self._post(container, "start", f"start container {container}")

    async def stop(self, container: str, grace: float | None = None) -> None:
        """SIGTERM (or its own stop signal), then SIGKILL after `grace` seconds; None leaves that to the container."""
        params, timeout = _graceful(grace)
        await self._post(container, "stop", f"stop container {container}", params=params, timeout=timeout)

    async def restart(self, container: str, grace: float | None = None) -> None:
        params, timeout = _graceful(grace)
        await self._post(container, "restart", f"restart container {container}", params=params, timeout=timeout)

    async def kill(self, container: str, signal: str | None = None) -> None:
        """Send a signal, SIGKILL by default. Raises DockerConflict when it does not run."""
        params = {"signal": signal} if signal else {}
        await self._post(container, "kill", f"kill container {container}", params=params)

    async def pause(self, container: str) -> None:
        await self._post(container, "pause", f"pause container {container}")

    async def unpause(self, container: str) -> None:
        await self._post(container, "unpause", f"unpause container {container}")

    async def rename(self, container: str, name: str) -> None:
        """Raises DockerConflict when the name is taken. The name it already has is fine."""
        try:
            await self._post(container, "rename", f"rename container {container} to {name}", params={"name": name})
        except DockerError as error:
            if (
                "same name" not in error.message
            ):  # dockerd: "Renaming a container with the same name as its current name"
                raise

    async def remove(self, container: str, *, force: bool = False, volumes: bool = False) -> None:
        """`force` kills it first; `volumes` takes its anonymous volumes along. One already being removed is fine."""
        try:
            await self.call(
                path("containers", container),
                "DELETE",
                doing=f"remove container {container}",
                params={"force": str(int(force)), "v": str(int(volumes))},
            )
        except DockerConflict as error:
            if "already in progress" not in error.message:
                raise

    async def set_restart(self, container: str, policy: str, max_retries: int = 0) -> None:
        """Change the restart policy of a living container: no, on-failure, always or unless-stopped."""
        await self.call(
            path("containers", container, "update"),
            "POST",
            doing=f"change the restart policy of container {container}",
            body={"RestartPolicy": compiled.restart_policy(policy, max_retries)},
        )

    async def _post(
        self,
        container: str,
        verb: str,
        doing: str,
        *,
        params: Mapping[str, str] | None = None,
        timeout: aiohttp.ClientTimeout | None = None,
    ) -> None:
        try:
            await self.call(path("containers", container, verb), "POST", doing=doing, params=params, timeout=timeout)
        except DockerNotFound as error:
            if "no such container" in error.message.lower():
                raise
            # Such as a network that is gone. Callers take DockerNotFound for "the container is gone: nothing to do".
            raise DockerRefused(error.message, hint=error.hint, status=error.status) from error
