"""Ask a real Docker Compose about every case of the corpus and write its answers to tests/oracle/data.

    python -m tests.oracle.record PATH/TO/docker-compose

research/docker-for-tests.md says where the binary comes from; no daemon is needed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.oracle.corpus import ENVIRON, Case, cases

DATA = Path(__file__).parent / "data"


def ask(compose: str, case: Case) -> dict[str, Any]:
    """What Compose makes of one case: its canonical JSON, with the folder as `@`, or its error."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [compose, "-p", "p"]
        for number, text in enumerate(case.documents):
            path = folder / f"{number}.yaml"
            path.write_text(text, newline="")
            command += ["-f", str(path)]
        for file, text in case.files.items():
            (folder / file).write_text(text, newline="")
        run = subprocess.run(
            [*command, "config", "--format", "json"],
            capture_output=True,
            text=True,
            cwd=folder,
            env=ENVIRON,
            check=False,
        )
    if run.returncode:
        return {"error": run.stderr.replace(name, "@").strip()}
    return {"config": json.loads(run.stdout.replace(name, "@"))}


def main(compose: str) -> None:
    version = subprocess.run([compose, "version", "--short"], capture_output=True, text=True, check=True).stdout.strip()
    answers = {case.name: ask(compose, case) for case in cases()}
    DATA.mkdir(exist_ok=True)
    release = version.partition("-")[0].removeprefix("v")
    path = DATA / f"compose-{release}.json"
    lines = (f"{json.dumps(name)}: {json.dumps(answer, sort_keys=True)}" for name, answer in answers.items())
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{path}: {len(answers)} answers of Compose {version}")


if __name__ == "__main__":
    main(sys.argv[1])
