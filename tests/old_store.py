"""Writes a store of this version, rows in every table, for later versions to migrate.

Run as `python -m tests.old_store` when a release is made, and until the first one when
the schema changes: `tests/data/stores/VERSION.sql` is what `sqlite3 FILE .dump` says.
What is released is never written anew.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from f2b_enrich import __version__
from f2b_enrich.model import EventKind
from f2b_enrich.store import chores
from tests.stores import NOW, StoreBuilder, event, filled

FOLDER = Path(__file__).parent / "data" / "stores"

# What comes from elsewhere than a live ban, as an import would write it.
_OTHERS = (
    "INSERT INTO other_ids SELECT 'f0000000-0000-5000-8000-000000000000', id "
    "FROM bans ORDER BY id LIMIT 1",
    "INSERT INTO other_origins SELECT id, 'log', '/var/log/fail2ban.log', received_at "
    "FROM bans ORDER BY id LIMIT 1",
    "INSERT INTO campaigns (kind, scope, who, first_at, last_at, bans, addresses, "
    "names, in_order, first_name, last_name, noted_at) VALUES "
    "('user-name-enumeration', 'subnet', '192.0.2.0/24', '2026-11-19T00:00:00Z', "
    "'2026-11-21T20:00:00Z', 3, 2, 40, 38, 'aaron', 'zoe', '2026-11-21T20:14:03Z')",
    "INSERT INTO bounces SELECT id, '2026-11-21T20:14:03Z', 'noc@admins.net', '5.1.1', "
    "'550 5.1.1 no such user' FROM outbox WHERE state = 'sent' LIMIT 1",
    "INSERT INTO mailboxes VALUES "
    "('/var/mail/f2b-enrich', '2026-11-21T20:14:03Z', 3, 'ab', NULL)",
    "INSERT INTO notifications (outbox_id, ban_id, event, state, attempts, "
    "created_at, due_at) SELECT id, ban_id, kind, 'done', 1, created_at, due_at "
    "FROM outbox LIMIT 1",
    "INSERT INTO floods (recipient, sender, began_at, ended_at, held, window_at, "
    "held_in_window) VALUES ('noc@admins.net', 'root@web1', '2026-11-20T10:00:00Z', "
    "'2026-11-20T10:30:00Z', 212, '2026-11-20T10:20:00Z', 0)",
    "INSERT INTO outbox (kind, recipient, sender, state, attempts, created_at, due_at, "
    "message_id) VALUES ('digest', 'noc@admins.net', 'root@web1', 'due', 0, "
    "'2026-11-21T06:00:00Z', '2026-11-21T06:00:00Z', '<digest.0@web1>')",
    "INSERT INTO digests (outbox_id, period, since_at, until_at, before_at, "
    "bounces_since_at, bounces_until_at) SELECT id, 'daily', '2026-11-19T23:00:00Z', "
    "'2026-11-20T23:00:00Z', '2026-11-18T23:00:00Z', '2026-11-20T06:00:00Z', "
    "'2026-11-21T06:00:00Z' FROM outbox WHERE kind = 'digest'",
    "INSERT INTO outbox (kind, recipient, sender, state, about, attempts, created_at, "
    "due_at, released_at, message_id) VALUES ('report', 'noc@admins.net', 'root@web1', "
    "'due', 'October 2026', 0, '2026-11-01T06:30:00Z', '2026-11-01T06:30:00Z', "
    "'2026-11-01T06:30:00Z', '<report.0@web1>')",
    "INSERT INTO report_mails SELECT id, '2026-09-30T22:00:00Z', "
    "'2026-10-31T23:00:00Z', '[]', x'5375626a6563743a0d0a0d0a' "
    "FROM outbox WHERE kind = 'report'",
    "INSERT INTO imports (kind, fingerprint, name, place, read_at, is_finished, "
    "first_day, last_day) VALUES ('log', 'ab', 'fail2ban.log', '{\"position\": 90}', "
    "'2026-11-21T20:14:03Z', 1, '2026-11-20', '2026-11-21')",
    "INSERT INTO found_counts (day, ip, host, jail, import_id, lines) SELECT "
    "'2026-11-20', '203.0.113.5', 'web1.example.org', 'sshd', id, 7 FROM imports",
    "INSERT INTO ban_records (ip, host, at, kind, precision, origin, jail, ends_at, "
    "message_id, failed_at, alert_of) VALUES ('203.0.113.5', 'web1.example.org', "
    "1794000000, 'unban', 'logged', 'log', 'sshd', -1, '', -1, '')",
    "INSERT INTO purged VALUES ('lines', '2026-05-25T04:10:00Z', TRUE)",
    "UPDATE _sqlite_migrations SET applied_at = '2026-11-21T00:00:00Z'",
)


def build(path: Path) -> None:
    """Write the store."""
    store: StoreBuilder = filled(path)
    unknown = event("203.0.113.5", at=NOW - timedelta(days=9), lines=())
    store.record(replace(unknown, kind=EventKind.UNBAN))
    store.classify()
    with store.writing() as connection:
        chores.done(connection, "campaigns", now=NOW)
        for statement in _OTHERS:
            connection.execute(statement)


def dump(path: Path) -> str:
    """Give a store as SQL."""
    done = subprocess.run(
        ("sqlite3", str(path), ".dump"), capture_output=True, text=True, check=True
    )
    return done.stdout


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bans.db"
        build(path)
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{__version__}.sql").write_text(dump(path), "utf-8")


if __name__ == "__main__":
    main()
