"""The tables and indexes, as migrations: a released one never changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.store.schema_channels import CHANNELS
from f2b_enrich.store.schema_imports import IMPORTS
from f2b_enrich.store.schema_views import BAN_LOG, OBSERVED_PUBLIC, SEARCH_TRIGGERS
from f2b_enrich.store.sighted import TABLES as RECORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlite_utils import Database

_TABLES = (
    """
    CREATE TABLE hosts (
        host TEXT NOT NULL PRIMARY KEY,
        country_code TEXT,
        timezone TEXT,
        first_seen_at TEXT NOT NULL,
        last_seen_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE enrichments (
        id INTEGER PRIMARY KEY,
        ip TEXT NOT NULL,
        looked_up_at TEXT NOT NULL,
        source TEXT NOT NULL,
        complete INTEGER NOT NULL,
        local_only INTEGER NOT NULL DEFAULT 0,
        field_sources TEXT NOT NULL,
        hostname TEXT,
        hostname_confirmed INTEGER,
        country_code TEXT,
        country TEXT,
        region TEXT,
        city TEXT,
        postal TEXT,
        latitude REAL,
        longitude REAL,
        location_precision TEXT,
        timezone TEXT,
        asn INTEGER,
        as_name TEXT,
        as_domain TEXT,
        as_country_code TEXT,
        is_hosting INTEGER,
        is_vpn INTEGER,
        is_tor INTEGER,
        is_proxy INTEGER,
        scanner TEXT,
        abuse_contact TEXT,
        raw TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX enrichments_by_ip ON enrichments (ip, looked_up_at)",
    # Of those that count: old bans bring others by the hundred thousand.
    "CREATE INDEX enrichments_by_time ON enrichments (looked_up_at) "
    "WHERE NOT local_only",
    """
    CREATE TABLE bans (
        id TEXT NOT NULL PRIMARY KEY,
        host TEXT NOT NULL,
        jail TEXT NOT NULL,
        ip TEXT NOT NULL,
        ip_version INTEGER,
        subnet TEXT,
        banned_at TEXT NOT NULL,
        banned_at_source TEXT NOT NULL,
        bantime_seconds INTEGER,
        expires_at TEXT,
        unbanned_at TEXT,
        prolonged_at TEXT,
        failures INTEGER NOT NULL,
        ban_count INTEGER NOT NULL,
        attack TEXT,
        repeat_of TEXT REFERENCES bans (id),
        received_at TEXT NOT NULL,
        origin TEXT NOT NULL,
        reference TEXT NOT NULL,
        announced_at TEXT NOT NULL,
        lines_received INTEGER NOT NULL,
        captures TEXT,
        enrichment_id INTEGER REFERENCES enrichments (id),
        rule_set INTEGER REFERENCES rule_sets (id),
        look_up TEXT NOT NULL DEFAULT 'full'
    ) STRICT
    """,
    # What is behind the time is for the counts of a mail, which read nothing else: one
    # address may have been banned 20,000 times. A live ban passes over old ones there.
    "CREATE INDEX bans_by_ip ON bans (ip, banned_at, host, jail, origin, look_up)",
    "CREATE INDEX bans_by_time ON bans (banned_at)",
    # Small whatever the store holds: only what still waits for a look-up. Its order is
    # that of arrival, so that a new ban adds to its end.
    """
    CREATE INDEX bans_not_enriched ON bans (enrichment_id)
    WHERE enrichment_id IS NULL AND look_up = 'full'
    """,
    # Old bans by the million wait apart (wishes.py), so that live ones never meet them.
    """
    CREATE INDEX bans_not_placed ON bans (enrichment_id, look_up)
    WHERE enrichment_id IS NULL AND look_up IN ('later', 'local')
    """,
    "CREATE INDEX bans_for_later ON bans (look_up) WHERE look_up = 'later'",
    "CREATE INDEX bans_not_classed ON bans (rule_set) WHERE rule_set IS NULL",
    # Almost every ban has one id and one origin, which stand in its own row: a random
    # key in one more index costs each ban a page. What comes beside them stands here.
    """
    CREATE TABLE other_ids (
        id TEXT NOT NULL PRIMARY KEY,
        ban_id TEXT NOT NULL REFERENCES bans (id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX other_ids_by_ban ON other_ids (ban_id)",
    """
    CREATE VIEW ban_ids AS
    SELECT id, id AS ban_id FROM bans
    UNION ALL
    SELECT id, ban_id FROM other_ids
    """,
    """
    CREATE TABLE other_origins (
        ban_id TEXT NOT NULL REFERENCES bans (id),
        origin TEXT NOT NULL,
        reference TEXT NOT NULL,
        seen_at TEXT NOT NULL,
        PRIMARY KEY (ban_id, origin, reference)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE VIEW ban_origins AS
    SELECT id AS ban_id, origin, reference, received_at AS seen_at FROM bans
    UNION ALL
    SELECT ban_id, origin, reference, seen_at FROM other_origins
    """,
    """
    CREATE TABLE log_lines (
        id INTEGER PRIMARY KEY,
        ban_id TEXT NOT NULL REFERENCES bans (id),
        position INTEGER NOT NULL,
        line TEXT NOT NULL
    ) STRICT
    """,
    "CREATE UNIQUE INDEX log_lines_by_ban ON log_lines (ban_id, position)",
    # Which rules a ban was classed by, so that a run over all of them can be taken up.
    """
    CREATE TABLE rule_sets (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        digest TEXT NOT NULL UNIQUE,
        used_at TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE jails (
        jail TEXT NOT NULL PRIMARY KEY,
        service TEXT NOT NULL,
        attack TEXT NOT NULL,
        origin TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE ban_attacks (
        ban_id TEXT NOT NULL REFERENCES bans (id),
        attack TEXT NOT NULL,
        lines INTEGER NOT NULL,
        cves TEXT,
        PRIMARY KEY (ban_id, attack)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE observed (
        ban_id TEXT NOT NULL REFERENCES bans (id),
        kind TEXT NOT NULL,
        value TEXT NOT NULL,
        lines INTEGER NOT NULL,
        PRIMARY KEY (ban_id, kind, value)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE campaigns (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        scope TEXT NOT NULL,
        who TEXT NOT NULL,
        first_at TEXT NOT NULL,
        last_at TEXT NOT NULL,
        bans INTEGER NOT NULL,
        addresses INTEGER NOT NULL,
        names INTEGER NOT NULL,
        in_order INTEGER NOT NULL,
        first_name TEXT NOT NULL,
        last_name TEXT NOT NULL,
        noted_at TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX campaigns_by_who ON campaigns (who, last_at)",
    """
    CREATE TABLE chores (
        chore TEXT NOT NULL PRIMARY KEY,
        done_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    # Up to when lines and bans were purged, so that no import brings them back.
    """
    CREATE TABLE purged (
        what TEXT NOT NULL PRIMARY KEY,
        before_at TEXT NOT NULL,
        is_finished INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE outbox (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        ban_id TEXT REFERENCES bans (id),
        recipient TEXT NOT NULL,
        sender TEXT NOT NULL,
        state TEXT NOT NULL,
        about TEXT,
        folded_into INTEGER REFERENCES outbox (id),
        attempts INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        due_at TEXT NOT NULL,
        released_at TEXT,
        sent_at TEXT,
        message_id TEXT NOT NULL,
        last_error TEXT
    ) STRICT
    """,
    "CREATE INDEX outbox_by_ban ON outbox (ban_id)",
    # A row stands in one of these at a time, so that a ban writes to one of them.
    """
    CREATE INDEX outbox_unsorted ON outbox (due_at, id)
    WHERE state = 'due' AND released_at IS NULL
    """,
    """
    CREATE INDEX outbox_due ON outbox (due_at, id, recipient)
    WHERE state = 'due' AND released_at IS NOT NULL
    """,
    "CREATE INDEX outbox_sending ON outbox (id) WHERE state = 'sending'",
    "CREATE INDEX outbox_held ON outbox (kind, recipient, about, due_at) "
    "WHERE state = 'held'",
    # What was given up, few of very many: `status` and `check` look for it.
    "CREATE INDEX outbox_dead ON outbox (due_at, id) WHERE state = 'dead'",
    # What a recipient got lately, and how much of it was the daily digest.
    "CREATE INDEX outbox_sent ON outbox (recipient, sent_at, about) "
    "WHERE sent_at IS NOT NULL",
    "CREATE INDEX outbox_folded ON outbox (folded_into) WHERE folded_into NOTNULL",
    # More bans than a recipient gets mails, from the first one held to a quiet time.
    """
    CREATE TABLE floods (
        id INTEGER PRIMARY KEY,
        recipient TEXT NOT NULL,
        sender TEXT NOT NULL,
        began_at TEXT NOT NULL,
        ended_at TEXT,
        held INTEGER NOT NULL,
        window_at TEXT NOT NULL,
        held_in_window INTEGER NOT NULL,
        began_mail INTEGER REFERENCES outbox (id),
        ended_mail INTEGER REFERENCES outbox (id)
    ) STRICT
    """,
    "CREATE UNIQUE INDEX floods_open ON floods (recipient) WHERE ended_at IS NULL",
    # What time a digest of the outbox is about, the same at every attempt, and of when
    # it tells what came back: since the digest before it, that each bounce is in one.
    """
    CREATE TABLE digests (
        outbox_id INTEGER NOT NULL PRIMARY KEY REFERENCES outbox (id),
        period TEXT NOT NULL,
        since_at TEXT NOT NULL,
        until_at TEXT NOT NULL,
        before_at TEXT,
        bounces_since_at TEXT NOT NULL,
        bounces_until_at TEXT NOT NULL,
        takes_all INTEGER NOT NULL DEFAULT 0
    ) STRICT
    """,
    # Unbans and prolonged bans that came before the ban they belong to.
    """
    CREATE TABLE waiting_events (
        ban_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        at TEXT NOT NULL,
        bantime_seconds INTEGER,
        ban_count INTEGER,
        PRIMARY KEY (ban_id, kind)
    ) STRICT, WITHOUT ROWID
    """,
)


def _the_way_of_a_ban(db: Database) -> None:
    """Lay out what a live ban needs, from the socket to the mail."""
    for statement in (*_TABLES, *CHANNELS, *RECORDS, *IMPORTS):
        db.execute(statement)
    db.table("log_lines").enable_fts(["line"], create_triggers=True)
    # search.py says why lines are indexed apart; one that is not yet must not be
    # taken out of the index either.
    for trigger in ("ai", "ad", "au"):
        db.execute(f"DROP TRIGGER log_lines_{trigger}")
    for statement in SEARCH_TRIGGERS:
        db.execute(statement)
    db.execute(BAN_LOG)
    db.execute(OBSERVED_PUBLIC)


STEPS: Mapping[str, Callable[[Database], None]] = {
    "the_way_of_a_ban": _the_way_of_a_ban,
}
"""The migrations in their order; what is released keeps its name."""

NAME = "f2b-enrich"
"""What they are together."""
