"""Alerts by a clock of one's own: bans are taken in, sorted and sent in one store.

desk = AlertDesk(store, alerts={"policy": "first"})
ban = desk.ban("192.0.2.7")
desk.sort()
assert desk.fate(ban) == "released"
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from f2b_enrich.config import Settings
from f2b_enrich.daemon.digesting import fill_some
from f2b_enrich.daemon.digests_due import Plan, begin, due
from f2b_enrich.daemon.intake import Intake
from f2b_enrich.daemon.sorting import Rules, Sorted, sort
from f2b_enrich.errors import DeliveryError
from f2b_enrich.model import Event, EventKind
from f2b_enrich.outbox import after_failure
from f2b_enrich.store import enrichments, filling, outbox
from f2b_enrich.store.connection import transaction
from tests.clock import Clock
from tests.stores import located, shipped_analysis

if TYPE_CHECKING:
    import sqlite3

    from f2b_enrich.model import OutboxRow
    from f2b_enrich.store.filling import Unfilled

RECIPIENT = "noc@admins.net"


class AlertDesk:
    """A store, what alerts are sorted by, and a clock that tests move."""

    def __init__(
        self,
        store: sqlite3.Connection,
        *,
        alerts: dict[str, Any] | None = None,
        digest: dict[str, Any] | None = None,
        start: str = "2026-11-21T12:00:00Z",
        clock: Clock | None = None,
        waits: bool = False,
    ) -> None:
        self.store = store
        self.clock = clock or Clock(start)
        settings = Settings.model_validate(
            {
                "host": "web1",
                "mail": {"recipient": RECIPIENT},
                "alerts": alerts or {},
                "digest": digest or {},
            }
        )
        self.plan = Plan.configured(settings, timezone=UTC)
        self.rules = Rules.configured(settings, timezone=UTC)
        self._intake = Intake(
            settings,
            waits_for_look_up=waits,
            known_jail=shipped_analysis().known_jail,
        )

    def take(
        self,
        ip: str = "192.0.2.7",
        *,
        jail: str = "sshd",
        ago: float = 0.0,
        count: int = 1,
        **fields: Any,
    ) -> str:
        """Take a ban in, inside the caller's transaction; give its id."""
        event = self._event(ip, jail=jail, ago=ago, count=count, **fields)
        taken = self._intake.writing(event, now=self.clock())(self.store)
        assert taken.ban_id is not None
        return taken.ban_id

    def _event(
        self, ip: str, *, jail: str = "sshd", ago: float, count: int = 1, **fields: Any
    ) -> Event:
        at = self.clock() - timedelta(seconds=ago)
        return Event(
            kind=EventKind.BAN,
            jail=jail,
            ip=ip,
            failed_at=at.timestamp(),
            at=self.clock(),
            bantime_seconds=-1,  # nothing to wait for
            failures=5,
            ban_count=count,
            **fields,
        )

    def complete(self, ban: str, ip: str, *, ago: float) -> None:
        """Do for a ban that was written elsewhere what is done for one taken in."""
        event = self._event(ip, ago=ago)
        with transaction(self.store):
            self._intake.complete(
                self.store, event, ban, host="web1", now=self.clock(), is_told=True
            )

    def ban(self, ip: str = "192.0.2.7", **fields: Any) -> str:
        """Take a ban in; give its id."""
        with transaction(self.store):
            return self.take(ip, **fields)

    def place(self, ip: str) -> None:
        """Learn that an address is in the Netherlands."""
        with transaction(self.store):
            enrichments.save(self.store, located(ip, at=self.clock()))

    def sort(self) -> Sorted:
        """Sort one batch."""
        with transaction(self.store):
            return sort(self.store, rules=self.rules, now=self.clock())

    def sort_all(self) -> None:
        while self.sort().count:
            pass

    def digest(self) -> list[int]:
        """Make the digests that are due now; give their rows."""
        now = self.clock()
        made = []
        for left in filling.unfilled(self.store):
            self.fill(left)
        found = due(self.store, plan=self.plan, now=now)
        if found.is_any_ahead:
            with transaction(self.store):
                filling.bring_back(self.store, now=now)
        for wanted in found.wanted:
            with transaction(self.store):
                begun = begin(self.store, wanted=wanted, plan=self.plan, now=now)
            if begun is not None:
                made.append(begun.id)
                self.fill(begun)
        if self.plan.schedule.is_empty:
            with transaction(self.store):
                filling.leave_out(self.store, limit=100_000)
        return made

    def fill(self, begun: Unfilled) -> None:
        bans, is_whole = filling.count(self.store, begun.id), False
        while not is_whole:
            with transaction(self.store):
                folded, is_whole = fill_some(
                    self.store,
                    begun=begun,
                    bans=bans,
                    now=self.clock(),
                )
            bans += folded

    def send(self, *, answer: DeliveryError | None = None) -> list[OutboxRow]:
        """Send what is due, whatever it is, all with the same answer."""
        now = self.clock()
        with transaction(self.store):
            rows = outbox.claim_due(self.store, now=now, limit=1000)
            for row in rows:
                if answer is None:
                    outbox.sent(self.store, row, now=now)
                    continue
                tried = replace(row, attempts=row.attempts + 1)
                verdict = after_failure(tried, answer, now=now, jitter=0.5)
                outbox.failed(
                    self.store,
                    row,
                    state=verdict.state,
                    due_at=verdict.due_at,
                    error=verdict.last_error,
                )
        return list(rows)

    def rows(self) -> list[OutboxRow]:
        found = self.store.execute("SELECT * FROM outbox ORDER BY id")
        return [outbox.read_row(row) for row in found.fetchall()]

    def alert(self, ban_id: str) -> OutboxRow:
        """Give the first alert about a ban."""
        return next(row for row in self.rows() if row.ban_id == ban_id)

    def fate(self, ban_id: str) -> str:
        """Tell what was decided on a ban's alert."""
        row = self.alert(ban_id)
        if row.state == "due":
            return "unsorted" if row.released_at is None else "released"
        return str(row.state)

    def floods(self) -> list[dict[str, Any]]:
        found = self.store.execute("SELECT * FROM floods ORDER BY id")
        return [dict(row) for row in found]
