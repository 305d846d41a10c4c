"""`orchtui …` in this process: argv in, exit code and text out, on an engine in memory."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass, field, replace

import pytest

from orchtui.cli import session
from orchtui.cli.main import main
from orchtui.commands import Actor, Command, Receipt, sentence
from orchtui.config import Settings
from orchtui.engine import Engine
from orchtui.errors import OrchtuiError
from orchtui.model.snapshot import Snapshot
from tests.support import worlds
from tests.support.memory import MemoryEngine


class Stream(io.StringIO):
    """A stream that may claim to be a terminal."""

    def __init__(self, text: str = "", *, terminal: bool = False) -> None:
        super().__init__(text)
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"


class ScriptedEngine(MemoryEngine):
    """After a command it publishes `then`, one snapshot after the other, and acknowledges with `serial`."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__(snapshot)
        self.then: list[Snapshot] = []
        self.serial = 0

    async def execute(self, command: Command, actor: Actor) -> Receipt:
        await super().execute(command, actor)
        stack = getattr(command, "stack", "shop")
        for each in self.then:
            self.show(each)
        return Receipt(message=f"{sentence(command)}: accepted", stack=stack, serial=self.serial)


@dataclass
class Result:
    code: int
    out: str
    err: str


@dataclass
class Cli:
    """Runs `main`. `engine` is what every command gets; `failure` is raised instead of giving one."""

    monkeypatch: pytest.MonkeyPatch
    engine: ScriptedEngine
    failure: OrchtuiError | None = None
    asked: list[tuple[Settings, bool]] = field(default_factory=list)

    def __call__(self, *argv: str, stdin: str = "", terminal: bool = False, columns: int = 80) -> Result:
        out, err = Stream(terminal=terminal), Stream(terminal=terminal)
        self.monkeypatch.setenv("COLUMNS", str(columns))
        self.monkeypatch.setattr(sys, "stdin", Stream(stdin, terminal=terminal))
        self.monkeypatch.setattr(sys, "stdout", out)
        self.monkeypatch.setattr(sys, "stderr", err)
        return Result(main(list(argv)), out.getvalue(), err.getvalue())

    async def find(self, settings: Settings, *, change: bool) -> Engine:
        self.asked.append((settings, change))
        if self.failure is not None:
            raise self.failure
        return self.engine


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> Cli:
    for name in ("NO_COLOR", "ORCHTUI_STATE_DIR", "ORCHTUI_IDLE_EXIT", "DOCKER_HOST", "DOCKER_CONTEXT", "SUDO_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    cli = Cli(monkeypatch, ScriptedEngine(worlds.shop()))
    monkeypatch.setattr(session, "find_engine", cli.find)
    return cli


def shop_at(snapshot: Snapshot, *, serial: int = 0, settled: int = 0, **fields: object) -> Snapshot:
    """The next snapshot of the shop, with its stack's counters (and more) set."""
    stack = replace(snapshot.stacks["shop"], serial=serial, settled=settled, **fields)  # type: ignore[arg-type]
    return replace(snapshot, seq=snapshot.seq + 1, stacks={**snapshot.stacks, "shop": stack})
