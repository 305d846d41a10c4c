"""The one-line bars of the main screen as cells: header, alarm, tabs, footer. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from orchtui.core import text
from orchtui.model.snapshot import Snapshot
from orchtui.tui.columns import Cell
from orchtui.tui.keymap import Key
from orchtui.tui.words import Glyphs

Cells = tuple[Cell, ...]


def header(snapshot: Snapshot | None, title_host: str, tag: str, glyphs: Glyphs, *, wide: bool) -> tuple[Cells, Cells]:
    """Where we are, and how good the data is: left and right cells of the first line."""
    left: list[Cell] = [(" orchtui ", "key")]
    host = snapshot.host if snapshot is not None else None
    dot = f" {glyphs.dot} "
    if host is None:
        left.append((title_host, "title"))
    else:
        left += [(host.name or title_host, "title"), (dot, "muted"), (host.context, "")]
        if wide:
            left += [(dot, "muted"), (host.endpoint, "muted")]
        left += [(dot, "muted"), (f"Docker {host.engine_version}", ""), (f" API {host.api_version}", "muted")]
        if wide and host.swarm != "inactive":
            left += [(dot, "muted"), (f"swarm {host.swarm}", "info")]
    right: list[Cell] = [(f" {tag} ", "tag"), (" ", "")] if tag else []
    if snapshot is not None and (problems := len(snapshot.problems)):
        right += [(f"{glyphs.bad} {text.count(problems, 'problem')}", "bad"), (dot, "muted")]
    right.append(_connection(snapshot, glyphs))
    right.append((" ", ""))
    return tuple(left), tuple(right)


def _connection(snapshot: Snapshot | None, glyphs: Glyphs) -> Cell:
    if snapshot is None or snapshot.connection.state == "connecting":
        return f"{glyphs.busy} connecting", "busy"
    if snapshot.connection.state == "stale":
        return f"{glyphs.warn} stale", "bad"
    return f"{glyphs.good} live", "good"


def alarm(snapshot: Snapshot, now: float, glyphs: Glyphs) -> Cells:
    """The age of the data and why it is not newer; empty while it is live."""
    connection = snapshot.connection
    if connection.state != "stale":
        return ()
    age = f" {glyphs.warn} data is {text.age(now - connection.since)} old"
    reason = f": {connection.reason}" if connection.reason else ""
    return (age + reason, "alarm"), (f" {connection.hint}" if connection.hint else "", "warn")


def tabs(current: int, names: Iterable[tuple[int, str, str]]) -> Cells:
    """The panes of a narrow screen; `names` are (number, name, what it is narrowed to)."""
    cells: list[Cell] = []
    for number, name, detail in names:
        chosen = number == current
        cells.append((f" {number} {name} ", "tab-current" if chosen else "tab"))
        if chosen and detail:
            cells.append((f"{detail} ", "tab-detail"))
    return tuple(cells)


def footer(keys: Iterable[Key]) -> Cells:
    cells: list[Cell] = [(" ", "")]
    for key in keys:
        cells += [(key.display, "key"), (f" {key.label}  ", "muted")]
    return tuple(cells)


def waiting(snapshot: Snapshot, title_host: str) -> Cells:
    """What stands in the panes while nothing was ever read; empty once there is a world to show."""
    connection = snapshot.connection
    if connection.state == "live" or snapshot.host is not None or snapshot.containers:
        return ()
    if connection.state == "connecting":
        reason = f" {connection.reason}" if connection.reason else ""
        return (f"connecting to {title_host} …", "muted"), (reason, "warn")
    return (connection.reason or "Docker does not answer", "bad"), (f"  {connection.hint}", "muted")
