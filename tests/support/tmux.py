"""The real console in a real tmux: keys go in, the screen comes back as text."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping

from tests.support.until import until_sync


class Tmux:
    """One tmux server of its own (socket name `name`) with one session; nothing else on the machine is touched."""

    def __init__(self, name: str, env: Mapping[str, str], columns: int = 160, rows: int = 50) -> None:
        self._name = name
        self._env = dict(env)
        self._size = (str(columns), str(rows))

    def _run(self, *argv: str, check: bool = True) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._name, "-f", os.devnull, *argv],
            env=self._env, check=check, capture_output=True, text=True, timeout=20,
        )  # fmt: skip
        return done.stdout

    def start(self, *argv: str) -> None:
        columns, rows = self._size
        exports = [f"{key}={value}" for key, value in self._env.items() if key.startswith(("ORCHTUI_", "DOCKER_"))]
        command = shlex.join(["env", *exports, *argv])
        self._run("new-session", "-d", "-x", columns, "-y", rows, command + "; echo exit=$?; exec cat")

    def keys(self, *names: str) -> None:
        """Send keys by tmux's names (`Enter`, `Escape`, `C-d`) or literally."""
        for name in names:
            self._run("send-keys", name)

    def type(self, text: str) -> None:
        self._run("send-keys", "-l", text)

    def resize(self, columns: int, rows: int) -> None:
        self._run("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self) -> str:
        return self._run("capture-pane", "-p")

    def see(self, *texts: str, timeout: float = 20.0) -> str:
        """Wait until all `texts` stand on the screen; the screen."""

        def all_there() -> str:
            screen = self.screen()
            for text in texts:
                assert text in screen, f"{text!r} is not on the screen:\n{screen}"
            return screen

        return until_sync(all_there, timeout=timeout, what=f"{texts} on the screen")

    def kill(self) -> None:
        """Close the terminal under the program, as a lost connection does."""
        self._run("kill-server", check=False)


@contextlib.contextmanager
def tmux(name: str, env: Mapping[str, str], columns: int = 160, rows: int = 50) -> Iterator[Tmux]:
    opened = Tmux(name, env, columns, rows)
    try:
        yield opened
    finally:
        opened.kill()
