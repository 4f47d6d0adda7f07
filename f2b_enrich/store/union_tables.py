"""The tables of several stores made one, apart from those of bans."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

LEFT = "left to the store that it was merged from"
"""Why a mail that was still to leave does not leave from here, too."""

NUMBERS = (
    # What a row of a source is called in the output.
    "CREATE TEMP TABLE looked_up (source TEXT, id INTEGER, new INTEGER, "
    "PRIMARY KEY (source, id)) WITHOUT ROWID",
    "CREATE TEMP TABLE mails (source TEXT, id INTEGER, new INTEGER, "
    "PRIMARY KEY (source, id)) WITHOUT ROWID",
    "CREATE TEMP TABLE mail_names (message_id TEXT, recipient TEXT, id INTEGER, "
    "PRIMARY KEY (message_id, recipient)) WITHOUT ROWID",
)

_HOSTS = """
    INSERT INTO main.hosts SELECT * FROM {source}.hosts WHERE true
    ON CONFLICT (host) DO UPDATE SET
    country_code = max(ifnull(country_code, excluded.country_code),
        ifnull(excluded.country_code, country_code)),
    timezone = max(ifnull(timezone, excluded.timezone),
        ifnull(excluded.timezone, timezone)),
    first_seen_at = min(first_seen_at, excluded.first_seen_at),
    last_seen_at = max(last_seen_at, excluded.last_seen_at)
"""

# By chance in the order of the alphabet, too: configured, shipped, unknown.
_JAILS = """
    INSERT INTO main.jails SELECT * FROM {source}.jails WHERE true
    ON CONFLICT (jail) DO UPDATE SET service = excluded.service,
    attack = excluded.attack, origin = excluded.origin
    WHERE (excluded.origin, excluded.service, excluded.attack)
        < (jails.origin, jails.service, jails.attack)
"""

_RULE_SETS = """
    INSERT INTO main.rule_sets (digest, used_at)
    SELECT digest, used_at FROM {source}.rule_sets WHERE true ORDER BY id
    ON CONFLICT (digest) DO UPDATE SET used_at = max(used_at, excluded.used_at)
"""

_PURGED = """
    INSERT INTO main.purged SELECT * FROM {source}.purged WHERE true
    ON CONFLICT (what) DO UPDATE SET before_at = max(before_at, excluded.before_at),
    is_finished = min(is_finished, excluded.is_finished)
"""

_WAITING = """
    INSERT INTO main.waiting_events SELECT * FROM {source}.waiting_events WHERE true
    ON CONFLICT (ban_id, kind) DO UPDATE SET at = max(at, excluded.at),
    bantime_seconds = iif(min(bantime_seconds, excluded.bantime_seconds) < 0, -1,
        max(ifnull(bantime_seconds, excluded.bantime_seconds),
            ifnull(excluded.bantime_seconds, bantime_seconds))),
    ban_count = max(ifnull(ban_count, 0), ifnull(excluded.ban_count, 0))
"""

_IMPORTS = """
    INSERT INTO main.imports (kind, fingerprint, name, place, first_year, size,
        read_at, is_finished, first_day, last_day)
    SELECT kind, fingerprint, name, place, first_year, size,
        read_at, is_finished, first_day, last_day
    FROM {source}.imports WHERE true ORDER BY id
    ON CONFLICT (kind, fingerprint) DO UPDATE SET
    name = iif({is_further}, excluded.name, name),
    place = iif({is_further}, excluded.place, place),
    first_year = iif({is_further}, excluded.first_year, first_year),
    size = iif({is_further}, excluded.size, size),
    is_finished = iif({is_further}, excluded.is_finished, is_finished),
    read_at = max(read_at, excluded.read_at),
    first_day = min(ifnull(first_day, excluded.first_day),
        ifnull(excluded.first_day, first_day)),
    last_day = max(ifnull(last_day, excluded.last_day),
        ifnull(excluded.last_day, last_day))
"""

# Both have what they read, so that to go on from is what was read last.
_IS_FURTHER = (
    "(excluded.read_at, excluded.place, excluded.name) "
    "> (imports.read_at, imports.place, imports.name)"
)

_FOUND = """
    INSERT INTO main.found_counts (day, ip, host, jail, import_id, lines)
    SELECT day, ip, host, jail, ours.id, lines FROM {source}.found_counts
    JOIN {source}.imports AS theirs ON theirs.id = import_id
    JOIN main.imports AS ours ON ours.kind = theirs.kind
        AND ours.fingerprint = theirs.fingerprint
    WHERE true ORDER BY day, ip
    ON CONFLICT DO UPDATE SET lines = max(lines, excluded.lines)
