"""The action menu (`x`): all verbs for one row, each with its letter, and why some are not possible now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Key
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from orchtui.core.text import safe
from orchtui.engine import Capability
from orchtui.model.observed import Container, Owner
from orchtui.model.snapshot import Service, Stack
from orchtui.tui.layout import pad
from orchtui.tui.safety import MUTED, plain
from orchtui.tui.screens.dialog import Dialog


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuItem:
    """`key` is the letter that picks it; `why_not` says why it is impossible now ("" it is possible)."""

    key: str
    label: str
    value: str
    note: str = ""
    why_not: str = ""


class MenuScreen(Dialog[str]):
    """Dismisses with the picked item's value. A letter, `enter` or a click picks; impossible items cannot be picked."""

    AUTO_FOCUS: ClassVar[str | None] = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "move(1)", show=False),
        Binding("ctrl+p", "move(-1)", show=False),
    ]

    DEFAULT_CSS = """
    MenuScreen OptionList { height: auto; max-height: 18; }
    """

    def __init__(self, title: str, items: Sequence[MenuItem]) -> None:
        super().__init__()
        self._asked = title
        self._items = {item.key: item for item in items}

    def compose(self) -> ComposeResult:
        width = max((len(item.label) for item in self._items.values()), default=0)
        options = OptionList(*(self._option(item, width) for item in self._items.values()), markup=False)
        frame = self.frame(self._asked, options, classes="-narrow")
        frame.border_subtitle = plain("a letter picks, esc leaves")
        yield frame

    @staticmethod
    def _option(item: MenuItem, width: int) -> Option:
        note = item.why_not or item.note
        prompt = Content.assemble(
            plain(f" {item.key} ", "" if item.why_not else "bold $text-accent"),
            plain(pad(safe(item.label), width + 2)),
            plain(note, "" if item.why_not else MUTED),
        )
        return Option(prompt, id=f"value-{ord(item.key[0])}", disabled=bool(item.why_not))

    def action_move(self, step: int) -> None:
        options = self.query_one(OptionList)
        options.action_cursor_down() if step > 0 else options.action_cursor_up()

    def on_key(self, event: Key) -> None:
        item = self._items.get(event.character or "")
        if item is not None:
            event.stop()
            event.prevent_default()
            if not item.why_not:
                self.dismiss(item.value)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        key = chr(int((event.option.id or "value-0").removeprefix("value-")))
        self.dismiss(self._items[key].value)


def container_items(container: Container, capabilities: frozenset[Capability]) -> list[MenuItem]:
    """What can be done to a container. Values are direct verbs, or names of the main screen's actions."""
    up = container.state == "running"
    here = container.running
    return [
        MenuItem(key="d", label="describe", value="describe"),
        MenuItem(key="l", label="logs", value="logs", why_not=_lacks(Capability.LOGS, capabilities)),
        MenuItem(key="e", label="shell", value="shell", why_not=_lacks(Capability.EXEC, capabilities) or _unless(up)),
        *_verbs(running=here, startable=not here and container.state != "removing", capabilities=capabilities),
        MenuItem(
            key="p", label="pause", value="pause", note="freeze its processes",
            why_not=_lacks(Capability.ACT, capabilities) or _unless(up),
        ),
        MenuItem(
            key="u", label="unpause", value="unpause", note="let them go on",
            why_not=_lacks(Capability.ACT, capabilities) or ("" if container.state == "paused" else "not paused"),
        ),
        MenuItem(
            key="k", label="kill", value="kill", note="at once, without grace",
            why_not=_lacks(Capability.ACT, capabilities) or _unless(here),
        ),
        MenuItem(
            key="D", label="delete", value="remove", note="asks for its name",
            why_not=_lacks(Capability.ACT, capabilities),
        ),
    ]  # fmt: skip


def service_items(service: Service, capabilities: frozenset[Capability]) -> list[MenuItem]:
    """What can be done to a service; scaling and revisions where it is ours."""
    foreign = "" if service.owner is Owner.MANAGED else f"its owner is {service.owner.value.replace('_', ' ')}"
    stacks = _lacks(Capability.STACKS, capabilities) or foreign
    return [
        MenuItem(key="d", label="describe", value="describe"),
        MenuItem(key="l", label="logs", value="logs", why_not=_lacks(Capability.LOGS, capabilities)),
        MenuItem(key="c", label="scale", value="scale", note="set the number of replicas", why_not=stacks),
        *_verbs(running=service.running > 0, startable=True, capabilities=capabilities),
        MenuItem(key="z", label="revisions", value="revisions", note="compare and roll back", why_not=stacks),
        MenuItem(
            key="k", label="kill", value="kill", note="at once, without grace",
            why_not=_lacks(Capability.ACT, capabilities) or _unless(service.running > 0),
        ),
    ]  # fmt: skip


def stack_items(stack: Stack, capabilities: frozenset[Capability]) -> list[MenuItem]:
    """What can be done to a stack."""
    foreign = "" if stack.owner is Owner.MANAGED else f"its owner is {stack.owner.value.replace('_', ' ')}"
    stacks = _lacks(Capability.STACKS, capabilities) or foreign
    return [
        MenuItem(key="d", label="describe", value="describe"),
        MenuItem(key="l", label="logs", value="logs", why_not=_lacks(Capability.LOGS, capabilities)),
        *_verbs(running=True, startable=True, capabilities=capabilities),
        MenuItem(key="z", label="revisions", value="revisions", note="compare and roll back", why_not=stacks),
        MenuItem(key="u", label="apply", value="apply", note="plan its file again", why_not=stacks),
        MenuItem(key="D", label="down", value="down", note="containers and networks, not volumes", why_not=stacks),
    ]


def _verbs(*, running: bool, startable: bool, capabilities: frozenset[Capability]) -> list[MenuItem]:
    act = _lacks(Capability.ACT, capabilities)
    return [
        MenuItem(key="r", label="restart", value="restart", why_not=act),
        MenuItem(key="s", label="stop", value="stop", note="and keep it stopped", why_not=act or _unless(running)),
        MenuItem(key="S", label="start", value="start", why_not=act or ("" if startable else "it runs already")),
    ]


def _lacks(capability: Capability, capabilities: frozenset[Capability]) -> str:
    return "" if capability in capabilities else "not in look mode"


def _unless(running: bool) -> str:
    return "" if running else "it does not run"
