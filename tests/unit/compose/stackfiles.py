"""Small stack files for the tests of orchtui.compose."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchtui.compose import Document, check, load

ENVIRON = {"HOME": "/home/me"}


def service(body: str) -> str:
    """A stack with one service `web` that has `body` (whole lines, not indented)."""
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    return f"name: shop\nservices:\n  web:\n    image: i\n{lines}"


def loaded(folder: Path, *texts: str, environ: Mapping[str, str] = ENVIRON, **options: Any) -> Document:
    return load(written(folder, *texts), environ=environ, **options)


def problems(folder: Path, *texts: str, environ: Mapping[str, str] = ENVIRON, **options: Any) -> list[str]:
    """The problems as text, the folder left out of the file names."""
    found = check(written(folder, *texts), environ=environ, **options)
    return [str(problem).replace(f"{folder}/", "") for problem in found]


def written(folder: Path, *texts: str) -> list[Path]:
    paths = []
    for number, text in enumerate(texts):
        path = folder / ("compose.yaml" if not number else f"override{number}.yaml")
        path.write_text(text, encoding="utf-8", newline="")
        paths.append(path)
    return paths
