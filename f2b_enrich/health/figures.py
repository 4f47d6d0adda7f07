"""The numbers that `check` gives a monitoring system."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from f2b_enrich.errors import StoreError
from f2b_enrich.store import lists, mail_figures
from f2b_enrich.store.connection import open_reader

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Counts; None where nothing could be read."""

    bans_today: int | None = None
    spool: int | None = None
    due: int | None = None
    dead: int | None = None
    oldest_due_s: int | None = None
    held: int | None = None

    def known(self) -> Mapping[str, int]:
        """Give the figures that there are, by name."""
        return {
            name: value for name, value in asdict(self).items() if value is not None
        }


def read(store: Path, *, midnight: datetime, now: datetime, spool: int) -> Figures:
    """Count the bans since midnight and the mails that wait or were given up."""
    try:
        if not store.exists():
            return Figures(spool=spool)
        with open_reader(store) as connection:
            today = lists.tally(connection, lists.BanQuery(since=midnight))
            mails = mail_figures.mails(connection, since=midnight)
    except (StoreError, OSError):
        return Figures(spool=spool)
    return Figures(
        bans_today=today.bans,
        spool=spool,
        due=mails.due,
        dead=mails.dead,
        oldest_due_s=_seconds_since(mails.oldest_due_at, now),
        held=mails.bans_held,
    )


def _seconds_since(when: datetime | None, now: datetime) -> int:
    return 0 if when is None else max(int((now - when).total_seconds()), 0)
