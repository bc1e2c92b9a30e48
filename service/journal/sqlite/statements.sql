-- The ledger of calls in SQLite. Each block is named by the line above it; `ledger.py` runs them.
-- Every statement runs inside a transaction that the lane began.

-- name: tables
CREATE TABLE IF NOT EXISTS calls (
    call_id INTEGER PRIMARY KEY,
    call_sid TEXT NOT NULL UNIQUE,
    incarnation TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    head INTEGER NOT NULL,
    opened_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    owner TEXT,
    owner_epoch INTEGER,
    renewed_ms INTEGER,
    until_ms INTEGER,
    released INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0
) STRICT;
-- No index by expiry: every append would rewrite it, and a sweep reads a few thousand rows at most.
-- The key of an append stands on its last record, so that a key and its answer are one row.
CREATE TABLE IF NOT EXISTS records (
    call_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    key TEXT,
    body BLOB NOT NULL,
    PRIMARY KEY (call_id, position)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS records_by_key ON records (call_id, key) WHERE key IS NOT NULL;
CREATE TABLE IF NOT EXISTS snapshots (
    call_id INTEGER PRIMARY KEY,
    position INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
-- By call_sid, not call_id: a token may be spent before its call is opened.
CREATE TABLE IF NOT EXISTS tokens (
    call_sid TEXT NOT NULL,
    nonce TEXT NOT NULL,
    stream_sid TEXT NOT NULL,
    uses INTEGER NOT NULL,
    used_ms INTEGER NOT NULL,
    PRIMARY KEY (call_sid, nonce)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tokens_by_use ON tokens (used_ms);
-- What `check` writes and reads back; one row for each journal that asked.
CREATE TABLE IF NOT EXISTS pulses (
    journal TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- How many groups of writes this file has taken: see tide.py.
CREATE TABLE IF NOT EXISTS tide (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    height INTEGER NOT NULL
) STRICT;
INSERT OR IGNORE INTO tide (only, height) VALUES (1, 0);
-- Since when a call should be looked after: the end of its lease, or UNCLAIMED_MS after it was opened.
CREATE INDEX IF NOT EXISTS calls_by_due ON calls (coalesce(until_ms, opened_ms + 60000))
WHERE released = 0;
CREATE TABLE IF NOT EXISTS names (
    name TEXT PRIMARY KEY,
    call_sid TEXT NOT NULL,
    until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS names_by_call ON names (call_sid);

-- name: columns_of_layout_2
-- What a file of layout 1 lacks of the columns above; its missing tables and indexes are laid after.
ALTER TABLE calls ADD COLUMN released INTEGER NOT NULL DEFAULT 0;

-- name: columns_of_layout_3
-- How long all bodies of a call are, which layout 2 did not count.
ALTER TABLE calls ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE calls SET bytes = coalesce(
    (SELECT sum(length(body)) FROM records WHERE records.call_id = calls.call_id), 0);

-- name: find
SELECT call_id, incarnation, epoch, head, opened_ms, expires_ms,
       owner, owner_epoch, renewed_ms, until_ms, released, bytes
FROM calls WHERE call_sid = ?;

-- name: open
INSERT INTO calls (call_sid, incarnation, epoch, head, opened_ms, expires_ms, bytes)
VALUES (?, ?, 0, ?, ?, ?, ?)
RETURNING call_id;

-- name: claim
UPDATE calls
SET epoch = epoch + 1, expires_ms = max(expires_ms, ?),
    owner = ?, owner_epoch = epoch + 1, renewed_ms = ?, until_ms = ?, released = 0
WHERE call_id = ?
RETURNING epoch;

-- name: position_of_key
SELECT position FROM records WHERE call_id = ? AND key = ?;

-- name: write
INSERT INTO records (call_id, position, epoch, at_ms, key, body) VALUES (?, ?, ?, ?, ?, ?);

-- name: advance
UPDATE calls SET head = ?, expires_ms = max(expires_ms, ?), bytes = bytes + ? WHERE call_id = ?;

-- name: page
SELECT count(keep(position, epoch, at_ms, body)) FROM records
WHERE call_id = ? AND position > ? AND position <= ?;

-- name: keep_snapshot
INSERT INTO snapshots (call_id, position, body) VALUES (?, ?, ?)
ON CONFLICT (call_id) DO UPDATE SET position = excluded.position, body = excluded.body
WHERE excluded.position >= snapshots.position;

-- name: snapshot
SELECT position, body FROM snapshots WHERE call_id = ?;

-- name: lease
UPDATE calls
SET expires_ms = max(expires_ms, ?), owner = ?, owner_epoch = epoch, renewed_ms = ?, until_ms = ?,
    released = 0
WHERE call_sid = ? AND epoch = ? AND expires_ms > ?;

-- name: adopt
UPDATE calls SET owner = ?, owner_epoch = epoch, renewed_ms = ?, until_ms = ? WHERE call_id = ?;

-- name: release
UPDATE calls SET released = 1 WHERE call_sid = ? AND epoch = ?;

-- name: lapsed
SELECT call_sid, incarnation, epoch, head, expires_ms, owner, owner_epoch, renewed_ms, until_ms
FROM calls
WHERE released = 0 AND coalesce(until_ms, opened_ms + 60000) <= ?1 AND expires_ms > ?1
ORDER BY coalesce(until_ms, opened_ms + 60000), call_id LIMIT ?2;

-- name: remember
INSERT INTO names (name, call_sid, until_ms) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET call_sid = excluded.call_sid, until_ms = excluded.until_ms;

-- name: recall
SELECT call_sid FROM names WHERE name = ? AND until_ms > ?;

-- name: forget_names
DELETE FROM names WHERE until_ms <= ?;

-- name: erase_names
DELETE FROM names WHERE call_sid = ?;

-- name: find_token
SELECT stream_sid, uses, used_ms FROM tokens WHERE call_sid = ? AND nonce = ?;

-- name: count_tokens
SELECT count(*) FROM tokens WHERE call_sid = ?;

-- name: spend
INSERT INTO tokens (call_sid, nonce, stream_sid, uses, used_ms) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (call_sid, nonce) DO UPDATE SET uses = excluded.uses, used_ms = excluded.used_ms;

-- name: calls
SELECT call_sid, incarnation, epoch, head, expires_ms, owner, owner_epoch, renewed_ms, until_ms
FROM calls ORDER BY opened_ms, call_id;

-- name: heads
SELECT call_sid, incarnation, head FROM calls
WHERE call_sid IN (SELECT value FROM json_each(?));

-- name: expired
SELECT call_sid FROM calls WHERE expires_ms <= ? ORDER BY expires_ms LIMIT ?;

-- name: over
SELECT call_sid, bytes FROM calls WHERE released = 1 ORDER BY expires_ms, call_id LIMIT ?;

-- name: forget_tokens
DELETE FROM tokens WHERE used_ms <= ?;

-- name: forget_pulses
DELETE FROM pulses WHERE at_ms <= ?;

-- name: erase_records
DELETE FROM records WHERE call_id = ?;

-- name: erase_snapshot
DELETE FROM snapshots WHERE call_id = ?;

-- name: erase_call
DELETE FROM calls WHERE call_id = ?;

-- name: erase_tokens
DELETE FROM tokens WHERE call_sid = ?;

-- name: pulse
INSERT INTO pulses (journal, at_ms) VALUES (?, ?)
ON CONFLICT (journal) DO UPDATE SET at_ms = excluded.at_ms;

-- name: feel_pulse
SELECT at_ms FROM pulses WHERE journal = ?;

-- name: raise_tide
UPDATE tide SET height = height + 1 RETURNING height;

-- name: tide
SELECT height FROM tide;

-- name: renew_incarnations
UPDATE calls SET incarnation = lower(hex(randomblob(8)));
