"""Desired stacks and a small simulated world for the planner's tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from orchtui.core.desired import DesiredService, DesiredStack
from orchtui.core.operations import Operation
from orchtui.core.plan import Pass, plan
from orchtui.core.rollout import RolloutRecord
from orchtui.core.simulate import carried_out
from orchtui.core.world import World
from orchtui.model.observed import Container, Image
from orchtui.model.spec import AttachmentSpec, HealthcheckSpec, NetworkSpec, ServiceSpec

ENGINE_ID = "11111111-2222-3333-4444-555555555555"
NOW = 1_700_000_000.0
IMAGE = Image(id="sha256:" + "1" * 64, tags=("demo:1",))
CHECK = HealthcheckSpec(test=("CMD", "true"))


def service(name: str = "web", *, form: str = "a", replicas: int = 1, **fields: Any) -> DesiredService:
    """One service. `form` stands for everything that the spec hash covers."""
    spec_keys = set(ServiceSpec.__dataclass_fields__)
    spec = {key: value for key, value in fields.items() if key in spec_keys}
    rest = {key: value for key, value in fields.items() if key not in spec_keys}
    values: dict[str, Any] = {"image": "demo:1", "networks": (AttachmentSpec(network="default"),)}
    defaults: dict[str, Any] = {"revision": 1, "image_id": IMAGE.id}
    return DesiredService(
        spec=ServiceSpec(name=name, replicas=replicas, **(values | spec)),
        spec_hash="v1:" + (form.encode().hex() * 64)[:64],
        replicas=replicas,
        **defaults | rest,
    )


def stack(*services: DesiredService, **fields: Any) -> DesiredStack:
    """The stack `shop` on one network."""
    values: dict[str, Any] = {
        "name": "shop",
        "engine_id": ENGINE_ID,
        "revision": 1,
        "serial": 1,
        "applied": 1,
        "services": {one.spec.name: one for one in services},
        "networks": {"default": NetworkSpec(key="default", name="shop_default")},
    }
    return DesiredStack(**(values | fields))


class Lab:
    """A world that obeys the planner. `works` says what becomes of a container that runs (default: all is well)."""

    def __init__(
        self, *, world: World | None = None, works: Callable[[Container], Container] | None = None, now: float = NOW
    ) -> None:
        self.world = world or World(images={"demo:1": IMAGE, IMAGE.id: IMAGE})
        self.rollouts: Mapping[str, RolloutRecord] = {}
        self.now = now
        self.works = works or healthy
        self.log: list[Operation] = []
        self.watch: Callable[[World], None] = lambda world: None

    def look(self, desired: DesiredStack) -> Pass:
        answer = plan(desired, self.world, self.rollouts, self.now)
        assert answer == plan(desired, self.world, self.rollouts, self.now)
        self.rollouts = answer.rollouts
        return answer

    def step(self, desired: DesiredStack) -> Pass:
        """One pass, everything in it carried out."""
        answer = self.look(desired)
        for operation in answer.operations:
            self.do(operation)
        return answer

    def do(self, operation: Operation) -> None:
        self.log.append(operation)
        self.world = carried_out(self.world, operation, self.now)
        self.world = replace(
            self.world, containers=tuple(self.works(one) if one.running else one for one in self.world.containers)
        )
        self.now += 0.001
        self.watch(self.world)

    def settle(self, desired: DesiredStack, *, limit: int = 2_000) -> Pass:
        """Look again and again, jumping over waits, until nothing is left to do."""
        for _ in range(limit):
            answer = self.step(desired)
            if not answer.operations:
                if answer.settled or answer.requeue_after is None:
                    return answer
                self.now += max(answer.requeue_after, 0.001)
        raise AssertionError(f"does not settle: {[str(one) for one in self.log[-10:]]}")

    def text(self) -> list[str]:
        """The operations since the last call, as `verb subject`."""
        lines = [f"{one.verb} {one.subject}" for one in self.log]
        self.log.clear()
        return lines

    def change(self, name: str, **fields: Any) -> None:
        """Something happens to the container called `name` behind our back."""
        assert any(one.name == name for one in self.world.containers), name
        self.world = replace(
            self.world,
            containers=tuple(replace(one, **fields) if one.name == name else one for one in self.world.containers),
        )

    def kill(self, name: str) -> None:
        self.now += 10
        self.change(name, state="exited", exit_code=137, finished_at=self.now)
        self.now += 0.4

    def remove(self, name: str) -> None:
        self.world = replace(self.world, containers=tuple(one for one in self.world.containers if one.name != name))

    def names(self) -> list[str]:
        return sorted(one.name for one in self.world.containers)

    def get(self, name: str) -> Container:
        return next(one for one in self.world.containers if one.name == name)


def healthy(container: Container) -> Container:
    return replace(container, health="healthy") if container.health == "starting" else container
