"""Where the panes of the main screen stand, and which of them a terminal has room for."""

from __future__ import annotations

from textual.geometry import Size

CLUSTER, SERVICES, CONTAINERS, LOGS = 1, 2, 3, 4
WIDE = 120
"""Columns from which all panes stand side by side."""
TALL = 36
"""Rows from which a narrow screen shows logs under the list, and a wide one the plots."""

CSS = """
    BrowseScreen { background: $background; color: $foreground; layout: vertical; }
    BrowseScreen #header { background: $panel; }
    BrowseScreen #tabs { background: $surface; }
    BrowseScreen #alarm { display: none; }
    BrowseScreen #top { height: 3fr; }
    BrowseScreen #left { width: 32%; min-width: 40; max-width: 64; }
    BrowseScreen #services { height: 1fr; }
    BrowseScreen #containers { height: 1fr; }
    BrowseScreen #logs { height: 2fr; }
    BrowseScreen .pane { background: $background; }
    BrowseScreen.-stale .pane { text-opacity: 75%; }
    BrowseScreen.-framed .pane { border: round $border-blurred; border-title-color: $foreground; }
    BrowseScreen.-framed .pane { border-subtitle-color: $foreground; }
    BrowseScreen.-framed .pane:focus { border: round $border; border-title-color: $primary; }
"""


def panes_shown(size: Size, current: int, leading: int, *, zoomed: bool) -> frozenset[int]:
    """All panes on a wide screen; else the current one, on a tall one with the logs beneath the list."""
    if zoomed:
        return frozenset({current})
    if size.width >= WIDE:
        return frozenset({CLUSTER, SERVICES, CONTAINERS, LOGS})
    if size.height >= TALL:
        return frozenset({LOGS, leading if current == LOGS else current})
    return frozenset({current})
