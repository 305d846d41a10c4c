"""Why a container is not running, in words a person on call can use."""

from __future__ import annotations

from orchtui.core.text import count, size
from orchtui.model.observed import Container

# Linux numbers; what a shell reports as 128 + n.
SIGNALS = {
    1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
    9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM",
    24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS",
}  # fmt: skip
_SIGNAL_WORDS = {
    2: "interrupted (SIGINT)",
    4: "illegal instruction (SIGILL); is the image built for this processor?",
    6: "aborted itself (SIGABRT)",
    7: "bus error (SIGBUS)",
    8: "arithmetic error (SIGFPE)",
    9: "killed by SIGKILL",
    11: "crashed with a segmentation fault (SIGSEGV)",
    13: "wrote to a closed pipe (SIGPIPE)",
    15: "ended by SIGTERM",
}
# Docker's own codes: `docker run --help`, "Exit Status"; 255 is what a crashed shim or daemon leaves behind.
_CODE_WORDS = {
    0: "finished",
    1: "failed",
    2: "failed (wrong usage, for most programs)",
    125: "Docker could not run the container",
    126: "the command cannot be executed (permission, or not a program)",
    127: "the command was not found",
    128: "the command could not be started",
    255: "failed, or its end was lost in a crash of Docker",
}


def exit_words(code: int, *, oom: bool = False, forced: bool = False) -> str:
    """`exit 137: killed by SIGKILL (out of memory)`. `forced`: known to be killed after its stop timeout."""
    if code in _CODE_WORDS:
        words = _CODE_WORDS[code]
    elif 128 < code < 128 + 65:
        number = code - 128
        words = _SIGNAL_WORDS.get(number) or f"killed by {SIGNALS.get(number, f'signal {number}')}"
    else:
        words = "failed"
    if oom:
        words += " (out of memory)" if code == 137 else "; a process in it ran out of memory"
    elif forced and code == 137:
        words += " (did not stop within its grace period)"
    return f"exit {code}: {words}"


def explain(container: Container, *, forced: bool = False) -> str:
    """The state of a container that is not simply running, in one line; "" for one that is."""
    error = _first_line(container.error)
    match container.state:
        case "created":
            return f"could not start: {error}" if error else "created, never started"
        case "removing":
            return "is being removed"
        case "paused":
            return "paused"
        case "dead":
            return "dead: Docker could not remove it completely" + (f": {error}" if error else "")
        case "running":
            if container.oom_killed:
                return f"a process in it ran out of memory{_limit(container)}"
            return f"unhealthy, {probes(container)}" if container.health == "unhealthy" else ""
        case "restarting" | "exited":
            return _ended(container, error, forced)


def probes(container: Container) -> str:
    """How its health probes go wrong; the number is only known once the container was inspected."""
    if container.failing_streak > 0:
        return f"{count(container.failing_streak, 'probe')} failed in a row"
    return "its probes fail"


def _ended(container: Container, error: str, forced: bool) -> str:
    if error:
        words = f"could not start: {error}"
    elif container.exit_code is None:
        words = "has ended"
    else:
        words = exit_words(container.exit_code, oom=container.oom_killed, forced=forced)
        if container.oom_killed and container.exit_code == 137:
            words = words.removesuffix(")") + _limit(container) + ")"
    if container.state == "restarting":
        times = f" after {count(container.restart_count, 'restart')}" if container.restart_count else ""
        words += f"; Docker is restarting it{times}"
    return words


def _limit(container: Container) -> str:
    return f", limit {size(container.memory_limit)}" if container.memory_limit else ""


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0] if lines else ""
