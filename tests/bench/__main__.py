"""`make bench`: measures on the real Docker Engine, one JSON line each, beside their physical floor in the same run.

Timings on a shared machine are noisy: each wall time is the median of several runs, and the ratio to the floor measured
moments before is what to compare. Nothing here ever fails a test run.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.images import demo_image
from tests.support.terminal import terminal

RUNS = int(os.environ.get("ORCHTUI_BENCH_RUNS", "7"))
CONTAINERS = int(os.environ.get("ORCHTUI_BENCH_CONTAINERS", "50"))
ORCHTUI = [str(Path(sys.executable).with_name("orchtui"))]
TICKS = os.sysconf("SC_CLK_TCK")


def report(measure: str, value: float, unit: str, **more: object) -> None:
    print(json.dumps({"measure": measure, "value": round(value, 4), "unit": unit, **more}), flush=True)


def median(run: Callable[[], float], runs: int = RUNS) -> float:
    return statistics.median(run() for _ in range(runs))


def timed(argv: list[str], env: dict[str, str]) -> float:
    begin = time.monotonic()
    subprocess.run(argv, env=env, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - begin


def docker(*argv: str) -> str:
    return subprocess.run(["docker", *argv], check=True, capture_output=True, text=True).stdout.strip()


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def pss_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def sleepers(image: str, prefix: str, count: int) -> Iterator[list[str]]:
    """`count` running containers that do nothing, removed afterwards."""
    names = [f"{prefix}-{number:03d}" for number in range(count)]
    try:
        for name in names:
            docker("run", "-d", "--init", "--network", "none", "--name", name, image, "sleep", "100000")
        yield names
    finally:
        subprocess.run(["docker", "rm", "-f", *names], check=False, capture_output=True)


@contextmanager
def state(prefix: str) -> Iterator[dict[str, str]]:
    """An environment with a state folder of its own; its engine is stopped afterwards."""
    with tempfile.TemporaryDirectory(prefix=prefix) as folder:
        env = {**os.environ, "ORCHTUI_STATE_DIR": folder, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        try:
            yield env
        finally:
            subprocess.run([*ORCHTUI, "engine", "stop"], env=env, check=False, capture_output=True)


def engine_pid(env: dict[str, str]) -> int:
    answer = subprocess.run(
        [*ORCHTUI, "engine", "status", "--json"], env=env, capture_output=True, text=True, check=True
    )
    return int(json.loads(answer.stdout)["pid"])


def start_up(prefix: str, first: str) -> None:
    """Time to the first frame (all panes drawn) and the first row, cold and attached."""
    report("floor.python", median(lambda: timed([sys.executable, "-c", "pass"], dict(os.environ))), "s")
    report(
        "floor.import_textual",
        median(lambda: timed([sys.executable, "-c", "import textual.app"], dict(os.environ))),
        "s",
    )
    report("floor.docker_ps", median(lambda: timed(["docker", "ps", "-a"], dict(os.environ))), "s")

    def cold() -> tuple[float, float]:
        with state(prefix) as env, terminal(ORCHTUI, env) as screen:
            return screen.wait_for("Containers"), screen.wait_for(first)

    pairs = [cold() for _ in range(RUNS)]
    report("cold.first_frame", statistics.median(pair[0] for pair in pairs), "s", containers=CONTAINERS)
    report("cold.first_row", statistics.median(pair[1] for pair in pairs), "s", containers=CONTAINERS)
    with state(prefix) as env:
        subprocess.run([*ORCHTUI, "engine", "start"], env=env, check=True, capture_output=True)

        def attached() -> tuple[float, float]:
            with terminal(ORCHTUI, env) as screen:
                return screen.wait_for("Containers"), screen.wait_for(first)

        pairs = [attached() for _ in range(RUNS)]
        report("attached.first_frame", statistics.median(pair[0] for pair in pairs), "s", containers=CONTAINERS)
        report("attached.first_row", statistics.median(pair[1] for pair in pairs), "s", containers=CONTAINERS)
        report("status", median(lambda: timed([*ORCHTUI, "status"], env)), "s", containers=CONTAINERS)


def idle(prefix: str, first: str, seconds: float = 20.0) -> None:
    """CPU of console and engine, memory and terminal bytes while nothing happens but time.

    Begins when every container is older than a minute: until then each row's age changes every second.
    """
    with state(prefix) as env, terminal(ORCHTUI, env) as screen:
        screen.wait_for(first)
        screen.drain(62.0)
        engine = engine_pid(env)
        before = cpu_seconds(screen.pid), cpu_seconds(engine)
        written = screen.drain(seconds)
        after = cpu_seconds(screen.pid), cpu_seconds(engine)
        for name, pid, old, new in zip(("console", "engine"), (screen.pid, engine), before, after, strict=True):
            report(f"idle.cpu.{name}", (new - old) / seconds * 100, "% of a core", containers=CONTAINERS)
            report(f"idle.memory.{name}", pss_mib(pid), "MiB PSS", containers=CONTAINERS)
        report("idle.terminal", written / seconds, "bytes/s", containers=CONTAINERS)


STACK = """\
services:
  web:
    image: {image}
    command: ["sleep", "100000"]
    init: true
    restart: always
"""


def healing(prefix: str, image: str) -> None:
    """From `docker kill` to its replacement running, beside the floor: create and start of one container."""

    def floor() -> float:
        begin = time.monotonic()
        docker("run", "-d", "--init", "--name", f"{prefix}-floor", image, "sleep", "100000")
        taken = time.monotonic() - begin
        docker("rm", "-f", f"{prefix}-floor")
        return taken

    report("floor.docker_run", median(floor), "s")
    with state(prefix) as env, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "compose.yaml"
        file.write_text(STACK.format(image=image))
        project = f"{prefix}heal"
        label = f"label=com.docker.compose.project={project}"
        subprocess.run(
            [*ORCHTUI, "up", str(file), "-p", project, "--wait", "-y"], env=env, check=True, capture_output=True
        )
        try:

            def once() -> float:
                (running,) = docker("ps", "-q", "--filter", label).split()
                begin = time.monotonic()
                docker("kill", running)
                while True:
                    ids = docker("ps", "-q", "--filter", label).split()
                    if ids and ids != [running]:
                        return time.monotonic() - begin
                    if time.monotonic() - begin > 30:
                        raise TimeoutError("the killed container was not replaced in 30 s")

            times = []
            for _ in range(RUNS):
                times.append(once())
                time.sleep(3)  # let the replacement become ready and the old one go
            report("healing.kill_to_running", statistics.median(times), "s", worst=round(max(times), 3))
        finally:
            subprocess.run([*ORCHTUI, "down", project, "-y", "--wait"], env=env, check=False, capture_output=True)


def main() -> int:
    image = demo_image()
    prefix = f"orchtui-bench-{uuid.uuid4().hex[:6]}"
    with sleepers(image, prefix, CONTAINERS) as names:
        start_up(prefix, names[0])
        idle(prefix, names[0])
    healing(prefix.replace("-", ""), image)
    return 0


if __name__ == "__main__":
    sys.exit(main())
