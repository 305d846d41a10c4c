"""One slot of one service: which of its containers is the one, and what may be done next (research 2.12)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from orchtui.core.desired import DesiredService
from orchtui.core.exits import explain
from orchtui.core.identity import FAILURES, RESTART, SLOT, is_wanted_form, number
from orchtui.core.restart import Death, Policy, due, judge, parse_policy
from orchtui.model.observed import Container

_STOPS_BY_KILL = frozenset({"SIGKILL", "KILL", "9"})  # stop signals that make a stop look like a kill


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """The containers of one slot. `head` has the wanted form and is, or is to become, the slot's container;
    `spare` are others of the wanted form, `stale` those of another form, both newest first. `vanishing` ones are being
    removed by Docker: only their names still matter.
    """

    number: int
    head: Container | None = None
    spare: tuple[Container, ...] = ()
    stale: tuple[Container, ...] = ()
    vanishing: tuple[Container, ...] = ()

    @property
    def others(self) -> tuple[Container, ...]:
        return self.stale + self.spare

    @property
    def members(self) -> tuple[Container, ...]:
        return ((self.head,) if self.head is not None else ()) + self.others

    @property
    def live(self) -> bool:
        return any(one.running for one in self.members)

    @property
    def live_stale(self) -> tuple[Container, ...]:
        return tuple(one for one in self.stale if one.running)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(one.name for one in self.members + self.vanishing)

    @property
    def begun(self) -> bool:
        """An update of this slot is on its way: it has both forms, or its old one does not serve (any more)."""
        if not self.stale:
            return False
        return self.head is not None or not self.live_stale or all(is_retired(one) for one in self.live_stale)

    @property
    def old_to_new(self) -> bool:
        """It has only old containers, and they still serve."""
        return self.head is None and bool(self.live_stale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How one slot is judged at one moment; `signalled` are containers that a signal from outside ended, `killed` those
    of them that a `docker kill` did.
    """

    service: DesiredService
    policy: Policy
    now: float
    signalled: Collection[str] = field(default_factory=frozenset)
    killed: Collection[str] = field(default_factory=frozenset)

    def ready(self, container: Container) -> bool:
        """Healthy where there is a healthcheck, else running for `ready_after` seconds (DESIGN 11, Ready)."""
        return self.ready_at(container) is not None and self.now >= (self.ready_at(container) or 0.0)

    def ready_at(self, container: Container) -> float | None:
        """When it is ready if nothing happens; None if something has to happen first."""
        if container.state != "running":
            return None
        if container.health != "none":
            return 0.0 if container.health == "healthy" else None
        # A restart in place begins the wait anew; started_at tells.
        return due(container.started_at or container.created_at, self.service.spec.ready_after, self.now)

    def completed(self, container: Container) -> bool:
        """Ended with success, where the restart rules take that for an end."""
        if container.state != "exited" or container.error or container.exit_code != 0:
            return False
        if self.policy.name == "no":
            return True
        return (
            self.policy.name == "on-failure" and container.restart_policy != "no" and container.id not in self.signalled
        )

    def done(self, slot: Slot, name: str) -> bool:
        """The slot is as wished: one container of the wanted form, ready or completed, under its final name."""
        head = slot.head
        if head is None or slot.others or head.name != name:
            return False
        return self.completed(head) or (self.ready(head) and head.restart_policy == self.policy.name)

    def failure(self, slot: Slot) -> str:
        """Why a replacement will not do; "" while it may. Only meant for a slot that still has its old form."""
        head = slot.head
        if head is None or self.completed(head):
            return ""
        if head.error and head.state in ("created", "exited"):
            return f"the new container {head.name} did not start: {head.error}"
        match head.state:
            case "exited" | "dead":
                return f"the new container {head.name} exited with code {head.exit_code or 0}"
            case "restarting":
                return f"the new container {head.name} does not stay up: {explain(head)}"
            case "running" | "paused" if head.restart_count > 0:
                return f"the new container {head.name} exited and had to be restarted"
            case "running" if head.health == "unhealthy":
                return f"the new container {head.name} is unhealthy"
            case _:
                return ""

    def failures(self, container: Container) -> int:
        """Failures in a row of the slot before this container."""
        return number(container.labels.get(FAILURES)) or 0

    def death(self, container: Container, policy: Policy | None = None) -> Death:
        """What to do about one that does not run, by the service's policy or by the given one."""
        return judge(
            container,
            policy or self.policy,
            failures=self.failures(container),
            interrupted=container.id in self.signalled,
            now=self.now,
            killed=container.id in self.killed and self.service.spec.stop_signal not in _STOPS_BY_KILL,
        )


def made_with(container: Container) -> Policy:
    """The policy a container of ours was made with."""
    return parse_policy(container.labels.get(RESTART, ""))


def is_retired(container: Container) -> bool:
    """We took its restart policy away: it was about to be stopped, or is held."""
    return container.restart_policy == "no" and made_with(container).name != "no"


def read_slots(containers: Iterable[Container], service: DesiredService, look: Look) -> dict[int, Slot]:
    """The slots of one service that have containers. Those without a proper slot label belong to none."""
    members: dict[int, list[Container]] = {}
    for one in containers:
        slot = number(one.labels.get(SLOT))
        if slot is not None:
            members.setdefault(slot, []).append(one)
    return {slot: _read(slot, found, service, look) for slot, found in members.items()}


def _read(slot: int, containers: list[Container], service: DesiredService, look: Look) -> Slot:
    vanishing = tuple(one for one in containers if one.state == "removing")
    present = sorted(
        (one for one in containers if one.state != "removing"), key=lambda one: (one.created_at, one.id), reverse=True
    )
    wanted = [one for one in present if is_wanted_form(one, service)]
    stale = tuple(one for one in present if one not in wanted)
    head = max(wanted, key=lambda one: _rank(one, look), default=None)  # the first, so the newest, of equals
    return Slot(
        number=slot,
        head=head,
        spare=tuple(one for one in wanted if one is not head),
        stale=stale,
        vanishing=vanishing,
    )


def _rank(container: Container, look: Look) -> int:
    """The further a container has come, the better it holds the slot."""
    if look.ready(container):
        return 4
    match container.state:
        case "running" | "paused":
            return 3
        case "restarting":
            return 2
        case "created" if not container.error:
            return 1
        case _:
            return 0


def choose(slots: Mapping[int, Slot], held: Collection[int], replicas: int, look: Look) -> tuple[list[int], list[int]]:
    """The slot numbers to have, in order, and those to give up.

    Too many: those that are not ready go first, then those of the wrong form, then the highest number. Too few: the
    lowest free numbers are filled.
    """
    occupied = {slot for slot, found in slots.items() if found.members} | set(held)

    def worth(slot: int) -> tuple[bool, bool, int]:
        found = slots.get(slot)
        if found is None:
            return (False, False, -slot)
        able = any(look.ready(one) or look.completed(one) for one in found.members)
        return (able, not found.old_to_new, -slot)

    kept = sorted(occupied, key=worth, reverse=True)[:replicas]
    free = (slot for slot in range(1, replicas + len(occupied) + 1) if slot not in occupied)
    kept += [slot for slot, _ in zip(free, range(replicas - len(kept)), strict=False)]
    return sorted(kept), sorted(occupied.difference(kept))
