"""A stack's revisions: what each was, how it differs from another, and the way back to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.events import Resize
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from orchtui.commands import Rollback
from orchtui.core.text import age, count, safe
from orchtui.engine import Capability, Engine
from orchtui.errors import OrchtuiError
from orchtui.model.history import Revision
from orchtui.model.plan import Change
from orchtui.tui.keybar import KeyBar
from orchtui.tui.keymap import Context, bindings_for
from orchtui.tui.layout import Line, change_lines, clip, pad
from orchtui.tui.safety import MUTED, plain
from orchtui.tui.screens.reader import Reader, error_lines
from orchtui.tui.textview import TextView
from orchtui.tui.work import work

_OUTCOMES = {
    "pending": ("◐ pending", "$text-accent"),
    "completed": ("✔ completed", "$text-success"),
    "failed": ("✖ failed", "$text-error"),
    "superseded": ("○ superseded", MUTED),
}


class RevisionList(OptionList):
    """The list of revisions; it always has the focus, so all keys of the screen are bound here."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("history")

    def action_cursor_top(self) -> None:
        self.action_first()

    def action_cursor_bottom(self) -> None:
        self.action_last()


class HistoryScreen(Reader[Rollback]):
    """Revisions of `stack`, newest first; dismisses with the wished Rollback, which the app plans and confirms.

    The lower pane shows how the revision under the cursor differs from the marked one, or from the current one while
    none is marked. `now` gives the present time (seconds since the epoch).
    """

    AUTO_FOCUS: ClassVar[str | None] = "RevisionList"
    CONTEXT: ClassVar[Context] = "history"

    DEFAULT_CSS = """
    HistoryScreen {
        .columns { height: 1; padding: 0 1; color: $text-muted; text-style: bold; }
        RevisionList {
            height: auto; max-height: 45%; border: none; padding: 0 1; background: $background;
            &:focus { border: none; background: $background; background-tint: transparent; }
            & > .option-list--option-highlighted { background: $primary 30%; color: $foreground; text-style: bold; }
            &:focus > .option-list--option-highlighted {
                background: $primary 30%; color: $foreground; text-style: bold;
            }
        }
        .between { height: 1; padding: 0 1; background: $panel; }
        TextView { height: 1fr; background: $background; padding: 0 1; }
    }
    """

    def __init__(self, engine: Engine, stack: str, *, place: str = "", now: Callable[[], float] = time.time) -> None:
        super().__init__(place)
        self._engine = engine
        self._stack = stack
        self._now = now
        self._revisions: Sequence[Revision] = ()
        self._marked: int | None = None

    def compose(self) -> ComposeResult:
        yield self.title_line(f"revisions of stack {self._stack}")
        yield Static(classes="columns")
        yield RevisionList(markup=False)
        yield Static(classes="between")
        view = TextView(lambda width: [(("Loading…", "muted"),)], id="difference")
        view.can_focus = False
        yield view
        yield KeyBar("history", self._engine.capabilities)

    def on_resize(self, event: Resize) -> None:
        self._show_rows()

    async def load(self) -> None:
        self._revisions = await self._engine.history(self._stack)
        if self._marked not in {revision.number for revision in self._revisions}:
            self._marked = None
        self._show_rows()
        self._compare()

    def show_error(self, error: OrchtuiError) -> None:
        self.query_one("#difference", TextView).show(lambda width: error_lines(error, width))

    # --- the list

    def _show_rows(self) -> None:
        rows = self.query_one(RevisionList)
        place = rows.highlighted
        width = max(40, self.size.width - 4)
        header, *lines = revision_rows(self._revisions, self._marked, self._now(), width)
        self.query_one(".columns", Static).update(header)
        with self.prevent(OptionList.OptionHighlighted):
            rows.clear_options()
            rows.add_options([Option(line) for line in lines])
            if lines:
                rows.highlighted = min(place or 0, len(lines) - 1)

    @property
    def _here(self) -> Revision | None:
        place = self.query_one(RevisionList).highlighted
        return self._revisions[place] if place is not None and place < len(self._revisions) else None

    @property
    def _other(self) -> Revision | None:
        """What the revision under the cursor is compared with."""
        wanted = [revision for revision in self._revisions if revision.number == self._marked]
        current = [revision for revision in self._revisions if revision.current]
        return next(iter((*wanted, *current, *self._revisions[:1])), None)

    @on(OptionList.OptionHighlighted)
    def _moved(self) -> None:
        self._compare()

    @on(OptionList.OptionSelected)
    def _clicked(self) -> None:
        self._compare()

    def action_mark(self) -> None:
        here = self._here
        if here is not None:
            self._marked = None if self._marked == here.number else here.number
            self._show_rows()
            self._compare()

    # --- the difference

    def _compare(self) -> None:
        work(self, self._load_difference, group="diff")

    async def _load_difference(self) -> None:
        here, other = self._here, self._other
        view, between = self.query_one("#difference", TextView), self.query_one(".between", Static)
        if here is None or other is None:
            between.update("")
            view.show(lambda width: [((f"Stack {safe(self._stack)} has no revisions.", "muted"),)])
            return
        if here.number == other.number:
            note = (
                "marked: move to another one to compare" if self._marked else "current: move to another one to compare"
            )
            between.update(plain(f"revision {here.number}, {note}"))
            view.show(lambda width: _about(here))
            return
        between.update(_between_words(here, other, marked=self._marked is not None))
        try:
            changes = await self._engine.diff(self._stack, other.number, here.number)
        except OrchtuiError as error:
            self.show_error(error)
            return
        view.show(lambda width: _difference(changes, width))

    def action_diff_page_down(self) -> None:
        self.query_one("#difference", TextView).action_half_page_down()

    def action_diff_page_up(self) -> None:
        self.query_one("#difference", TextView).action_half_page_up()

    # --- the way back

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "rollback" or Capability.STACKS in self._engine.capabilities

    def action_rollback(self) -> None:
        here = self._here
        if here is None:
            return
        if here.current:
            self.app.notify(f"Revision {here.number} is the current one.", severity="warning", markup=False)
        else:
            self.dismiss(Rollback(stack=self._stack, to=str(here.number)))


