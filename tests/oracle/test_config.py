"""Our canonical form against the recorded answers of Docker Compose 2.40.3 (`docker compose config --format json`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchtui.compose import load
from orchtui.errors import StackFileError
from tests.oracle.corpus import ENVIRON, Case, cases

ANSWERS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "compose-2.40.3.json").read_text(encoding="utf-8")
)
CASES = list(cases())

# What Compose accepts and we refuse, and why. There is nothing that we accept and Compose refuses.
STRICTER = {
    "service | command: a | b": "Compose silently cuts the command off at the pipe",
    "service | ports: [{target: 80, mode: foo}]": "no such mode; Compose leaves it to the daemon to complain",
    "service | ports: [{target: 70000}]": "no such port; Compose leaves it to the daemon to complain",
    "service | volumes: ['./x:/x:ro,foo']": "Compose silently ignores an option that does not exist",
    "service | volumes: ['./x:x']": "Docker refuses a relative path in the container when it creates it",
    "service | volumes: [nope]": "Docker refuses a relative path in the container when it creates it",
    "service | volumes: ['a:b:c:d']": "Compose guesses that `a:b` is a path of the host",
}


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_like_compose(case: Case, tmp_path: Path) -> None:
    answer = ANSWERS[case.name]
    ours = _ours(case, tmp_path)
    if case.name in STRICTER:
        assert "config" in answer
        assert ours is None, "accepted now: remove it from STRICTER"
    else:
        assert ours == answer.get("config"), answer.get("error", "")


def test_every_exception_is_a_case() -> None:
    assert set(STRICTER) <= set(ANSWERS)
    assert [case.name for case in CASES] == list(ANSWERS), "run tests.oracle.record again"


def _ours(case: Case, folder: Path) -> Any:
    paths = []
    for number, text in enumerate(case.documents):
        path = folder / f"{number}.yaml"
        path.write_text(text, encoding="utf-8", newline="")
        paths.append(path)
    for name, text in case.files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    try:
        document = load(paths, project="p", environ=ENVIRON)
    except StackFileError:
        return None
    return _without_inner_extensions(json.loads(document.json().replace(str(folder), "@")))


def _without_inner_extensions(value: Any, *, top: bool = True) -> Any:
    """Compose prints `x-` keys only at the top level; we keep all of them, since ours carry settings."""
    if isinstance(value, dict):
        return {k: _without_inner_extensions(v, top=False) for k, v in value.items() if top or not k.startswith("x-")}
    if isinstance(value, list):
        return [_without_inner_extensions(child, top=False) for child in value]
    return value
