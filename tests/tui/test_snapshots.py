"""Pictures of the main screen with fixed data and a fixed clock. `pytest --snapshot-update` accepts new ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import pytest
from textual.app import App
from textual.pilot import Pilot

from orchtui.model.snapshot import Connection
from orchtui.tui.app import OrchtuiApp
from tests.support.memory import LOOK, MemoryEngine
from tests.support.until import until
from tests.support.worlds import NOW, log_lines, shop, usage
from tests.tui.cells import text

WIDE, SMALL = (160, 50), (80, 24)
LOGS = (
    "GET /cart/17 200 12ms",
    "GET /cart/17/items 200 8ms",
    "WARN slow query: 812 ms (select * from carts)",
    "POST /checkout 503 30001ms",
    "ERROR upstream shop-api-2: connection refused",
    "GET /health 200 1ms",
)


class SnapCompare(Protocol):
    def __call__(
        self,
        app: App[Any],
        press: tuple[str, ...] = (),
        terminal_size: tuple[int, int] = SMALL,
        run_before: Callable[[Pilot[Any]], Awaitable[None] | None] | None = None,
    ) -> bool: ...


def filled() -> MemoryEngine:
    world = shop()
    engine = MemoryEngine(world)
    for one in world.containers.values():
        lines = [f"{n:03} {line}" for n in range(8) for line in LOGS]
        engine.backlog[one.id] = (log_lines(*lines, names=(one.name,)),)
    for key, each in world.services.items():
        names = tuple(world.containers[c].name for c in each.containers)
        engine.backlog[key] = (log_lines(*(line for line in LOGS for _ in names), names=names),)
    return engine


def app_on(engine: MemoryEngine, theme: str) -> OrchtuiApp:
    return OrchtuiApp(
        engine, title_host="unix:///var/run/docker.sock", theme=theme, clock=lambda: NOW,
        look=engine.capabilities == LOOK,
    )  # fmt: skip


def ready(engine: MemoryEngine, *keys: str, shows: str = "GET /cart") -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Wait for the first world, feed usage, press keys, and wait until the screen shows a text."""

    async def run(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, OrchtuiApp)
        await until(lambda: app.main.snapshot is not None)
        world = app.main.snapshot
        assert world is not None
        for step in range(90):
            app.main.take_usage(usage(world, step))
        for key in keys:
            await pilot.press(key)
        await until(lambda: shows in text(app), what=shows)
        await until(lambda: app.main.logs.target == app.main.subject())
        await pilot.pause()

    return run


@pytest.mark.parametrize("theme", ["orchtui-dark", "orchtui-light", "high-contrast"])
def test_four_panes(snap_compare: SnapCompare, theme: str) -> None:
    engine = filled()
    assert snap_compare(app_on(engine, theme), terminal_size=WIDE, run_before=ready(engine))


@pytest.mark.parametrize("theme", ["orchtui-dark", "orchtui-light"])
@pytest.mark.parametrize("pane", ["1", "2", "3", "4"])
def test_one_pane_at_a_time(snap_compare: SnapCompare, theme: str, pane: str) -> None:
    engine = filled()
    shows = {"1": "PROBLEMS", "2": "READY", "3": "RST", "4": "GET /cart"}[pane]
    assert snap_compare(app_on(engine, theme), terminal_size=SMALL, run_before=ready(engine, pane, shows=shows))


def test_a_service_with_merged_logs(snap_compare: SnapCompare) -> None:
    engine = filled()
    keys = ("2", "j", "j", "j", "j", "j")
    run = ready(engine, *keys, shows="web-3 │")
    assert snap_compare(app_on(engine, "orchtui-dark"), terminal_size=WIDE, run_before=run)


def test_filtered_marked_and_sorted(snap_compare: SnapCompare) -> None:
    engine = filled()
    keys = ("3", "slash", *"shop", "enter", "C", "space", "space")
    run = ready(engine, *keys, shows="2 marked")
    assert snap_compare(app_on(engine, "orchtui-dark"), terminal_size=WIDE, run_before=run)


def test_searching_logs(snap_compare: SnapCompare) -> None:
    engine = filled()
    run = ready(engine, "4", "t", "slash", *"cart", "enter", "n", shows="22:")
    assert snap_compare(app_on(engine, "orchtui-dark"), terminal_size=SMALL, run_before=run)


def test_stale_data(snap_compare: SnapCompare) -> None:
    engine = filled()
    reason = "nothing answers at unix:///var/run/docker.sock"
    engine.update(connection=Connection(state="stale", since=NOW - 42, reason=reason, hint="Is the Docker Engine up?"))
    run = ready(engine, shows="data is 42s old")
    assert snap_compare(app_on(engine, "orchtui-dark"), terminal_size=WIDE, run_before=run)


def test_before_any_data(snap_compare: SnapCompare) -> None:
    assert snap_compare(app_on(MemoryEngine(capabilities=LOOK), "orchtui-dark"), terminal_size=WIDE)


def test_a_restart_dialog(snap_compare: SnapCompare) -> None:
    engine = filled()
    run = ready(engine, "2", "r", shows="Restart service")
    assert snap_compare(app_on(engine, "orchtui-dark"), terminal_size=SMALL, run_before=run)
