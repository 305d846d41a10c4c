"""The pass over one service: every slot one step further, as far as rollout and dependencies allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from orchtui.core.desired import DesiredService, DesiredStack
from orchtui.core.exits import explain
from orchtui.core.identity import SPEC, final_name
from orchtui.core.moves import NO_RESTART, Moves, Room
from orchtui.core.operations import Operation
from orchtui.core.restart import due, policy
from orchtui.core.rollout import RolloutRecord, advanced, choose_order, surplus, target
from orchtui.core.slots import Look, Slot, choose, is_retired, made_with, read_slots
from orchtui.core.text import count
from orchtui.core.world import World
from orchtui.model.history import ServiceStanding
from orchtui.model.observed import Container
from orchtui.model.snapshot import Status

Outcome = Literal["converged", "given_up", "working"]
# Restarts in place, without having been ready, after which nobody should wait any longer.
CRASH_LOOP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Whether what a service depends on lets it be created or updated. `failed`: it will not without a person."""

    open: bool = True
    failed: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceResult:
    """`holds` maps held slots to whether they were seen stopped; `wakes` are times to look again."""

    operations: tuple[Operation, ...]
    standing: ServiceStanding
    record: RolloutRecord | None
    holds: Mapping[int, bool]
    wakes: tuple[float, ...]
    outcome: Outcome
    reason: str
    slots: tuple[Slot, ...]
    look: Look


