"""Search over everything that can be done or gone to. Our own: at most fifty hits, found by plain string tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Resize
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from orchtui.core.text import count
from orchtui.engine import Capability
from orchtui.tui.keymap import Context, keys_in, prefixed
from orchtui.tui.safety import MUTED, plain
from orchtui.tui.screens.dialog import Dialog

HITS = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """`title` is searched and shown, `hint` stands at the right (a key, a kind), `value` is the answer."""

    title: str
    hint: str
    value: str


def key_entries(context: Context, capabilities: frozenset[Capability]) -> list[Entry]:
    """All that a key does in `context`; the value is the action for `run_action`."""
    entries: dict[str, Entry] = {}
    for key in keys_in(context, capabilities):
        if key.on != "widget" and key.action != "palette":
            title = key.help if key.help.startswith(key.label) else f"{key.label}: {key.help}"
            entries.setdefault(prefixed(key), Entry(title, key.display, prefixed(key)))
    return list(entries.values())


def search(entries: Iterable[Entry], text: str, hits: int = HITS) -> list[Entry]:
    """The best `hits` entries: first those whose title starts with `text`, then a word of it, then the rest.

    Every word of `text` must stand in the title; where none has them all, its letters in their order are enough.
    """
    words = text.lower().split()
    if not words:
        return list(entries)[:hits]
    ranked: list[list[Entry]] = [[], [], [], []]
    letters = "".join(words)
    for entry in entries:
        title = entry.title.lower()
        if all(word in title for word in words):
            starts = title.startswith(words[0])
            begins = starts or any(f"{mark}{words[0]}" in title for mark in " /-_.")
            ranked[0 if starts else 1 if begins else 2].append(entry)
            if len(ranked[0]) >= hits:
                break
        elif len(ranked[3]) < hits and _in_order(letters, title):
            ranked[3].append(entry)
    # `stop` before `stopped`: the shorter of two beginnings is the closer one.
    ranked[0].sort(key=lambda entry: len(entry.title.split(" ", 1)[0]))
    found = [entry for group in ranked[:3] for entry in group]
    return (found or ranked[3])[:hits]


def _in_order(letters: str, title: str) -> bool:
    rest = iter(title)
    return all(letter in rest for letter in letters)


class PaletteScreen(Dialog[str]):
    """Dismisses with the picked entry's value."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+n", "move('cursor_down')", show=False, priority=True),
        Binding("up,ctrl+p", "move('cursor_up')", show=False, priority=True),
        Binding("pagedown", "move('page_down')", show=False, priority=True),
        Binding("pageup", "move('page_up')", show=False, priority=True),
    ]

    DEFAULT_CSS = """
    PaletteScreen {
        align: center top;
        .frame { margin: 1 1 0 1; max-width: 90; }
        Input { margin-bottom: 1; }
        OptionList { height: auto; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
        #hits { height: 1; color: $text-muted; }
    }
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        super().__init__()
        self._entries = entries
        self._found: list[Entry] = []

    def compose(self) -> ComposeResult:
        options = OptionList(markup=False)
        options.can_focus = False
        yield self.frame(
            "Go to or do",
            Input(placeholder="part of a name or an action", compact=True),
            options,
            Static(id="hits"),
        )

    def on_mount(self) -> None:
        self._search("")
        self.query_one(Input).focus()

    def on_resize(self, event: Resize) -> None:
        self._search(self.query_one(Input).value)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self._search(event.value)

    def _search(self, text: str) -> None:
        self._found = search(self._entries, text)
        options = self.query_one(OptionList)
        options.styles.max_height = max(3, self.size.height - 7)
        width = max(20, min(90, self.size.width - 2) - 5)
        options.clear_options()
        options.add_options([Option(_prompt(entry, width)) for entry in self._found])
        options.highlighted = 0 if self._found else None
        capped = len(self._found) == HITS and len(self._entries) > HITS
        words = f"the first {HITS}; type more" if capped else count(len(self._found), "hit")
        self.query_one("#hits", Static).update(plain(words if self._found else "nothing matches"))

    async def action_move(self, how: str) -> None:
        """Move in the list while the input keeps the focus; `how` is one of the list's own actions."""
        await self.query_one(OptionList).run_action(how)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        place = self.query_one(OptionList).highlighted
        if place is not None and place < len(self._found):
            self.dismiss(self._found[place].value)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._found[event.option_index].value)


def _prompt(entry: Entry, width: int) -> Content:
    hint = plain(entry.hint, MUTED, limit=24)
    title = plain(entry.title, limit=300).truncate(width - hint.cell_length - 2, ellipsis=True)
    gap = " " * max(2, width - title.cell_length - hint.cell_length)
    return Content.assemble(title, gap, hint)
