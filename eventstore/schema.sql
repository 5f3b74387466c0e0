-- The tape, in one SQLite file.
--
-- Everything that happened is one row of `events`, in the order in which it became true. `position` counts all events
-- from 1 without a gap; `version` counts those of one stream (one task, one API key) in the same way. A stream is at the
-- version of its last event, and who appends says which version he has seen: UNIQUE (stream, version) is the last word
-- on that, though the writer checks it first. `at` is microseconds since 1970 UTC and grows with every row.
--
-- `payload` is the event as JSON text, for a person to read: SELECT position, stream, payload FROM events. `actor` is who
-- did it, `command_id` which request it came from, where it came from one.
--
-- Each row seals all before it: commitment = SHA-256(salt, payload); leaf = SHA-256 over the columns and the commitment;
-- hash = SHA-256(0x02, the hash before, leaf). The hash before position 1 is made of `head.log_id`, so that no two tapes
-- share one. The details are in chain.py. The head of the tape is its last row: it is written nowhere else, so that a
-- batch of events is one statement, and one transaction.
--
-- Nothing is changed and nothing is deleted: the triggers see to it. The one exception is redaction, which blanks
-- payload and salt of a row together; the commitment stays, so the chain still verifies. Who can write the file can drop
-- the triggers: they guard against mistakes, the chain and its published checkpoints against intent.
--
-- PRAGMA application_id is 0x54415045 ('TAPE'); PRAGMA user_version is the schema, 1.

CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    log_id BLOB NOT NULL CHECK (length(log_id) = 16),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE events (
    position INTEGER PRIMARY KEY CHECK (position > 0),
    stream TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    type TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    command_id TEXT NOT NULL,
    payload TEXT,
    salt BLOB,
    commitment BLOB NOT NULL CHECK (length(commitment) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    UNIQUE (stream, version),
    CHECK ((payload IS NULL) = (salt IS NULL))
) STRICT;

CREATE INDEX events_by_type ON events (type, position);

CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
WHEN NEW.payload IS NOT NULL OR NEW.salt IS NOT NULL
    OR (NEW.position, NEW.stream, NEW.version, NEW.type, NEW.at, NEW.actor, NEW.command_id, NEW.commitment, NEW.hash)
    IS NOT (OLD.position, OLD.stream, OLD.version, OLD.type, OLD.at, OLD.actor, OLD.command_id, OLD.commitment, OLD.hash)
BEGIN SELECT RAISE(ABORT, 'the tape is append-only'); END;

CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'the tape is append-only'); END;

CREATE TRIGGER head_is_never_changed BEFORE UPDATE ON head
BEGIN SELECT RAISE(ABORT, 'the tape is append-only'); END;

CREATE TRIGGER head_is_never_deleted BEFORE DELETE ON head
BEGIN SELECT RAISE(ABORT, 'the tape is append-only'); END;
