"""Every key of the console in one table: bindings, footer, palette, help and docs/keys.md all come from here.

Contexts nest: what holds in `table` holds in the services pane too. `tests/tui/test_keymap.py` proves the rules: no key
twice where it is reachable, nothing that changes something without a plan or dialog, a twin for every key that some
keyboards lack, a footer that fits 80 columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

from orchtui.commands import Risk
from orchtui.engine import Capability

Context = Literal[
    "app",
    "global",
    "table",
    "text",
    "cluster",
    "services",
    "containers",
    "logs",
    "dialog",
    "reader",
    "describe",
    "history",
]

# What else is reachable while a context has the focus, outermost last.
PARENTS: dict[Context, tuple[Context, ...]] = {
    "app": (),
    "global": ("app",),
    "table": ("global", "app"),
    "text": ("app",),
    "cluster": ("table", "global", "app"),
    "services": ("table", "global", "app"),
    "containers": ("table", "global", "app"),
    "logs": ("text", "global", "app"),
    "dialog": (),
    "reader": ("app",),
    "describe": ("text", "reader", "app"),
    "history": ("reader", "app"),
}

TITLES: dict[Context, str] = {
    "app": "everywhere",
    "global": "main screen",
    "table": "tables",
    "text": "logs and text",
    "cluster": "problems and stacks",
    "services": "services",
    "containers": "containers",
    "logs": "logs",
    "dialog": "dialogs",
    "reader": "describe and revisions",
    "describe": "describe",
    "history": "revisions",
}


# In the order of help and docs.
GROUPS = ("act", "look", "find", "logs", "revisions", "mark", "sort", "panes", "move", "console", "dialogs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One row: `keys` (Textual's names, the first is shown) run `action` while `context` has the focus.

    `also` are names under which terminals deliver the same key press; they are bound and never shown. `on` says who
    carries the action out: the focused widget, its screen or the app. `opens` says what stands between the key and a
    change: "plan" and "dialog" ask, "" means that the key changes nothing. A key whose `capability` the engine lacks
    does not exist. `shown` keys stand in the footer, in table order.
    """

    context: Context
    keys: tuple[str, ...]
    action: str
    label: str
    help: str
    group: str
    on: Literal["widget", "screen", "app"] = "screen"
    shown: bool = False
    also: tuple[str, ...] = ()
    risk: Risk = Risk.LOOK
    opens: Literal["", "plan", "dialog"] = ""
    capability: Capability | None = None

    @property
    def display(self) -> str:
        """How a person writes the key: `ctrl-d`, `?`, `N`."""
        return display(self.keys[0])

    @property
    def displays(self) -> str:
        """All spellings: `j ↓`."""
        return " ".join(display(key) for key in self.keys)


def _key(context: Context, keys: str, action: str, label: str, help: str, group: str, **more: object) -> Key:
    also = tuple(str(more.pop("also", "")).split())
    return Key(
        context=context, keys=tuple(keys.split()), action=action, label=label, help=help, group=group, also=also,
        **more,  # type: ignore[arg-type]
    )  # fmt: skip


_PLAN: dict[str, object] = {"opens": "plan", "capability": Capability.STACKS}
_ACT: dict[str, object] = {"opens": "plan", "capability": Capability.ACT}
_WIDGET: dict[str, object] = {"on": "widget"}
_SMALL, _WIDE, _LOSS = {"risk": Risk.SMALL}, {"risk": Risk.WIDE}, {"risk": Risk.DESTRUCTIVE}
_SHOWN: dict[str, object] = {"shown": True}

# fmt: off
_PANES = tuple(
    row
    for number, pane, legacy in (
        # xterm sends alt-1 as `ESC 1`, which Textual 8 reads as the character a Mac keyboard makes of it.
        (1, "problems and stacks", "inverted_exclamation_mark"),
        (2, "services", "trade_mark_sign"),
        (3, "containers", "pound_sign"),
        (4, "logs", "cent_sign"),
    )
    for row in (
        _key("table", str(number), f"focus_pane({number})", pane, f"go to {pane}", "panes"),
        _key("global", f"alt+{number}", f"focus_pane({number})", pane, f"go to {pane} from any pane", "panes",
             also=legacy),
    )
)

