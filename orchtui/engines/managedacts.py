"""Direct verbs on containers that we manage, and those verbs on services and stacks that change no wish."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from orchtui.commands import Act, ActVerb, Receipt, sentence
from orchtui.core.identity import ENGINE, SERVICE, SLOT, STACK, number
from orchtui.core.text import count
from orchtui.docker.client import DockerClient
from orchtui.engines.intent import Intent
from orchtui.engines.storethread import StoreThread, never_managed
from orchtui.errors import DockerUnreachable, NotManaged
from orchtui.model.observed import Container
from orchtui.model.plan import Plan, Step, Verb

_WISHES: frozenset[ActVerb] = frozenset({"start", "stop", "restart", "remove"})


class ManagedActs:
    """A stop of one container is a hold of its slot, a start releases it; the rest is done to Docker at once."""

    def __init__(
        self,
        thread: StoreThread,
        intent: Intent,
        *,
        source: Callable[[], DockerClient | None],
        clock: Callable[[], float],
        touch: Callable[[str | None], None],
    ) -> None:
        self._thread, self._intent, self._source, self._clock, self._touch = thread, intent, source, clock, touch

    def direct(self, command: Act) -> bool:
        """Whether it is for us; if not, it changes what is wished of a service or stack."""
        return command.target.kind == "container" or command.verb not in _WISHES

    async def plan(self, command: Act) -> Plan:
        targets = await self._targets(command)
        verb: Verb = command.verb
        notes: tuple[str, ...] = ()
        match command.verb:
            case "stop":
                notes = ("its slot is held: it stays stopped until it is started again",)
            case "kill" | "remove":
                notes = ("orchtui replaces it at once, since its service is wanted",)
            case _:
                pass
        steps = tuple(Step(verb=verb, subject=one.name, cause="on request") for one in targets)
        risks = (
            (f"{count(len(targets), 'container')} of a managed service",) if command.verb in ("kill", "pause") else ()
        )
        return Plan(summary=f"{command.verb} {count(len(targets), 'container')}", steps=steps, notes=notes, risks=risks)

    async def execute(self, command: Act) -> Receipt:
        client = self._client()
        targets = await self._targets(command)
        stack, serial = targets[0].labels.get(STACK, "") if targets else command.target.key, 0
        for one in targets:
            serial = await self._one(client, command, one) or serial
        self._touch(stack)
        return Receipt(message=f"Done: {sentence(command)}.", stack=stack, serial=serial)

    async def _one(self, client: DockerClient, command: Act, one: Container) -> int:
        """The serial to wait for, 0 if the verb is done already."""
        stack, service, slot = one.labels.get(STACK, ""), one.labels.get(SERVICE, ""), number(one.labels.get(SLOT))
        place = (service, slot if slot is not None else 0)
        store = self._thread.store
        known = await self._thread(store.stack, stack)
        wished = known is not None and known.present and slot is not None
        if command.verb == "stop" and wished:
            return await self._thread(store.hold, stack, [place], now=self._clock())
        if command.verb == "start" and known is not None and place[1] in known.holds.get(service, {}):
            return await self._thread(store.release, stack, [place], now=self._clock())
        self._intent.begin(stack, place)
        try:
            await self._do(client, command, one)
        finally:
            self._intent.end(stack, place)
        return 0

    async def _do(self, client: DockerClient, command: Act, one: Container) -> None:
        match command.verb:
            case "start":
                await client.start(one.id)
            case "stop":
                self._intent.expect_stop(one.id)
                await client.stop(one.id)
            case "restart":
                self._intent.expect_stop(one.id)
                await client.restart(one.id)
            case "kill":
                await client.kill(one.id, command.signal)
            case "pause":
                await client.pause(one.id)
            case "unpause":
                await client.unpause(one.id)
            case "remove":
                await client.remove(one.id, force=True)
            case _:
                assert_never(command.verb)

    async def _targets(self, command: Act) -> tuple[Container, ...]:
        client, target = self._client(), command.target
        if target.kind == "container":
            one = await client.inspect_container(target.key)
            if one.labels.get(ENGINE) != self._thread.store.id:
                raise NotManaged(f"{target} is not one of ours.", hint="Look again; it may have been replaced.")
            return (one,)
        stack, _, service = target.key.partition("/")
        if stack not in await self._thread(self._thread.store.names):
            raise never_managed(stack)
        labels = {ENGINE: self._thread.store.id, STACK: stack} | ({SERVICE: service} if service else {})
        found = await client.list_containers(labels=labels)
        wanted = "paused" if command.verb == "unpause" else "running"
        return tuple(sorted((one for one in found if one.state == wanted), key=lambda one: one.name))

    def _client(self) -> DockerClient:
        client = self._source()
        if client is None:
            raise DockerUnreachable("Docker does not answer now.", hint="Try again when it is back.")
        return client
