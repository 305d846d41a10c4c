"""CPU and memory of what is selected, as they were in the last minutes."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal

from orchtui.core import text
from orchtui.model.observed import Host
from orchtui.tui.panes.pane import Framed
from orchtui.tui.plot import Plot


class UsagePane(Horizontal, Framed):
    """Two plots side by side. It has no keys and never takes the focus."""

    DEFAULT_CSS = """
    UsagePane { height: 7; }
    UsagePane #plot-cpu { margin-right: 2; }
    """

    def compose(self) -> ComposeResult:
        yield Plot("plot", id="plot-cpu")
        yield Plot("plot-memory", id="plot-memory")

    def show(self, name: str, history: Sequence[tuple[float, float]], limit: int, host: Host | None) -> None:
        """What `name` used in cores and bytes, oldest first; `limit` bytes is the memory plot's height (0 none)."""
        cores, used = [cpu for cpu, _ in history], [memory for _, memory in history]
        self.entitle("Usage", name)
        most = max(cores, default=0.0)
        roof = float(max(1, -int(-most // 1)))
        now = text.percent(cores[-1]) if cores else "–"
        cpus = f"of {text.count(host.cpus, 'CPU')}" if host is not None and host.cpus else ""
        self.query_one("#plot-cpu", Plot).show((("CPU ", "muted"), (now, "strong"), (cpus, "muted")), cores, roof)
        now = text.size(used[-1]) if used else "–"
        height = float(limit) if limit else max(used, default=0.0) * 1.25
        share = f"of {text.size(limit)}" if limit else ""
        self.query_one("#plot-memory", Plot).show((("MEM ", "muted"), (now, "strong"), (share, "muted")), used, height)