"""

_LOOKED_UP = """
    INSERT INTO temp.looked_up SELECT '{source}', id, ifnull(
        (SELECT min(id) FROM main.enrichments AS there WHERE there.ip = new.ip
         AND there.looked_up_at = new.looked_up_at AND there.source = new.source
         AND there.raw = new.raw), id + ?)
    FROM {source}.enrichments AS new
"""

_NUMBERED = """
    INSERT INTO main.{table} ({columns})
    SELECT numbers.new, {others} FROM {source}.{table} AS row
    JOIN temp.{numbers} AS numbers
    ON numbers.source = '{source}' AND numbers.id = row.id
    WHERE numbers.new > ? ORDER BY numbers.new
"""

_MAILS = """
    INSERT INTO temp.mails SELECT '{source}', id, ifnull(
        (SELECT there.id FROM temp.mail_names AS there
         WHERE there.message_id = row.message_id
         AND there.recipient = row.recipient), id + ?)
    FROM {source}.outbox AS row
"""

_NAMES = """
    INSERT OR IGNORE INTO temp.mail_names
    SELECT message_id, recipient, id FROM main.outbox WHERE id > ? ORDER BY id
"""

# How final a state is, the rest being those of a mail still to leave: a backup may not
# know yet that it was sent, nor another store that it was given up.
_RANK = """
    CASE {row}.state WHEN 'sent' THEN 5 WHEN 'folded' THEN 4 WHEN 'unsure' THEN 3
    WHEN 'dead' THEN 2 WHEN 'skipped' THEN 1 ELSE 0 END
"""

# By the rest only so that the order of the stores makes no difference.
_FATE = (
    "({rank}, ifnull({row}.sent_at, ''), {row}.attempts, {row}.due_at, "
    "ifnull({row}.released_at, ''), ifnull({row}.last_error, ''))"
)

_FATES = """
    UPDATE main.outbox SET state = row.state, sent_at = row.sent_at,
    attempts = row.attempts, due_at = row.due_at, released_at = row.released_at,
    last_error = row.last_error, folded_into = (
        SELECT new FROM temp.mails WHERE source = '{source}'
        AND mails.id = row.folded_into)
    FROM {source}.outbox AS row JOIN temp.mails AS numbers
    ON numbers.source = '{source}' AND numbers.id = row.id
    WHERE main.outbox.id = numbers.new AND numbers.new <= ? AND {theirs} > {ours}
"""

_FOLDED = """
    UPDATE main.outbox SET folded_into = (
        SELECT new FROM temp.mails WHERE source = '{source}'
        AND mails.id = main.outbox.folded_into)
    WHERE id > ? AND folded_into NOTNULL
"""

_UNDUE = f"""
    UPDATE main.outbox SET state = 'skipped', last_error = '{LEFT}'
    WHERE state IN ('due', 'sending', 'held')
"""

# None of them leaves from here.
_UNSENT = "UPDATE main.report_mails SET message = NULL"

_BESIDE_MAILS = """
    INSERT OR IGNORE INTO main.{table} ({columns})
    SELECT numbers.new, {others} FROM {source}.{table} AS row
    JOIN temp.mails AS numbers
    ON numbers.source = '{source}' AND numbers.id = row.outbox_id
    WHERE {only} ORDER BY row.outbox_id
"""

_OUTDONE = """
    DELETE FROM main.{table} WHERE outbox_id IN (
        SELECT there.outbox_id FROM {source}.{table} AS row
        JOIN temp.mails AS numbers
        ON numbers.source = '{source}' AND numbers.id = row.outbox_id
        JOIN main.{table} AS there ON there.outbox_id = numbers.new
        WHERE {only} AND ({theirs}) > ({ours}))
