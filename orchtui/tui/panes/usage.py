"""CPU and memory of what is selected, as they were in the last minutes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal

from orchtui.core import text
from orchtui.model.observed import Host
from orchtui.tui.panes.pane import Framed
from orchtui.tui.plot import Plot

_STEPS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Heights of the CPU plot in cores."""


class UsagePane(Horizontal, Framed):
    """Two plots side by side. It has no keys and never takes the focus."""

    DEFAULT_CSS = """
    UsagePane { height: 7; }
    UsagePane #plot-cpu { margin-right: 2; }
    """

    def compose(self) -> ComposeResult:
        yield Plot("plot", id="plot-cpu")
        yield Plot("plot-memory", id="plot-mem")

    def show(self, name: str, history: Sequence[tuple[float, float]], limit: int, host: Host | None) -> None:
        """What `name` used in cores and bytes, oldest first; `limit` in bytes, 0 if there is none."""
        machine = "" if host is None or not host.cpus else f"{text.count(host.cpus, 'CPU')}, {text.size(host.memory)}"
        cores, used = [cpu for cpu, _ in history], [memory for _, memory in history]
        self.entitle("Usage", name, machine)
        peak = max(cores, default=0.0)
        roof = next((step for step in _STEPS if step >= peak), peak)
        self._draw("CPU", text.percent, cores, roof, "")
        most = max(used, default=0.0)
        # A leak shows best in full height; the limit is the height only once it is near.
        height = float(limit) if limit and most * 2 >= limit else most * 1.25
        self._draw("MEM", text.size, used, height, f"/{text.size(limit)}" if limit else "")

    def _draw(
        self, name: str, written: Callable[[float], str], values: Sequence[float], top: float, limit: str
    ) -> None:
        now = written(values[-1]) if values else "–"
        peak = f"peak {written(max(values))}" if values else ""
        title = ((f"{name} ", "muted"), (now, "strong"), (limit, "muted"), (peak, "muted"))
        self.query_one(f"#plot-{name.lower()}", Plot).show(title, values, top)
