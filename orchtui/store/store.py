"""The store: one SQLite file, durable before anybody is told (WAL, synchronous=FULL).

Its methods block, for about a millisecond each; whoever has an event loop calls them on one thread of their own, the
only one that ever writes.
"""

from __future__ import annotations

import json
import os
import sqlite3
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Self

from orchtui.core.identity import canonical
from orchtui.core.rollout import RolloutRecord
from orchtui.errors import EngineUnavailable, NotFound
from orchtui.model.history import Outcome
from orchtui.model.snapshot import Event
from orchtui.store.rows import (
    NewRevision,
    StoredRevision,
    StoredStack,
    read_record,
    read_revision,
    record_text,
    same_content,
)
from orchtui.store.schema import MIGRATIONS

KEPT_REVISIONS = 20
KEPT_EVENTS = 5_000
_PRUNE_EVERY = 256  # events between two prunings


class Store:
    """Opens or creates the file at `path` for the Docker Engine `engine_id`.

    Raises EngineUnavailable for a damaged file, one of a newer orchtui, and one of another Docker Engine.
    """

    def __init__(self, path: Path, engine_id: str) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        # SQLite gives its side files the mode of the main one, so it has to exist with the right one before.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
        self._open(path, f"{path}", uri=False)
        with self._sentences():
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._migrate()
            self.id = self._identify(engine_id)

    @classmethod
    def in_memory(cls, engine_id: str) -> Self:
        """An empty store without a file, for an engine that only looks where nothing was ever managed."""
        store = cls.__new__(cls)
        store._open(Path(":memory:"), ":memory:", uri=False)
        with store._sentences():
            store._migrate()
            store.id = store._identify(engine_id)
        return store

    @classmethod
    def open_readonly(cls, path: Path) -> Self | None:
        """The store for looking only; None where there is none (yet). Changes nothing in it; SQLite itself may put
        its side files (-wal, -shm) beside one that nobody has open.
        """
        if not path.is_file():
            return None
        store = cls.__new__(cls)
        store._open(path, f"file:{_quoted(path)}?mode=ro", uri=True)
        with store._sentences():
            if store._version() < 1:
                store.close()
                return None
            store.id = store._meta("store")
        return store

    def _open(self, path: Path, name: str, *, uri: bool) -> None:
        self._path = path
        self._events_added = 0
        with self._sentences():
            self._db = sqlite3.connect(name, uri=uri, isolation_level=None, check_same_thread=False, timeout=5.0)
            self._db.row_factory = sqlite3.Row
            version = self._version()
            healthy = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if version > len(MIGRATIONS):
            self.close()
            raise EngineUnavailable(
                f"The state file {path} was written by a newer orchtui.",
                hint="Run that version, or set ORCHTUI_STATE_DIR to another folder.",
            )
        if healthy != "ok":
            self.close()
            raise _damaged(path, healthy)

    def close(self) -> None:
        self._db.close()

    # -- opening -----------------------------------------------------------------------------------------------------

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        """SQLite's errors as sentences."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error):
                raise EngineUnavailable(
                    f"The state file {self._path} cannot be used: {error}.",
                    hint="Look at the disk's free space and the file's permissions, then start the engine again.",
                ) from error
            raise _damaged(self._path, str(error)) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._sentences():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # on a full disk SQLite rolls back by itself
                    self._db.execute("ROLLBACK")
                raise

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def _migrate(self) -> None:
        for number in range(self._version(), len(MIGRATIONS)):
            # Both in one transaction: a kill in between leaves the old version whole.
            self._db.executescript(f"BEGIN; {MIGRATIONS[number]} PRAGMA user_version={number + 1}; COMMIT;")

    def _meta(self, key: str) -> str:
        row = self._db.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
        return str(row["value"]) if row is not None else ""

    def _identify(self, engine_id: str) -> str:
        known = self._meta("docker")
        if known and known != engine_id:
            self.close()
            raise EngineUnavailable(
                f"The state file {self._path} belongs to another Docker Engine ({known}).",
                hint="Every Docker Engine has a state folder of its own; do not copy them.",
            )
        if not known:
            with self._transaction() as db:
                db.execute("INSERT INTO meta VALUES ('docker', ?)", (engine_id,))
                db.execute("INSERT INTO meta VALUES ('store', ?)", (str(uuid.uuid4()),))
        return self._meta("store")

    # -- reading -----------------------------------------------------------------------------------------------------

    def names(self) -> tuple[str, ...]:
        """Stacks that are managed now, those under removal included."""
        with self._sentences():
            rows = self._db.execute("SELECT name FROM stacks WHERE present ORDER BY name").fetchall()
        return tuple(row["name"] for row in rows)

    def stack(self, name: str) -> StoredStack | None:
        """Everything of one stack, also of one that was taken down."""
        with self._sentences():
            row = self._db.execute("SELECT * FROM stacks WHERE name=?", (name,)).fetchone()
            if row is None:
                return None
            revision = self.revision(name, row["revision"])
            assert revision is not None  # pruning keeps the current one
            holds: dict[str, dict[int, bool]] = {}
            for hold in self._of("holds", name):
                holds.setdefault(hold["service"], {})[hold["slot"]] = bool(hold["reached"])
            return StoredStack(
                name=name,
                serial=row["serial"],
                applied=row["applied"],
                settled=row["settled"],
                revision=revision,
                present=bool(row["present"]),
                removing=bool(row["removing"]),
                remove_volumes=bool(row["remove_volumes"]),
                working_dir=row["working_dir"],
                config_files=tuple(json.loads(row["config_files"])),
                created_at=row["created_at"],
                updated_at=row["updated_at"],
                overrides={one["service"]: one["replicas"] for one in self._of("overrides", name)},
                generations={one["service"]: one["generation"] for one in self._of("generations", name)},
                holds=holds,
                rollouts={one["service"]: read_record(one["record"]) for one in self._of("rollouts", name)},
            )

    def _of(self, table: Literal["holds", "overrides", "generations", "rollouts"], stack: str) -> list[sqlite3.Row]:
        return self._db.execute(f"SELECT * FROM {table} WHERE stack=?", (stack,)).fetchall()

    def revision(self, stack: str, number: int) -> StoredRevision | None:
        with self._sentences():
            row = self._db.execute("SELECT * FROM revisions WHERE stack=? AND number=?", (stack, number)).fetchone()
        return read_revision(dict(row)) if row is not None else None

    def revisions(self, stack: str) -> tuple[StoredRevision, ...]:
        """Newest first."""
        with self._sentences():
            rows = self._db.execute("SELECT * FROM revisions WHERE stack=? ORDER BY number DESC", (stack,)).fetchall()
        return tuple(read_revision(dict(row)) for row in rows)

    def events(self, limit: int = 200) -> tuple[Event, ...]:
        """The newest, oldest first."""
        with self._sentences():
            rows = self._db.execute("SELECT * FROM events ORDER BY id DESC LIMIT ?", (limit,)).fetchall()
        return tuple(Event(**dict(row)) for row in reversed(rows))

    def next_revision(self, name: str, new: NewRevision) -> int:
        """The number that `apply` would give to `new`: the current one's if nothing differs."""
        revisions = self.revisions(name)
        stored = self.stack(name)
        if stored is not None and same_content(stored.revision, new):
            return stored.revision.number
        return (revisions[0].number if revisions else 0) + 1

    # -- commands ----------------------------------------------------------------------------------------------------

    def apply(
        self,
        name: str,
        new: NewRevision,
        *,
        now: float,
        working_dir: str = "",
        config_files: Collection[str] = (),
        clear_overrides: Collection[str] = (),
    ) -> tuple[int, int]:
        """Make `new` the wish; holds are over. The new serial and the revision, which is a new one only if its tree or
        its images differ from the current one's.
        """
        with self._transaction() as db:
            row = db.execute("SELECT * FROM stacks WHERE name=?", (name,)).fetchone()
            current = self.revision(name, row["revision"]) if row is not None else None
            serial = (row["serial"] if row is not None else 0) + 1
            number = current.number if current is not None else 0
            if current is None or not same_content(current, new):
                number = self._add_revision(db, name, new, current, now)
            db.execute(
                "INSERT INTO stacks"
                " (name, serial, applied, revision, working_dir, config_files, created_at, updated_at)"
                " VALUES (:name, :serial, :serial, :number, :dir, :files, :now, :now)"
                " ON CONFLICT (name) DO UPDATE SET serial=:serial, applied=:serial, revision=:number, present=1,"
                " removing=0, remove_volumes=0, working_dir=:dir, config_files=:files, updated_at=:now",
                {"name": name, "serial": serial, "number": number, "dir": working_dir,
                 "files": json.dumps(list(config_files)), "now": now},
            )  # fmt: skip
            db.execute("DELETE FROM holds WHERE stack=?", (name,))
            db.executemany(
                "DELETE FROM overrides WHERE stack=? AND service=?", [(name, service) for service in clear_overrides]
            )
            self._prune(db, name)
        return serial, number

    def _add_revision(
        self, db: sqlite3.Connection, name: str, new: NewRevision, current: StoredRevision | None, now: float
    ) -> int:
        if current is not None and current.outcome == "pending":
            self._finish(db, name, current.number, "superseded", now)
        last = db.execute("SELECT max(number) FROM revisions WHERE stack=?", (name,)).fetchone()[0]
        number = int(last or 0) + 1
        db.execute(
            "INSERT INTO revisions (stack, number, tree, images, digests, author, cause, created_at, rollback_of)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (name, number, canonical(new.tree), canonical(new.images), canonical(new.digests), new.author, new.cause,
             now, new.rollback_of),
        )  # fmt: skip
        return number

    def _prune(self, db: sqlite3.Connection, name: str) -> None:
        """20, the last stable one and the current one stay (DESIGN 4)."""
        db.execute(
            "DELETE FROM revisions WHERE stack=:name AND number NOT IN"
            " (SELECT number FROM revisions WHERE stack=:name ORDER BY number DESC LIMIT :kept)"
            " AND number != (SELECT revision FROM stacks WHERE name=:name) AND number !="
            " coalesce((SELECT max(number) FROM revisions WHERE stack=:name AND stable), 0)",
            {"name": name, "kept": KEPT_REVISIONS},
        )

    def scale(self, name: str, service: str, replicas: int | None, *, now: float) -> int:
        """Override the file's count (None: back to it). The new serial."""
        with self._transaction() as db:
            if replicas is None:
                db.execute("DELETE FROM overrides WHERE stack=? AND service=?", (name, service))
            else:
                db.execute("INSERT OR REPLACE INTO overrides VALUES (?, ?, ?)", (name, service, replicas))
            return self._next_serial(db, name, now)

    def restart(self, name: str, services: Iterable[str], *, now: float) -> int:
        """A new generation of `services`, whose holds are over. The new serial."""
        with self._transaction() as db:
            for service in services:
                db.execute(
                    "INSERT INTO generations VALUES (?, ?, 1)"
                    " ON CONFLICT (stack, service) DO UPDATE SET generation=generation+1",
                    (name, service),
                )
                db.execute("DELETE FROM holds WHERE stack=? AND service=?", (name, service))
            return self._next_serial(db, name, now)

    def hold(self, name: str, slots: Iterable[tuple[str, int]], *, now: float) -> int:
        """Keep these slots stopped. The new serial."""
        with self._transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO holds VALUES (?, ?, ?, 0)", [(name, service, slot) for service, slot in slots]
            )
            return self._next_serial(db, name, now)

    def release(self, name: str, slots: Iterable[tuple[str, int]], *, now: float) -> int:
        """End the holds of these slots. The new serial."""
        with self._transaction() as db:
            db.executemany(
                "DELETE FROM holds WHERE stack=? AND service=? AND slot=?",
                [(name, service, slot) for service, slot in slots],
            )
            return self._next_serial(db, name, now)

    def remove(self, name: str, *, volumes: bool, now: float) -> int:
        """Begin the removal of a stack. The new serial."""
        with self._transaction() as db:
            db.execute("UPDATE stacks SET removing=1, remove_volumes=? WHERE name=?", (volumes, name))
            return self._next_serial(db, name, now)

    def _next_serial(self, db: sqlite3.Connection, name: str, now: float) -> int:
        db.execute("UPDATE stacks SET serial=serial+1, updated_at=? WHERE name=?", (now, name))
        row = db.execute("SELECT serial FROM stacks WHERE name=?", (name,)).fetchone()
        if row is None:
            raise NotFound(f"The stack {name} is not managed.", hint="`orchtui ls` lists the stacks.")
        return int(row["serial"])

    # -- what the loop remembers -------------------------------------------------------------------------------------

    def set_progress(
        self, name: str, *, rollouts: Mapping[str, RolloutRecord], holds: Mapping[str, Mapping[int, bool]], serial: int
    ) -> None:
        """The rollouts and holds after a pass over the state of `serial`; ignored if a command came in between."""
        with self._transaction() as db:
            row = db.execute("SELECT serial FROM stacks WHERE name=?", (name,)).fetchone()
            if row is None or row["serial"] != serial:
                return
            db.execute("DELETE FROM rollouts WHERE stack=?", (name,))
            db.executemany(
                "INSERT INTO rollouts VALUES (?, ?, ?)",
                [(name, service, record_text(record)) for service, record in rollouts.items()],
            )
            db.execute("DELETE FROM holds WHERE stack=?", (name,))
            db.executemany(
                "INSERT INTO holds VALUES (?, ?, ?, ?)",
                [(name, service, slot, seen) for service, slots in holds.items() for slot, seen in slots.items()],
            )

    def settle(self, name: str, serial: int) -> None:
        """The work of `serial` is finished, or was given up."""
        with self._transaction() as db:
            db.execute("UPDATE stacks SET settled=max(settled, ?) WHERE name=?", (serial, name))

    def finish(self, name: str, number: int, outcome: Outcome, *, now: float) -> None:
        """How a revision went. `completed` makes it a stable one."""
        with self._transaction() as db:
            self._finish(db, name, number, outcome, now)

    def _finish(self, db: sqlite3.Connection, name: str, number: int, outcome: Outcome, now: float) -> None:
        db.execute(
            "UPDATE revisions SET outcome=:outcome, finished_at=:now, stable=max(stable, :outcome='completed')"
            " WHERE stack=:name AND number=:number",
            {"outcome": outcome, "now": now, "name": name, "number": number},
        )

    def set_images(self, name: str, number: int, images: Mapping[str, str], digests: Mapping[str, str]) -> None:
        """Fill in image IDs and digests that were not known when the revision was made."""
        with self._transaction() as db:
            db.execute(
                "UPDATE revisions SET images=?, digests=? WHERE stack=? AND number=?",
                (canonical(images), canonical(digests), name, number),
            )

    def removed(self, name: str) -> bool:
        """Nothing of the stack is left; its revisions stay. False if it is not under removal (any more)."""
        with self._transaction() as db:
            done = db.execute(
                "UPDATE stacks SET present=0, removing=0, remove_volumes=0, settled=serial WHERE name=? AND removing",
                (name,),
            )
            if not done.rowcount:
                return False
            for table in ("holds", "overrides", "rollouts"):
                db.execute(f"DELETE FROM {table} WHERE stack=?", (name,))
        return True

    def add_event(self, *, at: float, subject: str, text: str, severity: str = "info", actor: str = "") -> None:
        """A line for people; about the newest 5,000 are kept."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO events (at, subject, text, severity, actor) VALUES (?, ?, ?, ?, ?)",
                (at, subject, text, severity, actor),
            )
            self._events_added += 1
            if self._events_added % _PRUNE_EVERY == 1:
                db.execute("DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?", (KEPT_EVENTS,))


def _damaged(path: Path, reason: str) -> EngineUnavailable:
    return EngineUnavailable(
        f"The state file {path} is damaged: {reason}.",
        hint="Move it away to start with an empty one; the containers keep running and show as another engine's.",
    )


def _quoted(path: Path) -> str:
    return str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
