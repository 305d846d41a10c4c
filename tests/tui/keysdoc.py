"""Writes docs/keys.md from the keymap: `python -m tests.tui.keysdoc`. tests/tui/test_keymap.py proves it is current."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from orchtui.commands import Risk
from orchtui.tui import typed
from orchtui.tui.keymap import KEYS, TITLES, Context, Key, display
from orchtui.tui.screens.help import FILTERS, MOUSE

PATH = Path(__file__).resolve().parents[2] / "docs" / "keys.md"
ORDER: tuple[Context, ...] = (
    "app", "global", "table", "cluster", "services", "containers", "logs", "text", "reader", "describe", "history",
    "dialog",
)  # fmt: skip
RISKS = {
    Risk.LOOK: "",
    Risk.SMALL: "dialog",
    Risk.WIDE: "plan, then `y`",
    Risk.DESTRUCTIVE: "plan, then the name typed",
}


def markdown() -> str:
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from (
        "# Keys",
        "",
        "Made from `orchtui/tui/keymap.py` by `python -m tests.tui.keysdoc`; do not edit.",
        "",
        "No single key changes anything by itself: whatever changes something shows its plan first. In that dialog",
        "Cancel has the focus, `y` says yes, `n` and `esc` say no; what would lose data wants the name typed.",
    )
    for context in ORDER:
        yield from ("", f"## {TITLES[context].capitalize()}", "", "| key | does | asks |", "|---|---|---|")
        yield from (_row(key) for key in KEYS if key.context == context)
    yield from _more()


def _row(key: Key) -> str:
    keys = " ".join(_code(display(name)) for name in key.keys)
    asks = RISKS[key.risk] if key.opens == "plan" else "dialog" if key.opens else ""
    return f"| {keys} | {key.help.replace('|', chr(92) + '|')} | {asks} |"


def _code(text: str) -> str:
    return "`` ` ``" if text == "`" else f"`{text}`".replace("|", "\\|")


def _more() -> Iterator[str]:
    yield from ("", "## Filters", "", "| after `/` | keeps |", "|---|---|")
    yield from (f"| `{text}` | {meaning} |" for text, meaning in FILTERS)
    yield from ("", "## Commands", "", "Without a name they mean the row under the cursor.", "")
    yield from ("| after `:` | does | also |", "|---|---|---|")
    for spec in typed.SPECS:
        also = " ".join(f"`:{name}`" for name in spec.names[1:])
        usage = spec.usage.replace("|", "\\|")
        yield f"| `{usage}` | {spec.help} | {also} |"
    yield from ("", "## Mouse", "", "| do | for |", "|---|---|")
    yield from (f"| {what} | {meaning} |" for what, meaning in MOUSE)


if __name__ == "__main__":
    PATH.write_text(markdown(), encoding="utf-8")
