"""The database's layout. A migration is appended and never edited: user_version counts those that ran."""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE stacks (
        name TEXT PRIMARY KEY,
        serial INTEGER NOT NULL,
        applied INTEGER NOT NULL,
        settled INTEGER NOT NULL DEFAULT 0,
        revision INTEGER NOT NULL,
        present INTEGER NOT NULL DEFAULT 1,
        removing INTEGER NOT NULL DEFAULT 0,
        remove_volumes INTEGER NOT NULL DEFAULT 0,
        working_dir TEXT NOT NULL,
        config_files TEXT NOT NULL,
        created_at REAL NOT NULL,
        updated_at REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE revisions (
        stack TEXT NOT NULL,
        number INTEGER NOT NULL,
        tree TEXT NOT NULL,
        images TEXT NOT NULL,
        digests TEXT NOT NULL,
        author TEXT NOT NULL,
        cause TEXT NOT NULL,
        created_at REAL NOT NULL,
        outcome TEXT NOT NULL DEFAULT 'pending',
        finished_at REAL,
        rollback_of INTEGER,
        stable INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (stack, number)
    ) WITHOUT ROWID;
    CREATE TABLE overrides (
        stack TEXT NOT NULL, service TEXT NOT NULL, replicas INTEGER NOT NULL, PRIMARY KEY (stack, service)
    ) WITHOUT ROWID;
    CREATE TABLE generations (
        stack TEXT NOT NULL, service TEXT NOT NULL, generation INTEGER NOT NULL, PRIMARY KEY (stack, service)
    ) WITHOUT ROWID;
    CREATE TABLE holds (
        stack TEXT NOT NULL, service TEXT NOT NULL, slot INTEGER NOT NULL, reached INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (stack, service, slot)
    ) WITHOUT ROWID;
    CREATE TABLE rollouts (
        stack TEXT NOT NULL, service TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (stack, service)
    ) WITHOUT ROWID;
    CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at REAL NOT NULL,
        subject TEXT NOT NULL,
        text TEXT NOT NULL,
        severity TEXT NOT NULL,
        actor TEXT NOT NULL
    );
    """,
)
