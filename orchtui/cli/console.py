"""`orchtui` without a command: the console. Terminal checks and the engine's start come before the heavy imports."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from orchtui.config import Settings
from orchtui.core.text import safe

if TYPE_CHECKING:
    from orchtui.cli.arriving import Arriving
    from orchtui.engine import Engine

_UTF8 = ("utf-8", "utf8")


def console(arguments: argparse.Namespace, settings: Settings, argv: Sequence[str]) -> int:
    """Open the console; where that cannot be, print the status and why (exit 0 if a status could be printed)."""
    reason = unfit(os.environ)
    if reason:
        return _status_instead(reason, settings)
    if not _utf8():
        _again_in_utf8(argv)
    for path in arguments.files:
        _readable(path)
    return asyncio.run(_console(settings, tuple(arguments.files)))


def unfit(environ: Mapping[str, str]) -> str:
    """Why the console cannot be opened here; "" if it can. Textual reads stdin, draws on stderr and checks neither."""
    for name, stream in (("stdin", sys.stdin), ("stdout", sys.stdout), ("stderr", sys.stderr)):
        if stream is None or not stream.isatty():
            return f"{name} is not a terminal"
    term = environ.get("TERM", "")
    if term in ("", "dumb"):
        return f"the terminal type is {safe(term) or 'not set'} (TERM)"
    return ""


def _status_instead(reason: str, settings: Settings) -> int:
    from orchtui.cli.status import UNREACHABLE, status

    print(f"The console needs a terminal, and {reason}: this is the status instead.", file=sys.stderr)
    code = status(argparse.Namespace(json=False), settings)
    return code if code == UNREACHABLE else 0


def _utf8() -> bool:
    return (getattr(sys.__stderr__, "encoding", None) or "").lower() in _UTF8


def _again_in_utf8(argv: Sequence[str]) -> None:
    """Start again with UTF-8 output: Python took another encoding from the locale, terminals hardly ever mean it.

    Returns only where that was tried already.
    """
    if os.environ.get("PYTHONUTF8") == "1":
        return
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONIOENCODING"}
    os.execve(sys.executable, [sys.executable, "-P", "-m", "orchtui", *argv], {**environ, "PYTHONUTF8": "1"})


def _readable(path: str) -> None:
    """Refuse a file that is not there before the terminal is taken over."""
    from orchtui.errors import UsageError

    if not os.path.isfile(path):
        raise UsageError(f"There is no stack file {safe(path)}.", hint="`orchtui --help` lists the commands.")


async def _console(settings: Settings, files: tuple[str, ...]) -> int:
    from orchtui.cli import attach
    from orchtui.docker.endpoint import resolve

    endpoint = resolve(os.environ, host=settings.host, context=settings.context)
    in_process = not settings.look and (settings.in_process or endpoint.socket_path is None)
    starting = None if settings.look or in_process else attach.begin_attach(settings)

    gc.disable()  # what imports make is there to stay: collecting meanwhile costs a tenth of the start
    engine: Engine
    arriving: Arriving | None = None
    if starting is None:
        engine = await attach.open_engine(replace(settings, in_process=in_process), change=not settings.look)
    elif starting.started:
        from orchtui.cli.arriving import Arriving

        engine = arriving = Arriving(starting.engine(), endpoint)
    else:
        engine = await starting.engine()
    from orchtui.tui.app import OrchtuiApp  # while it loads, the engine starts

    gc.freeze()
    gc.enable()
    app = OrchtuiApp(
        engine,
        title_host=title(endpoint.url, endpoint.context),
        look=settings.look,
        theme=settings.theme,
        stack_files=files,
    )
    try:
        if arriving is not None:
            arriving.when_failed(app.exit)
        await app.run_async()
        if arriving is not None and arriving.failure is not None:
            raise arriving.failure
    finally:
        await engine.aclose()
    return app.return_code or 0


def title(url: str, context: str) -> str:
    """Host and context as the header shows them until Docker has told its own name."""
    return safe(url if context in ("", "default") else f"{url} ({context})")
