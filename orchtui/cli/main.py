"""`orchtui`: from argv to an exit code. Every error a person can meet ends here, as two sentences on stderr."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from orchtui.cli.options import build, command_names, is_stack_file, settings, unknown_command
from orchtui.errors import OrchtuiError

if TYPE_CHECKING:
    from orchtui.config import Settings

INTERRUPTED = 130
_VALUED = frozenset({"-H", "--host", "-c", "--context", "--state-dir", "--theme"})


def main(argv: Sequence[str]) -> int:
    """Run one command line (without the program's name) and return its exit code (DESIGN 11, Exit codes)."""
    _harden_streams()
    try:
        try:
            return _main(list(argv))
        finally:
            sys.stdout.flush()
    except OrchtuiError as error:
        from orchtui.cli.output import report

        report(error)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _pipe_closed()


def _main(argv: list[str]) -> int:
    parser = build()
    try:
        arguments = parser.parse_args(_with_command(argv, command_names(parser)))
    except SystemExit as end:  # --help and --version
        return int(end.code or 0)
    return _run(arguments, settings(arguments, os.environ), argv)


def _with_command(argv: list[str], known: Sequence[str]) -> list[str]:
    """`argv` with the word `console` put in where a stack file, or nothing, stands in a command's place."""
    at = _first_word(argv)
    if at is None:
        return argv if {"-h", "--help", "--version"} & set(argv) else [*argv, "console"]
    word = argv[at]
    if word in known or word == "console":
        return argv
    if is_stack_file(word):
        return [*argv[:at], "console", *argv[at:]]
    raise unknown_command(word, known)


def _first_word(argv: Sequence[str]) -> int | None:
    skip = False
    for index, argument in enumerate(argv):
        if skip:
            skip = False
        elif argument in _VALUED:
            skip = True
        elif not argument.startswith("-"):
            return index
    return None


def _run(arguments: argparse.Namespace, chosen: Settings, argv: Sequence[str]) -> int:
    match arguments.command:
        case "status" | "ls" | "ps" as command:
            from orchtui.cli import status

            look = {"status": status.status, "ls": status.ls, "ps": status.ps}
            return look[command](arguments, chosen)
        case "config" | "plan" | "up" as command:
            from orchtui.cli import stacks

            of_file = {"config": stacks.config, "plan": stacks.plan, "up": stacks.up}
            return of_file[command](arguments, chosen)
        case "inspect" | "history" | "diff" as command:
            from orchtui.cli import inspect

            of_one = {"inspect": inspect.inspect, "history": inspect.history, "diff": inspect.diff}
            return of_one[command](arguments, chosen)
        case "down" | "scale" | "rollback" as command:
            from orchtui.cli import changes

            change = {"down": changes.down, "scale": changes.scale, "rollback": changes.rollback}
            return change[command](arguments, chosen)
        case "restart" | "start" | "stop" | "kill" | "rm":
            from orchtui.cli import changes

            return changes.act(arguments, chosen)
        case "logs":
            from orchtui.cli.logs import logs

            return logs(arguments, chosen)
        case "exec":
            from orchtui.cli.exec import execute

            return execute(arguments, chosen)
        case "engine":
            from orchtui.cli.engine import engine

            return engine(arguments, chosen)
        case _:
            from orchtui.cli.console import console

            return console(arguments, chosen, argv)


def _harden_streams() -> None:
    """What an encoding cannot show becomes an escape instead of a traceback."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _pipe_closed() -> int:
    """The reader is gone (`orchtui ps | head`): end quietly, also at the interpreter's own last flush."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