_COLUMNS: tuple[tuple[Context, str, str], ...] = (
    ("table", "N", "name"), ("table", "S", "status"), ("table", "A", "age"), ("services", "C", "cpu"),
    ("services", "M", "memory"), ("containers", "C", "cpu"), ("containers", "M", "memory"),
)
_SORTS = tuple(
    _key(context, letter, f"sort_by('{column}')", f"by {column}", f"by {column}; again: the other way", "sort")
    for context, letter, column in _COLUMNS
)

_SPANS = (
    ("tail", "the newest lines"), ("head", "from the first line"),
    ("1m", "the last minute"), ("5m", "the last 5 minutes"),
    ("15m", "the last 15 minutes"), ("30m", "the last 30 minutes"), ("1h", "the last hour"),
)
_SINCE = tuple(
    _key("logs", str(number), f"log_since({number})", label, f"show {span}", "logs")
    for number, (label, span) in enumerate(_SPANS)
)

KEYS: tuple[Key, ...] = (
    # --- everywhere
    _key("app", "ctrl+q", "quit", "quit", "quit the console; what runs keeps running", "console", on="app"),
    _key("app", "ctrl+t", "theme", "theme", "switch to the next colour theme", "console", on="app"),
    # --- main screen
    _key("global", "question_mark", "help", "help", "keys, filters and commands", "console", **_SHOWN),
    _key("global", "colon", "command", "command", "a command: `:logs web since 10m`", "console", **_SHOWN),
    _key("global", "ctrl+p", "palette", "palette", "search all that can be done here", "console"),
    _key("global", "ctrl+r", "refresh", "refresh", "read all again from Docker", "console"),
    _key("global", "ctrl+c", "quit", "quit", "quit the console", "console", on="app"),
    _key("global", "escape", "back", "back", "clear marks or filter, then back", "panes"),
    _key("global", "q", "leave", "back", "the same; at the root, quit", "panes"),
    _key("global", "f plus underscore", "zoom", "zoom", "the whole screen for it, and back", "panes"),
    _key("global", "tab", "focus_next_pane", "next pane", "go to the next pane", "panes"),
    _key("global", "shift+tab", "focus_previous_pane", "previous pane", "go to the previous pane", "panes"),
    *_PANES,
    # --- tables: looking
    _key("table", "enter", "drill", "open", "go into it: stack, services, and on", "look"),
    _key("table", "d", "describe", "describe", "all about it: health, exit, ports", "look",
         **_SHOWN),
    _key("table", "i", "inspect", "inspect", "Docker's document, secrets masked", "look"),
    _key("table", "l m", "logs", "logs", "its logs", "look", shown=True, capability=Capability.LOGS),
    _key("table", "c", "copy", "copy", "copy its name (a container's ID)", "look"),
    _key("table", "n", "next_problem", "next problem", "go to the next problem", "look"),
    _key("table", "full_stop", "toggle_stopped", "stopped", "show or hide what has stopped", "look"),
    _key("table", "ctrl+z", "faults_only", "faults", "show only what is wrong, and back", "look"),
    # --- tables: finding and marking
    _key("table", "slash", "filter", "filter", "keep rows that match", "find", **_SHOWN),
    _key("table", "ctrl+u", "clear_filter", "clear", "show all rows again", "find"),
    _key("table", "space", "mark", "mark", "mark; verbs work on all marked", "mark"),
    _key("table", "asterisk", "mark_all", "mark all", "mark every row that is shown", "mark"),
    _key("table", "ctrl+backslash ctrl+x", "clear_marks", "unmark", "clear all marks", "mark"),
    # --- tables: moving
    _key("table", "j down", "cursor_down", "down", "one row down", "move", **_WIDGET),
    _key("table", "k up", "cursor_up", "up", "one row up", "move", **_WIDGET),
    _key("table", "g home", "cursor_top", "top", "the first row", "move", **_WIDGET),
    _key("table", "G end", "cursor_bottom", "bottom", "the last row", "move", **_WIDGET),
    _key("table", "pagedown ctrl+f", "page_down", "page down", "a page down", "move", **_WIDGET),
    _key("table", "pageup ctrl+b", "page_up", "page up", "a page up", "move", **_WIDGET),
    *_SORTS,
    # --- tables: acting
    _key("table", "x", "menu", "menu", "menu: start, stop, pause, kill", "act",
         shown=True, opens="dialog", capability=Capability.ACT, **_SMALL),
    _key("table", "r", "restart", "restart", "restart, one replica at a time", "act",
         **_ACT, **_WIDE),
    _key("table", "ctrl+k", "stop", "stop", "stop it and keep it stopped", "act", **_ACT, **_WIDE),
    _key("table", "ctrl+d delete", "delete", "delete", "remove it; asks for its name", "act",
         **_ACT, **_LOSS),
    _key("cluster", "z", "revisions", "revisions", "its revisions: compare, roll back", "look", shown=True,
         capability=Capability.STACKS),
    _key("cluster", "u", "apply", "apply", "plan its stack file again, apply it", "act", **_PLAN, **_WIDE),
    _key("cluster", "D", "down", "down", "take the stack down, keep volumes", "act",
         **_PLAN, **_WIDE),
    _key("services", "s", "scale", "scale", "set the number of replicas", "act", shown=True, **_PLAN, **_SMALL),
    _key("services", "z", "revisions", "revisions", "its revisions: compare, roll back", "look", shown=True,
         capability=Capability.STACKS),
    _key("services", "u", "apply", "apply", "plan its stack file again, apply it", "act", **_PLAN, **_WIDE),
    _key("services", "D", "down", "down", "take its stack down, keep volumes", "act",
         **_PLAN, **_WIDE),
    _key("containers", "s E", "shell", "shell", "a shell in the container (bash, else sh)", "act", shown=True,
         capability=Capability.EXEC),
    # --- logs and other text
    _key("text", "j down", "scroll_down", "down", "one line down", "move", **_WIDGET),
    _key("text", "k up", "scroll_up", "up", "one line up", "move", **_WIDGET),
    _key("text", "g home", "scroll_home", "top", "the first line", "move", **_WIDGET),
    _key("text", "G end", "scroll_end", "bottom", "the last line", "move", **_WIDGET),
    _key("text", "pagedown ctrl+f", "page_down", "page down", "a page down", "move", **_WIDGET),
    _key("text", "pageup ctrl+b", "page_up", "page up", "a page up", "move", **_WIDGET),
    _key("text", "ctrl+d", "half_page_down", "half down", "half a page down", "move", **_WIDGET),
    _key("text", "ctrl+u", "half_page_up", "half up", "half a page up", "move", **_WIDGET),
    _key("text", "left", "scroll_left", "left", "to the left in long lines", "move", **_WIDGET),
    _key("text", "right", "scroll_right", "right", "to the right in long lines", "move", **_WIDGET),
    _key("text", "n", "search_next", "next", "the next match", "find"),
    _key("text", "N", "search_previous", "previous", "the match before", "find"),
    _key("logs", "slash", "log_filter", "search", "search in the logs; `!word` hides lines", "find", **_SHOWN),
    _key("logs", "s F", "log_follow", "follow", "follow new lines, or stand still", "logs", **_SHOWN),
    _key("logs", "w", "log_wrap", "wrap", "wrap long lines, or cut them", "logs", **_SHOWN),
    _key("logs", "t", "log_time", "time", "show or hide the time of each line", "logs", **_SHOWN),
    *_SINCE,
    _key("logs", "c", "copy", "copy", "copy the lines on the screen to the clipboard", "logs"),
    _key("logs", "C", "log_clear", "clear", "empty the pane (nothing is deleted)", "logs"),
    # --- describe and revisions
    _key("reader", "escape q ctrl+c", "leave", "back", "back to where you were", "console", **_SHOWN),
    _key("reader", "question_mark", "help", "help", "keys of this screen", "console", **_SHOWN),
    _key("reader", "ctrl+r", "reload", "reload", "read it again", "console", **_SHOWN),
    _key("describe", "slash", "search", "search", "find a text", "find", **_SHOWN),
    _key("describe", "left_square_bracket comma", "previous_tab", "previous", "the tab to the left", "panes"),
    _key("describe", "right_square_bracket semicolon", "next_tab", "tab", "the tab to the right", "panes", **_SHOWN),
    _key("describe", "c", "copy", "copy", "copy the whole tab to the clipboard", "look", **_SHOWN),
    _key("history", "j down", "cursor_down", "down", "one revision down", "move", **_WIDGET),
    _key("history", "k up", "cursor_up", "up", "one revision up", "move", **_WIDGET),
    _key("history", "g home", "cursor_top", "top", "the newest revision", "move", **_WIDGET),
    _key("history", "G end", "cursor_bottom", "bottom", "the oldest revision", "move", **_WIDGET),
    _key("history", "pagedown ctrl+f", "diff_page_down", "diff down", "a page down in the difference", "move"),
    _key("history", "pageup ctrl+b", "diff_page_up", "diff up", "a page up in the difference", "move"),
    _key("history", "space enter", "mark", "mark", "compare the others with this revision, or not", "revisions",
         **_SHOWN),
    _key("history", "b ctrl+l", "rollback", "roll back", "roll the stack back to this revision", "revisions",
         shown=True, **_PLAN, **_WIDE),
    # --- dialogs
    _key("dialog", "escape ctrl+c", "cancel", "cancel", "close the dialog and change nothing", "dialogs"),
)
# fmt: on