"""

_CAMPAIGNS = "kind", "scope", "who", "first_at"


def copy_tables(connection: sqlite3.Connection, sources: Sequence[str]) -> None:
    """Copy what bans point at, and what is kept beside them, inside a transaction.

    What a daemon notes for itself alone is left out: chores, floods that go on, how far
    mailboxes were read.
    """
    for statement in NUMBERS:
        connection.execute(statement)
    for source in sources:
        for statement in (_HOSTS, _JAILS, _RULE_SETS, _WAITING, _IMPORTS, _FOUND):
            connection.execute(statement.format(source=source, is_further=_IS_FURTHER))
        _copy_look_ups(connection, source)
        _copy_mails(connection, source)
        _copy_campaigns(connection, source)
    connection.execute(_UNDUE)
    connection.execute(_UNSENT)


def copy_marks(connection: sqlite3.Connection, sources: Sequence[str]) -> None:
    """Note up to when each of them was purged, the latest; last, for it keeps out."""
    for source in sources:
        connection.execute(_PURGED.format(source=source))


def columns(connection: sqlite3.Connection, table: str) -> tuple[str, ...]:
    """Name the columns of a table of ours."""
    rows = connection.execute(f"PRAGMA main.table_info({table})")
    return tuple(row["name"] for row in rows)


def _copy_look_ups(connection: sqlite3.Connection, source: str) -> None:
    last = _last(connection, "enrichments")
    connection.execute(_LOOKED_UP.format(source=source), (last,))
    names = columns(connection, "enrichments")
    connection.execute(
        _NUMBERED.format(
            source=source,
            table="enrichments",
            numbers="looked_up",
            columns=", ".join(names),
            others=", ".join(f"row.{name}" for name in names[1:]),
        ),
        (last,),
    )


def _copy_mails(connection: sqlite3.Connection, source: str) -> None:
    last = _last(connection, "outbox")
    names = columns(connection, "outbox")
    connection.execute(_MAILS.format(source=source), (last,))
    connection.execute(
        _NUMBERED.format(
            source=source,
            table="outbox",
            numbers="mails",
            columns=", ".join(names),
            others=", ".join(f"row.{name}" for name in names[1:]),
        ),
        (last,),
    )
    connection.execute(_FOLDED.format(source=source), (last,))
    theirs, ours = (
        _FATE.format(row=row, rank=_RANK.format(row=row)) for row in ("row", "outbox")
    )
    connection.execute(_FATES.format(source=source, theirs=theirs, ours=ours), (last,))
    connection.execute(_NAMES, (last,))
    for table, only in (
        ("bounces", "true"),
        ("digests", "true"),
        ("report_mails", "true"),
        # One that is still to be told of is left to where it came from.
        ("notifications", "row.state = 'done'"),
    ):
        _copy_beside_mails(connection, source, table, only)


def _copy_beside_mails(
    connection: sqlite3.Connection, source: str, table: str, only: str
) -> None:
    """Copy what a table has of mails, of one that both have the same in any order."""
    others = [
        name for name in columns(connection, table) if name not in ("id", "outbox_id")
    ]
    theirs, ours = (
        ", ".join(f"ifnull({row}.{name}, '')" for name in others)
        for row in ("row", "there")
    )
    for statement in (_OUTDONE, _BESIDE_MAILS):
        connection.execute(
            statement.format(
                source=source,
                table=table,
                only=only,
                columns=", ".join(("outbox_id", *others)),
                others=", ".join(f"row.{name}" for name in others),
                theirs=theirs,
                ours=ours,
            )
        )


def _copy_campaigns(connection: sqlite3.Connection, source: str) -> None:
    """Copy campaigns, of one that both know what the later look saw."""
    names = columns(connection, "campaigns")[1:]
    same = " AND ".join(f"there.{name} = new.{name}" for name in _CAMPAIGNS)
    listed = ", ".join(names)
    theirs, ours = (
        ", ".join(f"{table}.{name}" for name in names) for table in ("new", "there")
    )
    connection.execute(
        f"DELETE FROM main.campaigns AS there WHERE EXISTS (SELECT 1 "
        f"FROM {source}.campaigns AS new WHERE {same} AND ({theirs}) > ({ours}))"
    )
    connection.execute(
        f"INSERT INTO main.campaigns ({listed}) SELECT {listed} "
        f"FROM {source}.campaigns AS new WHERE NOT EXISTS "
        f"(SELECT 1 FROM main.campaigns AS there WHERE {same}) ORDER BY id"
    )


def _last(connection: sqlite3.Connection, table: str) -> int:
    last: int = connection.execute(
        f"SELECT ifnull(max(id), 0) FROM main.{table}"
    ).fetchone()[0]
    return last
