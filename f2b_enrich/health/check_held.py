"""Whether what is held for a digest gets into one, and who has a flood of bans."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from f2b_enrich.errors import StoreError
from f2b_enrich.health.links import warn
from f2b_enrich.inert import cut
from f2b_enrich.mail.wording import counted
from f2b_enrich.model import time_text
from f2b_enrich.store import filling, mail_figures
from f2b_enrich.store.connection import open_reader

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import datetime

    from f2b_enrich.config import Settings
    from f2b_enrich.config_alerts import DigestSettings
    from f2b_enrich.health.links import Link
    from f2b_enrich.store.filling import Held

LONGEST_HELD = timedelta(days=2)
"""From one daily digest to the next but one, should one fail."""

WEEK = timedelta(days=7)
_MOST = 3
_LONGEST_REASON = 120


def links(settings: Settings, *, now: datetime) -> Iterator[Link]:
    """Say whose bans wait too long, who has a flood, and which digests were given up.

    A store that cannot be read is told of by another link.
    """
    try:
        with open_reader(settings.store.path) as connection:
            found = [
                *_held(connection, settings.digest, now),
                *_floods(connection),
                *_dead(connection),
            ]
    except StoreError:
        return
    yield from found


def _held(
    connection: sqlite3.Connection, digest: DigestSettings, now: datetime
) -> Iterator[Link]:
    is_weekly = digest.weekly and not (digest.daily or digest.hourly)
    longest = LONGEST_HELD + WEEK if is_weekly else LONGEST_HELD
    for recipient, parts in groupby(filling.held(connection), _recipient):
        waiting = tuple(parts)
        age = now - min(each.since for each in waiting)
        if age <= longest:
            continue
        bans = sum(each.count for each in waiting)
        yield warn(
            "held",
            f"{counted(bans, 'ban')} for {recipient} in no digest yet, the oldest for "
            f"{counted(age.days, 'day')}",
            _cure(digest),
        )


def _recipient(held: Held) -> str:
    return held.recipient


def _cure(digest: DigestSettings) -> str:
    if digest.daily or digest.hourly or digest.weekly:
        return "f2b-enrich outbox list --state held tells why; is the daemon running?"
    return 'no digest is configured: set digest.daily = "07:00"'


def _floods(connection: sqlite3.Connection) -> Iterator[Link]:
    for row in mail_figures.floods_now(connection):
        since = time_text(row.flood.began_at)
        local = row.flood.began_at.astimezone()
        yield warn(
            "flood",
            f"more bans than mails for {row.recipient} since "
            f"{local:%Y-%m-%d %H:%M %Z}: {counted(row.flood.held, 'ban')} held for "
            "digests",
            f"f2b-enrich bans list --since {since} tells whose; [alerts] says how "
            "many mails are too many",
        )


def _dead(connection: sqlite3.Connection) -> Iterator[Link]:
    for row in mail_figures.dead_digests(connection, limit=_MOST):
        bans = counted(filling.count(connection, row.id), "ban")
        reason = cut(row.last_error or "no reason kept", _LONGEST_REASON)
        yield warn(
            "digests",
            f"digest {row.id} to {row.recipient} given up, {bans} told of nowhere "
            f"else: {reason}",
            f"f2b-enrich outbox retry {row.id}",
        )
