"""`make shots`: the main views from fixed data, as SVG and PNG, in two sizes and two themes."""

from __future__ import annotations

import asyncio
import html
import itertools
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import cairosvg

from orchtui.model.description import Description, Field, Section
from orchtui.model.history import Revision
from orchtui.model.plan import Change, Plan, Step
from orchtui.tui.app import OrchtuiApp
from tests.support.memory import MemoryEngine
from tests.support.until import until
from tests.support.worlds import DAY, HOUR, MINUTE, NOW, shop
from tests.tui.test_snapshots import app_on, filled, ready

SIZES = ((160, 50), (80, 24))
THEMES = {"dark": "orchtui-dark", "light": "orchtui-light"}


@dataclass(frozen=True)
class View:
    name: str
    keys: tuple[str, ...]
    shows: str


VIEWS = (
    View("main", ("alt+2", *"jjjjj"), "shop/web"),
    View("plan", ("alt+2", *"jjj", "r"), "Restart"),
    View("describe", ("alt+3", *"jjjj", "d"), "Health"),
    View("revisions", ("alt+2", *"jjj", "z", "j"), "revision 6"),
    View("help", ("alt+2", "question_mark"), "filter"),
)


def engine() -> MemoryEngine:
    """The shop of the test worlds, with answers for the views that ask for more."""
    made = filled()
    made.plan_answer = Plan(
        summary="shop: replace 2 containers, one after the other",
        steps=(
            Step(verb="create", subject="shop-api-1.3f9a1c02-1", cause="restart of api"),
            Step(verb="start", subject="shop-api-1.3f9a1c02-1", cause="restart of api"),
            Step(verb="stop", subject="shop-api-1", cause="shop-api-1.3f9a1c02-1 is ready"),
            Step(verb="remove", subject="shop-api-1", cause="shop-api-1.3f9a1c02-1 is ready"),
            Step(verb="rename", subject="shop-api-1.3f9a1c02-1 to shop-api-1", cause="it has taken over"),
        ),
        notes=("api: `unless-stopped` becomes Docker policy always, which survives a crash of dockerd",),
        unchanged=("web", "worker", "db"),
    )
    made.revisions["shop"] = (
        _revision(7, HOUR, "completed", cause="up via command line", current=True, stable=True),
        _revision(6, 26 * HOUR, "completed", cause="rollback of shop to 4", stable=True),
        _revision(5, 27 * HOUR, "failed", cause="up via console"),
        _revision(4, 9 * DAY, "completed", cause="up via command line", stable=True),
    )
    made.changes = (
        Change(subject="api", field="image", old="shop/api:2.0.0-rc.2", new="shop/api:2.0.0-rc.3"),
        Change(subject="api", field="environment.CACHE_TTL", old="60", new="300"),
        Change(subject="web", field="deploy.replicas", old="2", new="3"),
    )
    made.descriptions = {one.id: _described(one.name, one.image) for one in shop().containers.values()}
    return made


def _revision(
    number: int, age: float, outcome: str, *, cause: str, current: bool = False, stable: bool = False
) -> Revision:
    return Revision(
        stack="shop", number=number, created_at=NOW - age, author="dana", cause=cause,
        outcome="failed" if outcome == "failed" else "completed", finished_at=NOW - age + MINUTE, stable=stable,
        current=current, images={"api": "sha256:3c2be6a91f02", "web": "sha256:91b3a02c77de"},
    )  # fmt: skip


def _described(name: str, image: str) -> Description:
    return Description(
        title=name,
        sections=(
            Section(title="State", fields=(
                Field(name="State", value="running since 1h, unhealthy", tone="bad"),
                Field(name="Restarts", value="0, policy always"),
                Field(name="Image", value=image),
            )),
            Section(title="Health", fields=(Field(name="Streak", value="9 failed in a row", tone="bad"),), lines=(
                "4s ago    exit 1 after 2.0s   wget: server returned error: HTTP/1.1 503 Service Unavailable",
                "14s ago   exit 1 after 2.0s   wget: server returned error: HTTP/1.1 503 Service Unavailable",
                "24s ago   exit -1 after 10s   Health check exceeded timeout (10s)",
            )),
            Section(title="Environment", fields=(
                Field(name="DB_HOST", value="db"), Field(name="DB_PASSWORD", value="••••••", tone="muted"),
            )),
            Section(title="Ports", fields=(Field(name="8080/tcp", value="not published"),)),
        ),
        document='{"Id": "…"}',
    )  # fmt: skip


_TEXT = re.compile(r'<text class="([^"]+)" x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"[^>]*>([^<]*)</text>')
_DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))  # column and row of braille bits 0 to 7


def _drawn(match: re.Match[str]) -> str:
    """Braille as circles: the monospaced fonts that are everywhere have no such glyphs."""
    style, x, y, length, text = match[1], float(match[2]), float(match[3]), float(match[4]), match[5]
    if not any(0x2800 <= ord(character) <= 0x28FF for character in text):
        return match[0]
    width = length / len(html.unescape(text))
    dots = [
        f'<circle cx="{x + (index + 0.28 + 0.44 * column) * width:.1f}" cy="{y - 15 + 5.6 * row:.1f}" r="1.9"/>'
        for index, character in enumerate(html.unescape(text))
        for bit, (column, row) in enumerate(_DOTS)
        if 0x2800 <= ord(character) <= 0x28FF and (ord(character) - 0x2800) >> bit & 1
    ]
    return f'<g class="{style}">{"".join(dots)}</g>'


def _png(svg: str) -> bytes:
    """Textual's SVG names a web font that is not here; a proportional stand-in would break every column."""
    svg = _TEXT.sub(_drawn, svg)
    local = re.sub(r'(font-family:\s*)["\']?Fira Code["\']?[^;]*;', r"\1DejaVu Sans Mono;", svg)
    data = cairosvg.svg2png(bytestring=local.replace("Fira Code", "DejaVu Sans Mono").encode(), scale=1.0)
    assert isinstance(data, bytes)
    return data


async def shot(view: View, columns: int, rows: int, theme: str) -> str:
    """One view as SVG."""
    made = engine()
    app = app_on(made, theme)
    async with app.run_test(size=(columns, rows)) as pilot:
        await ready(made, shows="shop" if columns < 100 else "GET /cart")(pilot)
        await pilot.press(*view.keys)
        await until(lambda: _shows(app, view.shows), what=f"{view.name} at {columns} columns")
        await pilot.pause(0.2)
        return app.export_screenshot(title=f"orchtui: {view.name}")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for view, (columns, rows), (short, theme) in itertools.product(VIEWS, SIZES, THEMES.items()):
        svg = asyncio.run(shot(view, columns, rows, theme))
        name = f"{view.name}-{short}-{columns}x{rows}"
        (folder / f"{name}.svg").write_text(svg)
        (folder / f"{name}.png").write_bytes(_png(svg))
        print(name)


def _shows(app: OrchtuiApp, text: str) -> bool:
    return text.lower() in re.sub(r"<[^>]+>", "", app.export_screenshot()).replace("&#160;", " ").lower()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
