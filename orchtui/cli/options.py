"""The grammar of the command line: every command, its options and its help. Imports nothing but argparse."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

from orchtui import __version__
from orchtui.cli.values import revision, seconds, service_count, since, tail
from orchtui.errors import UsageError

if TYPE_CHECKING:
    from orchtui.config import Settings

DEFAULT_TIMEOUT = 600.0  # seconds; the progress deadline of a rollout

# Words of the finished command line that this version does not have: said in one sentence instead of "unknown command".
LATER = frozenset(
    {"abort", "adopt", "demo", "events", "explain", "nodes", "pause", "release", "resume", "serve", "top", "unpause"}
)

_DESCRIPTION = """\
The on-call console for Docker: see what is wrong, change it safely, undo it.

Without a command it opens the console; without a terminal it prints the status.
A first argument with a / or ending in .yml or .yaml is a stack file: the
console opens with its plan and applies nothing."""

_EPILOG = """\
look:    status  ls  ps  logs  inspect  history  diff  config  plan
change:  up  down  scale  restart  rollback  start  stop  kill  rm  exec
engine:  engine run | start | stop | status

examples:
  orchtui                            the console on the local Docker Engine
  orchtui stacks/hello.yaml          the console, with the plan of a stack file
  orchtui status                     what is wrong, worst first
  orchtui up hello.yaml --wait       deploy a Compose file and wait for it
  orchtui scale hello/web=5          five containers of one service
  orchtui rollback hello --to previous   undo the last change
  orchtui COMMAND --help             the options and examples of one command

A service is stack/service, or just service where that is unique. A container
is its name or the beginning of its ID. stack:X, service:X and container:X say
which is meant where a name could be several things.

exit codes:
  0  done, healthy, or nothing to do       64   wrong usage
  1  failed, refused or degraded           69   Docker or the engine is away
  2  `plan`: changes; `status`: no Docker  130  interrupted by Ctrl-C"""


def settings(arguments: argparse.Namespace, environ: Mapping[str, str]) -> Settings:
    """What every command shares: which Docker, and how to get to its engine. Raises UsageError."""
    from orchtui.config import Settings

    if getattr(arguments, "look", False) and getattr(arguments, "in_process", False):
        raise UsageError("--look runs no engine, and --in-process runs one here.", hint="Give one of them.")
    try:
        return Settings.read(
            environ,
            host=getattr(arguments, "host", None),
            context=getattr(arguments, "context", None),
            state_dir=getattr(arguments, "state_dir", None),
            theme=getattr(arguments, "theme", None),
            in_process=getattr(arguments, "in_process", False),
            look=getattr(arguments, "look", False),
        )
    except ValueError as error:
        raise UsageError(str(error)) from error


class Parser(argparse.ArgumentParser):
    """argparse, with one sentence and a way on instead of a usage dump (exit 64)."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message[:1].upper() + message[1:] + ".", hint=f"`{self.prog} --help` shows how it is used.")


def build() -> Parser:
    """The whole grammar. The common options are taken before and after the command."""
    parser = Parser(
        prog="orchtui",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="orchtui [COMMAND | STACKFILE…] [options]",
        parents=[_common()],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"orchtui {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", prog="orchtui")
    _look_commands(commands)
    _stack_commands(commands)
    _change_commands(commands)
    _engine_commands(commands)
    console = _command(commands, "console", None, "orchtui hello.yaml")
    console.add_argument("files", nargs="*", metavar="STACKFILE")
    return parser


def command_names(parser: Parser) -> tuple[str, ...]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return tuple(name for name in action.choices if name != "console")
    return ()


def is_stack_file(argument: str) -> bool:
    return "/" in argument or argument.endswith((".yml", ".yaml"))


def _common() -> Parser:
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group("which Docker")
    group.add_argument("-H", "--host", metavar="URL", help="Docker endpoint (unix:///…, tcp://…), as docker -H")
    group.add_argument("-c", "--context", metavar="NAME", help="docker context, as docker -c")
    group.add_argument("--state-dir", metavar="DIR", help="where the engine keeps its state (ORCHTUI_STATE_DIR)")
    group.add_argument("--look", action="store_true", help="only look: start no engine, change nothing")
    group.add_argument("--in-process", action="store_true", help="run the engine inside this process")
    group.add_argument("--theme", metavar="NAME", help=argparse.SUPPRESS)
    return common


_Commands = argparse._SubParsersAction  # argparse has no public name for what add_subparsers returns


