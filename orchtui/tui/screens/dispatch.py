"""What a typed `:` command does on the main screen."""

from __future__ import annotations

from typing import Literal, assert_never

from orchtui.commands import Act, Down, Rollback, Scale, Target
from orchtui.errors import NotFound
from orchtui.tui import typed
from orchtui.tui.screens.arrange import LOGS
from orchtui.tui.screens.main import MainScreen

Kind = Literal["service", "container", "stack"]
_ANY: tuple[Kind, ...] = ("service", "container", "stack")


def run_typed(screen: MainScreen, text: str) -> None:
    """Carry out one line. Raises UsageError and NotFound with what to write instead."""
    console = screen.console
    match typed.parse(text):
        case typed.Goto(pane=pane, filter=words):
            screen.go_to(pane)
            if pane != LOGS:
                screen.filter(screen.list_pane, words)
        case typed.OpenLogs(name=name, since=since):
            screen.show_logs(_target(screen, name, *_ANY), since)
            screen.go_to(LOGS)
        case typed.Look() as look:
            _look(screen, look)
        case typed.Do(verb=verb, name=name):
            targets = [_target(screen, name, *_ANY)] if name else screen.targets()
            console.perform(*(Act(verb=verb, target=target) for target in targets))
        case typed.ScaleTo(name=name, replicas=replicas):
            console.perform(Scale(service=_target(screen, name, "service").key, replicas=replicas))
        case typed.TakeDown(name=name, volumes=volumes):
            console.perform(Down(stack=_stack(screen, name), volumes=volumes))
        case typed.RollBackTo(name=name, to=to):
            console.perform(Rollback(stack=_stack(screen, name), to=to))
        case typed.SetTheme(name=name):
            console.switch_theme(name)
        case typed.Run(action="quit"):
            console.exit()
        case typed.Run(action=action):
            getattr(screen, f"action_{action}")()
        case _ as never:
            assert_never(never)


def _look(screen: MainScreen, look: typed.Look) -> None:
    match look.view:
        case "history":
            screen.console.show_history(_stack(screen, look.name), screen.place)
        case "shell":
            screen.console.open_shell(_target(screen, look.name, "container"))
        case view:
            screen.describe(view, _target(screen, look.name, *_ANY))


def _target(screen: MainScreen, name: str, *kinds: Kind) -> Target:
    """The thing named, or the row under the cursor where none is."""
    if name and screen.snapshot is not None:
        return typed.resolve(name, screen.snapshot, kinds)
    target = screen.target()
    if target is None or target.kind not in kinds:
        raise NotFound(f"There is no {' or '.join(kinds)} under the cursor.", hint="Name one after the command.")
    return target


def _stack(screen: MainScreen, name: str) -> str:
    if name:
        return _target(screen, name, "stack").key
    target = screen.target()
    stack = "-" if target is None else screen.stack_of(target)
    if stack == "-":
        raise NotFound("There is no stack under the cursor.", hint="Name one after the command.")
    return stack
