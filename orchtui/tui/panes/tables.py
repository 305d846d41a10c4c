"""The three list panes: what is wrong and the stacks, services, containers."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from orchtui.tui.keymap import Context, bindings_for
from orchtui.tui.panes.pane import Framed
from orchtui.tui.present import View
from orchtui.tui.table import LineTable


class ListPane(LineTable, Framed, inherit_bindings=False):
    """A table in a frame with its own view: filter, sort, what is hidden."""

    CONTEXT: ClassVar[Context] = "table"
    view = View()
    filter_text = ""

    def detail(self, scope: str = "") -> str:
        """What stands beside the pane's name: what it is narrowed to, how many rows, what is hidden, what is marked."""
        parts = (
            scope,
            str(len(self.listing)) if scope else "",
            "faults" if self.view.faults else "",
            "" if self.view.stopped else "running",
            f"/{self.filter_text}" if self.filter_text else "",
            f"{len(self.marks)} marked" if self.marks else "",
        )
        return f" {self.glyphs.dot} ".join(filter(None, parts))


class ClusterPane(ListPane, inherit_bindings=False):
    HEADER = False
    CONTEXT = "cluster"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("cluster"), *bindings_for("table")]
    view = View(sort="status")


class ServicesPane(ListPane, inherit_bindings=False):
    CONTEXT = "services"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("services"), *bindings_for("table")]


class ContainersPane(ListPane, inherit_bindings=False):
    CONTEXT = "containers"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("containers"), *bindings_for("table")]