def _command(commands: _Commands[Parser], name: str, summary: str | None, *examples: str, about: str = "") -> Parser:
    """One subcommand. Without a summary it works but is not listed."""
    epilog = "\n  ".join(("examples:", *examples))
    text = about or (summary[:1].upper() + summary[1:] + "." if summary else "")
    listed = argparse.SUPPRESS if summary is None else summary
    return commands.add_parser(
        name,
        help=listed,
        description=text,
        epilog=epilog,
        parents=[_common()],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _look_commands(commands: _Commands[Parser]) -> None:
    status = _command(
        commands,
        "status",
        "problems first, then the host and its stacks",
        "orchtui status",
        "orchtui status --json | jq '.problems[].title'",
        about="Problems first, then the host and its stacks.\n"
        "Exit 0 when all is well, 1 when something is degraded, 2 when Docker cannot be reached.",
    )
    _json(status)
    _json(_command(commands, "ls", "list the stacks", "orchtui ls", "orchtui ls --json"))
    ps = _command(
        commands, "ps", "list containers, all or of some stacks and services", "orchtui ps", "orchtui ps hello/web"
    )
    ps.add_argument("targets", nargs="*", metavar="TARGET", help="stack, service or container; none means all")
    _json(ps)
    logs = _command(
        commands,
        "logs",
        "print or follow logs",
        "orchtui logs hello/web -f --tail 20",
        "orchtui logs hello --since 10m --grep 'error|timeout'",
    )
    logs.add_argument("targets", nargs="+", metavar="TARGET", help="stack, service or container")
    logs.add_argument("-f", "--follow", action="store_true", help="keep printing new lines until Ctrl-C")
    logs.add_argument("--since", type=since, metavar="WHEN", help="10m, 2h30m, 1d, or a time such as 2026-01-31T12:00")
    logs.add_argument("--tail", "-n", type=tail, default=None, metavar="N", help="only the last N lines (default: all)")
    logs.add_argument("--grep", metavar="RE", help="only lines that this regular expression matches")
    logs.add_argument("-t", "--timestamps", action="store_true", help="put the time before every line")
    _json(logs, "one JSON object a line")
    inspect = _command(
        commands,
        "inspect",
        "everything about one stack, service or container, secrets masked",
        "orchtui inspect hello/web",
        "orchtui inspect hello-web-1 --json",
    )
    inspect.add_argument("target", metavar="NAME")
    _json(inspect, "Docker's own document where there is one, secrets masked")


def _stack_commands(commands: _Commands[Parser]) -> None:
    config = _command(
        commands,
        "config",
        "print a stack file in canonical Compose form, or all its problems",
        "orchtui config hello.yaml",
        "orchtui config --check hello.yaml override.yaml",
    )
    _files(config)
    _json(config)
    config.add_argument("--check", action="store_true", help="print every problem and nothing else")
    config.add_argument("--no-interpolate", action="store_true", help="leave ${VARIABLES} as they are")
    config.add_argument("--no-path-resolution", action="store_true", help="leave relative paths as they are")
    plan = _command(
        commands,
        "plan",
        "what `up` would do, and why",
        "orchtui plan hello.yaml",
        about="What `up` would do, and why. Changes nothing.\n"
        "Exit 0 when there is nothing to do, 2 when there are changes, 1 when it would be refused.",
    )
    _files(plan)
    _json(plan)
    up = _command(
        commands,
        "up",
        "make a stack be what its file says",
        "orchtui up hello.yaml",
        "orchtui up compose.yaml compose.prod.yaml --wait -y",
        about="Make a stack be what its file says: create, update without a gap, remove what is gone from it.\n"
        "Returns when the change is durable; with --wait, when every container is ready.",
    )
    _files(up)
    _changing(up)
    _waiting(up)
    down = _command(
        commands,
        "down",
        "remove a stack's containers and networks; volumes only on request",
        "orchtui down hello",
        "orchtui down hello --volumes --confirm hello",
    )
    down.add_argument("stack", metavar="STACK")
    down.add_argument("--volumes", action="store_true", help="remove its named volumes too: their data is lost")
    _changing(down)
    _waiting(down)


def _change_commands(commands: _Commands[Parser]) -> None:
    scale = _command(
        commands,
        "scale",
        "set how many containers a service has",
        "orchtui scale hello/web=5 --wait",
        "orchtui scale web=3 worker=2",
    )
    scale.add_argument("counts", nargs="+", type=service_count, metavar="SERVICE=N")
    _changing(scale)
    _waiting(scale)
    restart = _command(
        commands,
        "restart",
        "restart stacks, services or containers; a managed service rolls",
        "orchtui restart hello/web --wait",
    )
    restart.add_argument("targets", nargs="+", metavar="TARGET")
    _changing(restart)
    _waiting(restart)
    for verb, summary in (
        ("start", "start what was stopped"),
        ("stop", "stop stacks, services or containers and keep them stopped"),
        ("kill", "kill containers without grace"),
        ("rm", "remove containers; asks for the name"),
    ):
        act = _command(commands, verb, summary, f"orchtui {verb} hello/web", f"orchtui {verb} container:redis")
        act.add_argument("targets", nargs="+", metavar="TARGET", help="stack, service or container")
        if verb == "kill":
            act.add_argument("-s", "--signal", metavar="SIGNAL", help="instead of KILL")
        if verb == "rm":
            act.add_argument("-f", "--force", action="store_true", help="also when it is running")
        _changing(act)
    history = _command(commands, "history", "the revisions of a stack, newest first", "orchtui history hello")
    history.add_argument("stack", metavar="STACK")
    _json(history)
    diff = _command(commands, "diff", "what changed between two revisions", "orchtui diff hello 1 2")
    diff.add_argument("stack", metavar="STACK")
    diff.add_argument("old", type=int, metavar="A")
    diff.add_argument("new", type=int, metavar="B")
    _json(diff)
    rollback = _command(
        commands,
        "rollback",
        "go back to an earlier revision of a stack or of one service",
        "orchtui rollback hello",
        "orchtui rollback hello/web --to 3 --wait",
    )
    rollback.add_argument("target", metavar="STACK|SERVICE")
    rollback.add_argument(
        "--to", type=revision, default="previous", metavar="N", help="a revision's number, previous (default) or stable"
    )
    rollback.add_argument("--replicas", action="store_true", help="take the replica counts of that revision as well")
    _changing(rollback)
    _waiting(rollback)
    execute = _command(
        commands,
        "exec",
        "run a command in a container",
        "orchtui exec hello-web-1 sh",
        "orchtui exec hello-web-1 cat /etc/hosts",
        about="Run a command in a container, on a terminal when there is one. Exits with the command's exit code.\n"
        "Options of orchtui go before the container's name.",
    )
    execute.add_argument("container", metavar="CONTAINER")
    execute.add_argument("argv", nargs=argparse.REMAINDER, metavar="CMD")


def _engine_commands(commands: _Commands[Parser]) -> None:
    engine = _command(
        commands,
        "engine",
        "the background engine: run, start, stop, status",
        "orchtui engine status --json",
        about="The background engine that carries changes out, also after this terminal is gone.\n"
        "It is started when something needs it and ends by itself when it has nothing to keep.",
    )
    verbs = engine.add_subparsers(dest="engine_command", metavar="run|start|stop|status", required=True)
    _command(verbs, "run", "run it in the foreground (systemd, containers)", "orchtui engine run")
    _command(verbs, "start", "start it in the background", "orchtui engine start")
    _command(verbs, "stop", "stop it; containers keep running", "orchtui engine stop")
    _json(_command(verbs, "status", "pid, socket, version, state folder, clients", "orchtui engine status --json"))


def _json(parser: Parser, help_text: str = "print JSON (documented in docs/command-line.md)") -> None:
    parser.add_argument("--json", action="store_true", help=help_text)


def _files(parser: Parser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help="several are one stack, merged; none: compose.yaml …")
    parser.add_argument("-p", "--project-name", metavar="NAME", help="the stack's name, instead of the file's")
    parser.add_argument("--project-directory", metavar="DIR", help="what relative paths start from")
    parser.add_argument("--profile", action="append", default=[], metavar="NAME", help="enable a profile (repeatable)")
    parser.add_argument("--env-file", action="append", default=[], metavar="FILE", help="instead of .env (repeatable)")


def _changing(parser: Parser) -> None:
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask, except before data is lost")
    parser.add_argument(
        "--confirm", action="append", default=[], metavar="NAME", help="the name of what loses data (repeatable)"
    )


def _waiting(parser: Parser) -> None:
    parser.add_argument("--wait", action="store_true", help="wait until it is done; exit 1 if it fails")
    parser.add_argument(
        "--timeout", type=seconds, default=DEFAULT_TIMEOUT, metavar="S", help="how long to wait (default: 10m)"
    )


def unknown_command(word: str, names: Sequence[str]) -> UsageError:
    if word in LATER:
        return UsageError(
            f"`orchtui {word}` is not in this version; it comes in a later one.",
            hint="`orchtui --help` lists what there is.",
        )
    from difflib import get_close_matches

    close = get_close_matches(word, names, n=1, cutoff=0.6)
    hint = f"Did you mean `orchtui {close[0]}`?" if close else "`orchtui --help` lists the commands."
    return UsageError(f"There is no command `{word}`.", hint=hint)