def revision_rows(revisions: Sequence[Revision], marked: int | None, now: float, width: int) -> list[Content]:
    """The header and one row per revision, in aligned columns that fit `width`; images only where there is room."""
    author = min(max([6, *(len(safe(revision.author)) for revision in revisions)]), 16)
    cause = max(12, min(40, width - 4 - 5 - 6 - author - 2 - 14 - 9))
    images = width - (4 + 5 + 6 + author + 2 + 14 + 9 + cause + 2)
    rows = [
        plain(
            pad("", 4) + pad("REV", 5) + pad("AGE", 6) + pad("BY", author + 2) + pad("OUTCOME", 14) + pad("", 9)
            + pad("CAUSE", cause + 2) + ("IMAGES" if images >= 16 else "")
        )
    ]  # fmt: skip
    for revision in revisions:
        outcome, token = _OUTCOMES[revision.outcome]
        stands = "current" if revision.current else "stable" if revision.stable else ""
        text = f"rollback of {revision.rollback_of}" if revision.rollback_of is not None else revision.cause
        rows.append(
            Content.assemble(
                plain("▸◆  " if revision.current and revision.number == marked else
                      "▸   " if revision.current else " ◆  " if revision.number == marked else "    ", "$text-accent"),
                plain(pad(str(revision.number), 5), "bold"),
                plain(pad(age(now - revision.created_at), 6)),
                plain(pad(clip(safe(revision.author), author), author + 2), MUTED),
                plain(pad(outcome, 14), token),
                plain(pad(stands, 9), "$text-success" if stands else ""),
                plain(pad(clip(safe(text), cause), cause + 2)),
                plain(clip(_images(revision.images), images) if images >= 16 else "", MUTED),
            )
        )  # fmt: skip
    return rows


def _images(images: Mapping[str, str]) -> str:
    """`web 0123456789ab, db …`: short image IDs by service."""
    return ", ".join(
        f"{safe(name)} {safe(image.removeprefix('sha256:')[:12] or '?')}" for name, image in images.items()
    )


def _between_words(here: Revision, other: Revision, *, marked: bool) -> Content:
    """Which two are compared; the arrow goes from the other one to the one under the cursor."""
    which = "marked" if marked else "current"
    return Content.assemble(
        plain(f"{which} revision {other.number}", "$text-error"), plain("  →  ", MUTED),
        plain(f"revision {here.number}", "$text-success"),
    )  # fmt: skip


def _difference(changes: Sequence[Change], width: int) -> list[Line]:
    if not changes:
        return [(("No difference that matters.", "muted"),)]
    return [((count(len(changes), "change"), "muted"),), *change_lines(changes, width)]


def _about(revision: Revision) -> list[Line]:
    """What a revision is on its own: cause and images."""
    lines: list[Line] = [((safe(revision.cause), ""),), ()]
    width = max((len(safe(name)) for name in revision.images), default=0)
    for name, image in revision.images.items():
        digest = revision.digests.get(name, "")
        lines.append(((pad(safe(name), width), "muted"), ("  ", ""), (safe(digest or image or "not resolved yet"), "")))
    return lines
