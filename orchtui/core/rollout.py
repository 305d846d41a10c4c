"""A service's way to a new form: what is remembered of it, and in which order a slot is replaced."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from orchtui.core.desired import DesiredService, DesiredStack
from orchtui.core.identity import ENGINE, is_foreign
from orchtui.core.text import count
from orchtui.model.observed import Container, Image, Network, Volume
from orchtui.model.snapshot import Rollout
from orchtui.model.spec import Order, ServiceSpec

# Seconds without a slot getting further before a rollout gives up (Kubernetes' progressDeadlineSeconds).
PROGRESS_DEADLINE = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutRecord:
    """What the store keeps of a rollout; all else is in the containers' labels.

    `target` names what it leads to; a record with another target is history. `update` tells an update from a first
    creation. `finished` gives for every slot that got there the time when (0 for those that were there from the start).
    """

    target: str
    state: Literal["progressing", "paused", "completed"]
    revision: int
    started_at: float
    progress_at: float
    update: bool = False
    finished: Mapping[int, float] = field(default_factory=dict)
    message: str = ""

    def deadline(self, delay: float) -> float:
        """When it gives up unless a slot gets there; the file's own `delay` between slots does not count."""
        return self.progress_at + delay + PROGRESS_DEADLINE

    def paused(self, reason: str) -> RolloutRecord:
        """Given up until a new command; the first reason stays."""
        return self if self.state == "paused" else replace(self, state="paused", message=reason)

    def shown(self, *, ready: int, total: int) -> Rollout | None:
        """For people; a first creation is no rollout to them."""
        if not self.update:
            return None
        return Rollout(
            state=self.state,
            revision=self.revision,
            started_at=self.started_at,
            ready=ready,
            total=total,
            message=self.message,
        )


def target(stack: DesiredStack, service: DesiredService) -> str:
    """What a rollout of the service leads to now: a new up, rollback or restart starts a new one."""
    return f"{stack.applied}.{service.generation}"


def advanced(
    record: RolloutRecord, done: Collection[int], slots: Collection[int], *, delay: float, now: float
) -> RolloutRecord:
    """The record after a look at the world: slots that got there since, the deadline, completion."""
    finished = {slot: at for slot, at in record.finished.items() if slot in slots}
    fresh = {slot: now for slot in done if slot not in finished}
    if fresh or len(finished) != len(record.finished):
        record = replace(record, finished=finished | fresh, progress_at=now if fresh else record.progress_at)
    if len(done) == len(slots):
        return record if record.state == "completed" else replace(record, state="completed", message="")
    if record.state == "progressing" and now >= record.deadline(delay):
        return record.paused(f"no progress for {PROGRESS_DEADLINE:.0f} s")
    return record


def surplus(spec: ServiceSpec, replicas: int) -> tuple[int | None, str]:
    """How many containers may run beside the wanted ones for a moment (None: any number), and what forbids more.

    Host ports bind it, so does a static address and, with one replica, a named volume that is written to
    (uncloud's rule, research/orchestrators.md 2.1 U17).
    """
    for port in spec.ports:
        if port.width is not None and port.width <= replicas:
            return 0, f"the host port {port.published} is taken by the container that it replaces"
    if any(network.ipv4_address or network.ipv6_address for network in spec.networks):
        return 0, "its static address is taken by the container that it replaces"
    if replicas == 1:
        for mount in spec.mounts:
            if mount.kind == "volume" and mount.source and not mount.read_only:
                return 0, f"two containers would write to the volume {mount.source}"
    widths = [port.width - replicas for port in spec.ports if port.width is not None]
    return (min(widths) if widths else None), ""


def choose_order(spec: ServiceSpec, replicas: int) -> tuple[Order, str]:
    """start-first unless something forbids it; then the reason too. A file may ask for stop-first."""
    allowed, reason = surplus(spec, replicas)
    if spec.update.order == "stop-first":
        return "stop-first", "the file asks for stop-first"
    return ("start-first", "") if allowed is None or allowed > 0 else ("stop-first", reason)


def refusals(
    stack: DesiredStack,
    *,
    networks: Collection[Network],
    volumes: Collection[Volume],
    images: Mapping[str, Image],
) -> tuple[str, ...]:
    """Why the stack cannot be carried out on this host; empty when it can. For PlanRefused."""
    found: list[str] = []
    for name, service in stack.services.items():
        found += _service_refusals(stack, name, service, images)
    names = {network.name: network for network in networks}
    for network in stack.networks.values():
        there = names.get(network.name)
        if network.external and there is None:
            found.append(f"the external network {network.name} does not exist; create it or drop `external`")
        elif there is not None and not network.external and network.driver and there.driver != network.driver:
            found.append(f"the network {network.name} exists with driver {there.driver}; remove it first")
    volume_names = {volume.name for volume in volumes}
    found += [
        f"the external volume {volume.name} does not exist; create it or drop `external`"
        for volume in stack.volumes.values()
        if volume.external and volume.name not in volume_names
    ]
    return tuple(found)


def _service_refusals(
    stack: DesiredStack, name: str, service: DesiredService, images: Mapping[str, Image]
) -> list[str]:
    spec, replicas, found = service.spec, service.replicas, list[str]()
    for port in spec.ports:
        if port.width is not None and port.width < replicas:
            low = str(port.published).partition("-")[0]
            high = int(low) + replicas - 1
            found.append(
                f"{name}: {count(replicas, 'replica')} cannot share the host port {port.published}; "
                f"publish a range such as {low}-{high}:{port.target}"
            )
    if replicas > 1 and any(network.ipv4_address or network.ipv6_address for network in spec.networks):
        found.append(f"{name}: {count(replicas, 'replica')} cannot share one static address")
    allowed, reason = surplus(spec, replicas)
    if spec.update.order == "start-first" and allowed == 0 and not found:
        found.append(f"{name}: update_config.order start-first cannot be: {reason}; use stop-first or leave it out")
    for dependency in spec.depends_on:
        other = stack.services.get(dependency.service)
        if dependency.condition != "service_healthy" or other is None or not dependency.required:
            continue
        if no_healthcheck(other, images):
            found.append(f"{name} waits for {dependency.service} to be healthy, but that has no healthcheck")
    return found


def no_healthcheck(service: DesiredService, images: Mapping[str, Image]) -> bool:
    """Whether the service certainly has none: neither in the file nor, as far as it is known, in the image."""
    check = service.spec.healthcheck
    if check is not None and check.disabled:
        return True
    if check is not None and check.test:
        return False
    image = images.get(service.image_id) or images.get(service.spec.image)
    return image is not None and not image.has_healthcheck


def strangers(stack: str, engine_id: str, containers: Collection[Container]) -> tuple[list[Container], list[Container]]:
    """Containers of the project that are not ours: those of another orchtui engine, and all others."""
    foreign = [one for one in containers if is_foreign(one, stack, engine_id)]
    engines = [one for one in foreign if one.labels.get(ENGINE, engine_id) != engine_id]
    return engines, [one for one in foreign if one not in engines]