_NAMES = {
    "question_mark": "?", "slash": "/", "colon": ":", "asterisk": "*", "full_stop": ".", "comma": ",", "semicolon": ";",
    "plus": "+", "minus": "-", "underscore": "_", "left_square_bracket": "[", "right_square_bracket": "]",
    "backslash": "\\", "escape": "esc", "pagedown": "pgdn", "pageup": "pgup", "delete": "del", "down": "↓", "up": "↑",
    "left": "←", "right": "→",
}  # fmt: skip


def display(key: str) -> str:
    """A key as people write it: `ctrl-d`, `?`, `esc`, `↓`."""
    *modifiers, name = key.split("+")
    return "-".join([*modifiers, _NAMES.get(name, name)])


def usable(key: Key, capabilities: frozenset[Capability]) -> bool:
    """Whether the engine can do it at all: otherwise the key does not exist."""
    return key.capability is None or key.capability in capabilities


def prefixed(key: Key) -> str:
    """The action as Textual runs it from anywhere: `screen.describe`, `app.quit`; a widget's own has no prefix."""
    return {"widget": "", "screen": "screen.", "app": "app."}[key.on] + key.action


def bindings_for(context: Context) -> list[BindingType]:
    """Textual bindings of the keys of this very context (its parents bind their own)."""
    return [
        Binding(
            ",".join((*key.keys, *key.also)),
            prefixed(key),
            key.label,
            show=key.shown,
            key_display=key.display,
            tooltip=key.help,
            # A dialog must not take away the way out of the program, nor an input (ctrl-c) the way out of a dialog.
            priority=key.context in ("app", "dialog"),
        )
        for key in KEYS
        if key.context == context
    ]


