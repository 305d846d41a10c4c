"""The grammar: usage errors, help, fast start."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

import pytest

from orchtui import __version__
from orchtui.cli.options import build, command_names
from orchtui.cli.values import revision, seconds, service_count, since, tail
from tests.unit.cli.conftest import Cli


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("statsu",), "There is no command `statsu`. Did you mean `orchtui status`?"),
        (("demo",), "`orchtui demo` is not in this version; it comes in a later one."),
        (("nodes", "--json"), "`orchtui nodes` is not in this version"),
        (("ps", "--jsno"), "Unrecognized arguments: --jsno."),
        (("down",), "The following arguments are required: STACK."),
        (("scale", "web"), "`web` is not SERVICE=N"),
        (("rollback", "shop", "--to", "yesterday"), "`yesterday` is no revision"),
        (("--look", "--in-process", "ls"), "--look runs no engine"),
        (("logs", "web", "--since", "soon"), "`soon` is no time"),
    ],
)
def test_wrong_usage_is_a_sentence_and_64(cli: Cli, argv: tuple[str, ...], message: str) -> None:
    result = cli(*argv)
    assert result.code == 64
    assert message in " ".join(result.err.split())
    assert result.out == ""
    assert "Traceback" not in result.err


def test_a_wrong_idle_time_in_the_environment_is_a_sentence(cli: Cli) -> None:
    cli.monkeypatch.setenv("ORCHTUI_IDLE_EXIT", "soon")
    result = cli("ls")
    assert result.code == 64
    assert "ORCHTUI_IDLE_EXIT must be a number" in result.err


def test_common_options_stand_before_or_after_the_command(cli: Cli) -> None:
    cli("-H", "unix:///a.sock", "--look", "ls")
    cli("ls", "-H", "unix:///a.sock", "--look")
    (first, _), (second, _) = cli.asked
    assert first == second
    assert (first.host, first.look, first.in_process) == ("unix:///a.sock", True, False)


def test_version(cli: Cli) -> None:
    result = cli("--version")
    assert (result.code, result.out) == (0, f"orchtui {__version__}\n")


def test_every_command_has_help_with_examples(cli: Cli) -> None:
    overview = cli("--help").out
    for name in command_names(build()):
        result = cli(name, "--help")
        assert result.code == 0
        assert f"usage: orchtui {name}" in result.out
        assert f"orchtui {name}" in result.out.split("examples:")[1]
        assert f"    {name}" in overview


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; from orchtui.cli.main import main; code = main(['--help']); "
        "heavy = {'asyncio', 'aiohttp', 'aiodocker', 'textual', 'yaml', 'sqlite3', 'msgspec', 'docker'}; "
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    environ = {**os.environ, "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True, env=environ
    )
    assert done.stderr == "[]\n"
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90.0), ("90s", 90.0), ("1h30m", 5400.0), ("2d", 172800.0), ("250ms", 0.25)]
)
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "5x", "1h 30m", "-3"])
def test_wrong_durations(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        seconds(text)


def test_times_counts_and_revisions() -> None:
    assert since("2026-01-31T12:00:00+00:00") == 1769860800.0
    assert since("1769860800") == 1769860800.0
    assert tail("all") is None
    assert tail("5") == 5
    assert service_count("shop/web=3") == ("shop/web", 3)
    assert revision("12") == "12"
    with pytest.raises(argparse.ArgumentTypeError):
        revision("0")
