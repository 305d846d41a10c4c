"""CPU in cores, from two samples of a counter that only grows."""

from __future__ import annotations


class CpuMeter:
    """Remembers the previous sample of each container. One meter a reader: samples of two readers must not mix."""

    def __init__(self) -> None:
        self._previous: dict[str, tuple[float, int]] = {}

    def cores(self, container: str, at: float, used: int) -> float | None:
        """Cores used since the previous sample; None for the first one, and after a restart (the counter fell).

        `at` is in seconds, `used` in nanoseconds of CPU since the container started. A sample that is not newer than
        the one before (the daemon answers from its cache) changes nothing and says None.
        """
        before = self._previous.get(container)
        if before is not None and at <= before[0]:
            return None
        self._previous[container] = (at, used)
        if before is None or used < before[1]:
            return None
        return (used - before[1]) / 1e9 / (at - before[0])

    def keep(self, containers: frozenset[str]) -> None:
        """Forget all but these."""
        for gone in self._previous.keys() - containers:
            del self._previous[gone]