class ServicePass:
    """One look at one service. Use `run` once."""

    def __init__(
        self,
        stack: DesiredStack,
        name: str,
        world: World,
        *,
        members: tuple[Container, ...],
        record: RolloutRecord | None,
        gate: Gate,
        room: Room,
        now: float,
    ) -> None:
        self.stack, self.name, self.world, self.now = stack, name, world, now
        self.service: DesiredService = stack.services[name]
        self.spec = self.service.spec
        self.policy = policy(self.spec, job=stack.job(name))
        self.look = Look(
            service=self.service, policy=self.policy, now=now, signalled=world.signalled, killed=world.killed
        )
        self.order, _ = choose_order(self.spec, self.service.replicas)
        self.gate = gate
        found = read_slots(members, self.service, self.look)
        kept, extra = choose(found, self.service.held, self.service.replicas, self.look)
        self.slots = {slot: found.get(slot, Slot(number=slot)) for slot in kept}
        self.extra = [found[slot] for slot in extra if slot in found]
        self.stray = [
            one for one in members if not any(one in slot.members + slot.vanishing for slot in found.values())
        ]
        self.holds = self._read_holds()
        self.done = {slot for slot, view in self.slots.items() if self._is_done(view)}
        self.moves = Moves(stack, self.service, world, policy=self.policy, room=room)
        self.wakes: list[float] = []
        self.troubles: dict[int, str] = {}  # slots that nobody should wait for
        self.record = self._read_record(record)
        self.stuck = not self._active or (self.record is not None and self.record.state == "paused")
        self.permitted = self._permits()

    def run(self) -> ServiceResult:
        for slot in self.slots.values():
            self._advance(slot)
        for view in self.extra:
            for one in view.members:
                self.moves.dismiss(one, cause=f"{self.name} is scaled to {self.service.replicas}")
        for one in self.stray:
            self.moves.dismiss(one, cause="it has no slot")
        outcome, reason = self._outcome()
        return ServiceResult(
            operations=tuple(self.moves.operations),
            standing=self._standing(outcome, reason),
            record=self.record,
            holds=self.holds,
            wakes=tuple(self.wakes),
            outcome=outcome,
            reason=reason,
            slots=tuple(self.slots.values()),
            look=self.look,
        )

    # what is remembered

    @property
    def _active(self) -> bool:
        """Dependencies bind only until the service got there once: later deaths are healed whatever they do."""
        return self.gate.open or (self.record is not None and self.record.state == "completed")

    def _read_holds(self) -> dict[int, bool]:
        """Held slots; one that was seen stopped and runs again was started by somebody: the hold is over."""
        holds = {}
        for slot in sorted(self.service.held.intersection(self.slots)):
            live = self.slots[slot].live
            if not (live and slot in self.service.reached):
                holds[slot] = not live
        return holds

    def _is_done(self, view: Slot) -> bool:
        if view.number in self.holds:
            return not view.live
        return self.look.done(view, final_name(self.stack.name, self.name, view.number))

    def _read_record(self, record: RolloutRecord | None) -> RolloutRecord | None:
        wanted = target(self.stack, self.service)
        if record is not None and record.target != wanted:
            record = None
        slots = self.slots.values()
        if record is not None and record.state == "completed" and self._dirty:
            record = None
        if record is None:
            if not self.gate.open:
                return None
            record = RolloutRecord(
                target=wanted,
                state="progressing",
                revision=self.service.revision,
                started_at=self.now,
                progress_at=self.now,
                update=self._dirty,
                finished=dict.fromkeys(sorted(self.done), 0.0),
            )
        before, record = record, advanced(record, self.done, self.slots, delay=self.spec.update.delay, now=self.now)
        if record.state == "paused" and before.state == "progressing":
            reason = next((found for view in slots if (found := self.look.failure(view))), "")
            record = replace(record, message=f"{record.message}; {reason}" if reason else record.message)
        if not record.update and record.state == "progressing" and self._dirty:
            record = replace(record, update=True)
        for view in slots:
            fresh = view.stale and not self._from_before(view, record)
            if record.state == "progressing" and fresh and (reason := self.look.failure(view)):
                record = record.paused(reason)
        if record.state == "progressing":
            self.wakes.append(record.deadline(self.spec.update.delay))
        return record

    @property
    def _dirty(self) -> bool:
        return any(view.stale and slot not in self.holds for slot, view in self.slots.items())

    def _from_before(self, view: Slot, record: RolloutRecord) -> bool:
        """The slot's new container was made by an earlier attempt at the same form."""
        return view.head is not None and view.head.created_at < record.started_at

    def _permits(self) -> set[int]:
        """The slots whose update may begin now (update_config.parallelism and delay, DESIGN 11 Ready)."""
        if self.record is None or self.record.state != "progressing" or not self.gate.open:
            return set()
        waiting = [
            view
            for slot, view in self.slots.items()
            if view.old_to_new
            and not view.begun
            and slot not in self.holds
            and (self.name, slot) not in self.world.pending
        ]
        if not waiting:
            return set()
        ends = (due(at, self.spec.update.delay, self.now) for at in self.record.finished.values() if at)
        cooling = [end for end in ends if self.now < end]
        busy = sum(view.begun and slot not in self.done for slot, view in self.slots.items())
        limit = self.spec.update.parallelism or len(self.slots)
        spare, _ = surplus(self.spec, self.service.replicas)
        if self.order == "start-first" and spare is not None:
            limit = min(limit, spare)
        free = limit - busy - len(cooling)
        if cooling and free <= 0:
            self.wakes.append(min(cooling))
        waiting.sort(key=lambda view: (any(self.look.ready(one) for one in view.live_stale), view.number))
        return {view.number for view in waiting[: max(0, free)]}

    # one slot

    def _advance(self, view: Slot) -> None:
        if view.number in self.holds:
            self._hold(view)
        elif (until := self.world.pending.get((self.name, view.number))) is not None:
            self.wakes.append(until)
        elif view.head is not None and not self._joined(view.head):
            self.moves.dismiss(view.head, cause="its making was cut short")
        elif view.head is None:
            self._without_head(view)
        elif view.stale:
            self._replacing(view, view.head)
        else:
            self._keeping(view, view.head)

    def _joined(self, head: Container) -> bool:
        """Before API 1.44 all networks but the first are joined after the creation: a kill in between leaves a rest."""
        if head.state != "created" or head.error:
            return True
        wanted = {self.stack.networks[one.network].name for one in self.spec.networks}
        return wanted <= {one.network for one in head.networks}

    def _hold(self, view: Slot) -> None:
        for one in view.members:
            # dockerd revives `always` at its next start, and what failed; a held one must stay down.
            if one.running or one.restart_policy == "always" or (one.restart_policy != "no" and one.exit_code):
                self.moves.set_policy(one, NO_RESTART, cause="stopped on request")
            if one.running:
                self.moves.stop(one, cause="stopped on request")

    def _without_head(self, view: Slot) -> None:
        live = view.live_stale
        if not live and not view.stale:
            if self._active:
                self.moves.create(view, cause=f"slot {view.number} of {self.name} is empty")
        elif self.stuck:
            for one in live:
                if is_retired(one):
                    self.moves.set_policy(one, made_with(one), cause="it stays in service")
            if not live:
                self._revive(view)
        elif not live:
            self.moves.create(view, cause=self._update_cause(), replaces=True)
        elif view.number in self.permitted or view.begun:
            if self.order == "start-first":
                self.moves.create(view, cause=self._update_cause(), replaces=True)
            elif self.moves.can_create():
                for one in live:
                    self.moves.set_policy(one, NO_RESTART, cause="it is replaced, stop first")
                    self.moves.stop(one, cause="it is replaced, stop first")

    def _replacing(self, view: Slot, head: Container) -> None:
        """Both forms are there: the new one has to prove itself before the old one goes."""
        failure = self.look.failure(view)
        if failure and self.record is not None and self.record.state == "progressing":
            # Only left over from an earlier attempt: a failure of this one has paused the rollout above.
            self.moves.dismiss(head, cause="an earlier attempt failed")
        elif failure:
            self._keep_failed(view, head)
        elif self.look.ready(head) or self.look.completed(head):
            self._settle_head(view, head)
        elif head.state == "created":
            self.moves.start(head, cause=self._update_cause())
        elif (at := self.look.ready_at(head)) is not None:
            self.wakes.append(at)

    def _keep_failed(self, view: Slot, head: Container) -> None:
        cause = "it failed and is kept for looking at"
        if head.running or head.restart_policy != "no":
            self.moves.set_policy(head, NO_RESTART, cause=cause)
        if head.running:
            self.moves.stop(head, cause=cause)
        for one in view.spare:
            self.moves.dismiss(one, cause="only the newest failed one is kept")
        if not view.live_stale:
            self._revive(view)

    def _keeping(self, view: Slot, head: Container) -> None:
        if self.look.ready(head) or self.look.completed(head):
            self._settle_head(view, head)
        elif head.running:
            self._wait_for(view, head)
        else:
            self._heal(view, head)

    def _wait_for(self, view: Slot, head: Container) -> None:
        if head.state == "paused":
            self.troubles[view.number] = f"{head.name} is paused"
        elif head.restart_count >= CRASH_LOOP:
            words = explain(head) or f"was restarted {count(head.restart_count, 'time')}"
            self.troubles[view.number] = f"{head.name}: {words}"
        elif head.state == "running" and head.health == "unhealthy":
            self.troubles[view.number] = f"{head.name} is unhealthy"
        if (at := self.look.ready_at(head)) is not None:
            self.wakes.append(at)
        if head.state == "running" and head.restart_policy != self.policy.name:
            self.moves.set_policy(head, self.policy, cause="it is in service")

    def _heal(self, view: Slot, head: Container) -> None:
        death = self.look.death(head)
        if death.failures >= 2 or death.verdict == "failed":
            self.troubles[view.number] = f"{head.name}: {explain(head)}"
        match death.verdict:
            case "wait":
                self.wakes.append(death.until)
            case "start":
                if head.restart_policy != self.policy.name:
                    self.moves.set_policy(head, self.policy, cause="it is wanted again")
                self.moves.start(head, cause=f"slot {view.number} of {self.name} is wanted")
            case "replace":
                for one in view.spare:
                    self.moves.dismiss(one, cause="only the newest dead one is kept")
                if self.moves.can_create():
                    self.moves.set_policy(head, NO_RESTART, cause="its replacement takes over")
                self.moves.create(view, cause=f"{head.name}: {explain(head)}", failures=death.failures)
            case "failed" | "completed":
                pass

    def _revive(self, view: Slot) -> None:
        """Bring an old container back where the new form is known not to work."""
        final = final_name(self.stack.name, self.name, view.number)
        old = next((one for one in view.stale if one.name == final), view.stale[0])
        death = self.look.death(old, made_with(old))
        if death.verdict == "wait":
            self.wakes.append(death.until)
        elif death.verdict in ("start", "replace"):
            if is_retired(old):
                self.moves.set_policy(old, made_with(old), cause="it goes back into service")
            self.moves.start(old, cause="it goes back into service")

    def _settle_head(self, view: Slot, head: Container) -> None:
        """The slot's container is good: make it the only one, give it its policy and its name."""
        if head.restart_policy != self.policy.name and head.running:
            self.moves.set_policy(head, self.policy, cause="it is in service")
        for one in view.others:
            self.moves.dismiss(one, cause=f"{head.name} is ready")
        final = final_name(self.stack.name, self.name, view.number)
        if not view.others and not view.vanishing and head.name != final:
            self.moves.rename(head, final, cause="it has taken over")

    def _update_cause(self) -> str:
        stale = [one for view in self.slots.values() for one in view.stale]
        if self.service.generation and all(one.labels.get(SPEC) == self.service.spec_hash for one in stale):
            return f"restart of {self.name}"
        return f"{self.name} changed in revision {self.service.revision}"

    # how it stands

    def _outcome(self) -> tuple[Outcome, str]:
        open_slots = [slot for slot in self.slots if slot not in self.done]
        if self.moves.image_gone:
            self.troubles.update((slot, self.moves.image_gone) for slot in open_slots)
        if not open_slots and not self.extra and not self.stray:
            return "converged", ""
        if self.record is not None and self.record.state == "paused":
            return "given_up", self.record.message
        if not self._active and open_slots:
            return ("given_up" if self.gate.failed else "working"), self.gate.reason
        if open_slots and all(slot in self.troubles for slot in open_slots):
            return "given_up", self.troubles[open_slots[0]]
        return "working", ""

    def _standing(self, outcome: Outcome, reason: str) -> ServiceStanding:
        views = self.slots.values()
        completed = sum(
            view.number not in self.holds and view.head is not None and self.look.completed(view.head) for view in views
        )
        desired = len(self.slots) - len(self.holds) - completed
        able = sum(any(self.look.ready(one) for one in view.members) for view in views)
        status: Status | None = None
        if self.slots and len(self.holds) == len(self.slots):
            status, reason = Status.STOPPED, "stopped on request"
        elif completed and not desired:
            status = Status.COMPLETED
        elif outcome == "given_up" and not (self.record and self.record.update and self.record.state == "paused"):
            status = Status.DEGRADED if able else Status.FAILED
        elif outcome == "working" and reason:
            status = Status.UPDATING if any(view.stale for view in views) else Status.STARTING
        return ServiceStanding(
            desired=desired,
            status=status,
            reason=reason,
            rollout=self.record.shown(ready=len(self.done), total=len(self.slots)) if self.record is not None else None,
            held=tuple(self.holds),
        )
