"""What must survive: desired state, revisions, rollouts, holds, events. The only importer of sqlite3."""