def keys_in(context: Context, capabilities: frozenset[Capability] = frozenset(Capability)) -> tuple[Key, ...]:
    """All keys that work while `context` has the focus, its own first."""
    order = (context, *PARENTS[context])
    return tuple(key for place in order for key in KEYS if key.context == place and usable(key, capabilities))


def footer(
    context: Context, capabilities: frozenset[Capability] = frozenset(Capability), width: int = 80
) -> tuple[Key, ...]:
    """The keys for the footer line, as many as fit `width` when each is written as `key label` and two spaces.

    `shown` keys come first; a wide terminal shows more of them, a narrow one never loses `help`.
    """
    keys = keys_in(context, capabilities)
    last = [key for key in keys if key.action == "help"]
    left = width - sum(map(footer_width, last))
    chosen: list[Key] = []
    for key in sorted(keys, key=lambda key: not key.shown):
        if key in last or not (key.shown or key.group in _WORTH_SHOWING):
            continue
        if footer_width(key) <= left:
            chosen.append(key)
            left -= footer_width(key)
    return (*chosen, *last)


_WORTH_SHOWING = ("act", "look", "find", "logs", "revisions", "mark")


def footer_width(key: Key) -> int:
    return len(f"{key.display} {key.label}  ")


def capability_of(action: str) -> Capability | None:
    """What the engine must be able to do for `action` (a name without arguments): for `check_action`."""
    return _CAPABILITIES.get(action)


_CAPABILITIES = {key.action.partition("(")[0]: key.capability for key in KEYS if key.capability is not None}
