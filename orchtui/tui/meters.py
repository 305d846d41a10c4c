"""Usage as it comes in: the newest sample of each container, and histories of containers, services and stacks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from orchtui.commands import Target
from orchtui.model.snapshot import Snapshot
from orchtui.model.usage import Usage
from orchtui.tui.selection import members_of_stack

SAMPLES = 240
ALL = "all"


class Meters:
    """`newest` holds the last sample of each running container. A history is (cores, bytes) pairs, oldest first."""

    def __init__(self) -> None:
        self.newest: Mapping[str, Usage] = {}
        self._histories: dict[str, deque[tuple[float, float]]] = {}

    def take(self, usage: Mapping[str, Usage], snapshot: Snapshot) -> None:
        """Add a round of samples. Who was not sampled this time keeps its last one until it stops."""
        running = {key for key, one in snapshot.containers.items() if one.state == "running"}
        self.newest = {key: one for key, one in {**self.newest, **usage}.items() if key in running}
        groups: dict[str, Iterable[str]] = {key: (key,) for key in usage.keys() & running}
        groups |= {f"service:{one.key}": one.containers for one in snapshot.services.values()}
        groups |= {f"stack:{key}": members_of_stack(key, snapshot) for key in snapshot.stacks}
        groups[ALL] = running
        for key, members in groups.items():
            known = [self.newest[each] for each in members if each in self.newest]
            if known:
                point = sum(one.cpu or 0.0 for one in known), float(sum(one.memory for one in known))
                self._histories.setdefault(key, deque(maxlen=SAMPLES)).append(point)
        for key in self._histories.keys() - groups.keys() - running:
            del self._histories[key]

    def history(self, target: Target | None) -> tuple[tuple[float, float], ...]:
        """The history of a target; None is everything together."""
        key = ALL
        if target is not None:
            key = target.key if target.kind == "container" else f"{target.kind}:{target.key}"
        return tuple(self._histories.get(key, ()))
