"""What a line table shows, as plain values: cells, rows, columns, and how columns share a width. No textual here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Cell: TypeAlias = tuple[str, str]
"""Text as it came (made safe when painted) and a style token of the theme ("" is plain text)."""

FIXED = "#"
GAP = 2
"""Blank cells between two columns."""


LUXURY = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. `least` and `most` bound its width in cells; its natural width lies between.

    Where space is short, the column with the highest `drop` goes first (0 never goes), and those with `grow` shrink.
    `sort` is the key it sorts by ("" none).
    """

    key: str
    title: str
    least: int
    most: int = 0
    grow: bool = False
    right: bool = False
    drop: int = 0
    sort: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line. A `span` row ignores the columns: its first cells flow from the left, the last one stands right.

    The cursor passes over rows whose key begins with FIXED.
    """

    key: str
    cells: tuple[Cell, ...]
    span: bool = False


def _no_rows(index: int, now: float) -> Row:
    raise IndexError(index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Rows of a table that are made only when they are seen: `make(index, now)`. `keys` are unique and in order.

    `natural` is each column's wish in cells; a column that wishes 0 has nothing to say and is left out. `empty` is
    what stands in place of rows; `total` counts the rows before filtering.
    """

    columns: tuple[Column, ...] = ()
    keys: tuple[str, ...] = ()
    natural: tuple[int, ...] = ()
    make: Callable[[int, float], Row] = _no_rows
    total: int = 0
    sort: str = ""
    reverse: bool = False
    empty: tuple[Cell, ...] = field(default=(("nothing here", "muted"),))

    def __len__(self) -> int:
        return len(self.keys)

    def rows(self, now: float) -> list[Row]:
        """All rows (tests, copies); a table asks for the visible ones only."""
        return [self.make(index, now) for index in range(len(self.keys))]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a column stands: its index in `Listing.columns`, its first cell, its width."""

    index: int
    start: int
    width: int


def fit(columns: Sequence[Column], natural: Sequence[int], width: int) -> tuple[Place, ...]:
    """Share `width` cells among the columns: drop the least important, then let growing ones take what is left.

    A luxury (drop >= LUXURY) is left out where it would cut a more important growing column short.
    """
    chosen = [index for index, wish in enumerate(natural) if wish]
    while True:
        places = _share(columns, natural, chosen, width)
        kept = [place.index for place in places]
        cut = [
            p.index for p in places if columns[p.index].grow and p.width < _clamp(columns[p.index], natural[p.index])
        ]
        luxuries = [
            i for i in kept if columns[i].drop >= LUXURY and any(columns[c].drop < columns[i].drop for c in cut)
        ]
        if not luxuries:
            return places
        chosen = [index for index in kept if index != max(luxuries, key=lambda index: columns[index].drop)]


def _share(columns: Sequence[Column], natural: Sequence[int], wished: Sequence[int], width: int) -> tuple[Place, ...]:
    chosen = list(wished)
    least = {index: _clamp(columns[index], natural[index], low=True) for index in chosen}
    while len(chosen) > 1 and sum(least[index] for index in chosen) + GAP * (len(chosen) - 1) > width:
        victim = max(chosen, key=lambda index: (columns[index].drop, index))
        if columns[victim].drop == 0:
            break
        chosen.remove(victim)
    left = width - sum(least[index] for index in chosen) - GAP * max(0, len(chosen) - 1)
    widths = {index: least[index] for index in chosen}
    for index in sorted(chosen, key=lambda index: columns[index].drop):
        if columns[index].grow and left > 0:
            extra = min(left, _clamp(columns[index], natural[index]) - widths[index])
            widths[index] += max(0, extra)
            left -= max(0, extra)
    if left < 0 and chosen:
        widths[chosen[0]] = max(1, widths[chosen[0]] + left)
    places = []
    start = 0
    for index in chosen:
        places.append(Place(index, start, widths[index]))
        start += widths[index] + GAP
    return tuple(places)


def _clamp(column: Column, wish: int, *, low: bool = False) -> int:
    wish = max(wish, len(column.title) + 1 if column.sort else len(column.title), 0 if column.grow else column.least)
    if column.most:
        wish = min(wish, column.most)
    return min(wish, column.least) if low and column.grow else wish
