"""What people do behind our back: stops, and signals, told from what dockerd and we do ourselves (DESIGN 11).

A stop by someone else is a person's intent only if the daemon still answers and the event stream is unbroken 20 s
later: a stopping dockerd emits exactly the same events for every container.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from math import inf
from typing import TypeVar

from orchtui.core.identity import ENGINE, SERVICE, SLOT, STACK, number
from orchtui.model.observed import DockerEvent

PATIENCE = 20.0
_KEPT = 1_000  # containers of which we remember who stopped them
_KILLING = frozenset({"9", "SIGKILL"})
_STOPPING = frozenset({"2", "3", "9", "15", "SIGINT", "SIGQUIT", "SIGKILL", "SIGTERM"})

Slot = tuple[str, int]
T = TypeVar("T")


class Intent:
    """Watches the events of our containers (`store_id`'s). Slots are (service, slot number) of one stack."""

    def __init__(self, store_id: str, clock: Callable[[], float]) -> None:
        self._store_id, self._clock = store_id, clock
        self._pending: defaultdict[str, dict[Slot, float]] = defaultdict(dict)
        self._busy: defaultdict[str, dict[Slot, int]] = defaultdict(dict)
        # Until it starts again or is gone: a stop takes as long as its grace period, however long that is.
        self._ours: OrderedDict[str, float] = OrderedDict()
        self._signalled: OrderedDict[str, None] = OrderedDict()
        self._killed: OrderedDict[str, bool] = OrderedDict()

    def expect_stop(self, container: str) -> None:
        """We are about to stop it ourselves."""
        self._ours[container] = self._clock()
        self._ours.move_to_end(container)
        _bound(self._ours)

    def begin(self, stack: str, slot: Slot) -> None:
        """A person's direct verb is at work on this slot: the loop leaves it alone until `end`."""
        self._busy[stack][slot] = self._busy[stack].get(slot, 0) + 1

    def end(self, stack: str, slot: Slot) -> None:
        left = self._busy[stack].pop(slot) - 1
        if left:
            self._busy[stack][slot] = left

    def note(self, event: DockerEvent) -> str | None:
        """Take an event in. The stack whose standing it may change, if it is one of ours."""
        labels = event.attributes
        if event.kind != "container" or labels.get(ENGINE) != self._store_id:
            return None
        stack, slot = labels.get(STACK, ""), number(labels.get(SLOT))
        if slot is None:
            return stack
        place = (labels.get(SERVICE, ""), slot)
        match event.action:
            case "stop" if event.id not in self._ours:
                self._pending[stack][place] = self._clock() + PATIENCE
            case "kill" if event.id not in self._ours:
                self._note_signal(event.id, labels.get("signal", "9"))
            case "start":
                self._pending[stack].pop(place, None)
                self._signalled.pop(event.id, None)
                self._killed.pop(event.id, None)
                if event.at >= self._ours.get(event.id, inf):  # not one from before that is only told late
                    del self._ours[event.id]
            case "destroy":
                self._ours.pop(event.id, None)
                self._killed.pop(event.id, None)
            case _:
                pass
        return stack

    def _note_signal(self, container: str, signal: str) -> None:
        # A `docker stop` sends its stop signal first, then the kill, and says only in the end that it was a stop.
        self._killed.setdefault(container, signal in _KILLING)
        _bound(self._killed)
        if signal in _STOPPING:
            self._signalled[container] = None
            _bound(self._signalled)

    def gap(self) -> None:
        """Events were missed, or the daemon went away: no stop of late can be told from its own."""
        self._pending.clear()
        self._killed.clear()

    def pending(self, stack: str) -> Mapping[Slot, float]:
        """Slots to leave alone, and until when."""
        latest = self._clock() + PATIENCE
        if any(until > latest for until in self._pending[stack].values()):  # the clock was set back
            self._pending[stack] = {slot: min(until, latest) for slot, until in self._pending[stack].items()}
        return {**self._pending[stack], **dict.fromkeys(self._busy[stack], inf)}

    def signalled(self) -> frozenset[str]:
        return frozenset(self._signalled)

    def killed(self) -> frozenset[str]:
        """Containers whose first signal from outside was a `docker kill`: no stop, and dockerd restarts none."""
        return frozenset(id for id, first in self._killed.items() if first)

    def due(self, stack: str, now: float) -> tuple[Slot, ...]:
        """Slots whose stop has stood long enough; they are forgotten here."""
        due = tuple(slot for slot, until in self._pending[stack].items() if until <= now)
        for slot in due:
            del self._pending[stack][slot]
        return due


def _bound(containers: OrderedDict[str, T]) -> None:
    while len(containers) > _KEPT:
        containers.popitem(last=False)
