"""From a row of the outbox to the mail that leaves, whatever it is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from f2b_enrich import spool
from f2b_enrich.daemon.alerts import alert
from f2b_enrich.daemon.bounce_notes import bounce_notes
from f2b_enrich.daemon.digests import DigestDesk, digest
from f2b_enrich.daemon.flood_notices import flood
from f2b_enrich.daemon.report_mails import report
from f2b_enrich.daemon.sorting import FLOOD
from f2b_enrich.mail.digest import Digest
from f2b_enrich.mail.flood import Flood
from f2b_enrich.store import digests, facts, floods, report_mails
from f2b_enrich.store.digests import DigestFacts
from f2b_enrich.store.filling import DIGEST
from f2b_enrich.store.floods import FloodFacts
from f2b_enrich.store.report_mails import REPORT

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import datetime, tzinfo
    from email.message import EmailMessage

    from f2b_enrich.classify.classifier import Classifier
    from f2b_enrich.config import Settings
    from f2b_enrich.daemon.tried_names import TriedNames
    from f2b_enrich.enrich.relations import Relations
    from f2b_enrich.figures import FoldedBan
    from f2b_enrich.mail.alert import Alert
    from f2b_enrich.mail.compose import Composer, Form
    from f2b_enrich.model import OutboxRow
    from f2b_enrich.store.bounces import CameBack
    from f2b_enrich.store.facts import BanFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutBan:
    """What a mail about one ban tells, and the bans it speaks of besides."""

    ban: BanFacts | None
    also: tuple[FoldedBan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutMany:
    """What a digest tells, and whose mails of ours came back before it."""

    digest: DigestFacts | None
    came_back: tuple[CameBack, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutFlood:
    """What the mail tells that says that a flood began or ended."""

    flood: FloodFacts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutReport:
    """A report, as it was written when it was queued; None when it is kept no more."""

    message: bytes | None


Known: TypeAlias = AboutBan | AboutMany | AboutFlood | AboutReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A mail for its envelope."""

    sender: str
    recipient: str
    message: EmailMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """What writing any mail takes; the `classifier` is asked for when it is needed."""

    composer: Composer
    settings: Settings
    relations: Relations
    tried: TriedNames
    classifier: Callable[[], Classifier]
    timezone: tzinfo | None

    def write(
        self, row: OutboxRow, known: Known, *, now: datetime, form: Form
    ) -> Written:
        """Write the mail of a row from what is known.

        Raises:
            DeliveryError: an address must not be used, or the store knows nothing of
                what the mail is about.
        """
        if isinstance(known, AboutReport):
            message = report(row, known.message, settings=self.settings.mail)
            return Written(sender=row.sender, recipient=row.recipient, message=message)
        told = self.told(row, known)
        if isinstance(told, Digest):
            message = self.composer.compose_digest(told, now=now, form=form)
        elif isinstance(told, Flood):
            message = self.composer.compose_flood(told, now=now, form=form)
        else:
            message = self.composer.compose(told, now=now, form=form)
        return Written(sender=told.sender, recipient=told.recipient, message=message)

    def told(
        self, row: OutboxRow, known: AboutBan | AboutMany | AboutFlood
    ) -> Alert | Digest | Flood:
        """Bring together what the mail of a row tells.

        Raises:
            DeliveryError: as `write` does.
        """
        if isinstance(known, AboutMany):
            return self._digest(row, known)
        if isinstance(known, AboutFlood):
            return flood(
                row,
                known.flood,
                host=self.settings.host_name,
                settings=self.settings.mail,
                limits=self.settings.alerts.limits(),
                timezone=self.timezone,
            )
        return alert(
            row,
            known.ban,
            settings=self.settings.mail,
            timezone=self.timezone,
            known=self.relations,
            tried=self.tried,
            also=known.also,
        )

    def _digest(self, row: OutboxRow, known: AboutMany) -> Digest:
        desk = DigestDesk(
            host=self.settings.host_name,
            settings=self.settings.mail,
            relations=self.relations,
            classifier=self.classifier(),
            timezone=self.timezone,
            late_after=self.settings.alerts.late(),
        )
        notes = bounce_notes(known.came_back, host=self.settings.host_name)
        folders = (
            self.settings.daemon.spool,
            spool.beside(self.settings.daemon.socket),
        )
        return digest(
            row,
            known.digest,
            desk=desk,
            notes=notes,
            spooled=sum(spool.backlog(folder).files for folder in folders),
        )


def known_of(connection: sqlite3.Connection, row: OutboxRow) -> Known:
    """Read what the mail of a row is to tell."""
    if row.kind == DIGEST:
        found = digests.of(connection, row.id)
        back = digests.came_back(connection, row.id)
        return AboutMany(digest=found, came_back=back)
    if row.kind == FLOOD:
        return AboutFlood(flood=floods.facts(connection, row.id))
    if row.kind == REPORT:
        return AboutReport(message=report_mails.message(connection, row.id))
    if row.ban_id is None:
        return AboutBan(ban=None)
    return AboutBan(
        ban=facts.of(connection, row.ban_id), also=digests.folded(connection, row.id)
    )
