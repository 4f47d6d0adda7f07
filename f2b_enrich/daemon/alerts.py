"""From a row of the outbox to what its mail tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from f2b_enrich import __version__
from f2b_enrich.classify.span import span
from f2b_enrich.daemon.parties import parties
from f2b_enrich.enrich import ignoreip
from f2b_enrich.enrich.relations import Relations, machine_addresses
from f2b_enrich.errors import DeliveryError
from f2b_enrich.mail.compose import Alert

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from f2b_enrich.config import MailSettings, Settings
    from f2b_enrich.daemon.tried_names import TriedNames
    from f2b_enrich.figures import FoldedBan
    from f2b_enrich.model import OutboxRow
    from f2b_enrich.store.facts import BanFacts

log = structlog.get_logger(__name__)


def _log_problem(problem: str) -> None:
    log.warning("fail2ban's ignoreip is not known whole", problem=problem)


def relations(
    settings: Settings, *, tell: Callable[[str], object] = _log_problem
) -> Relations:
    """Bring together what is known of this machine and its administrator.

    It reads some files, a few kB. What is wrong with those of fail2ban is told, a line
    for each problem, and the rest counts.
    """
    folder = settings.own.fail2ban
    ignored = ignoreip.read(folder) if folder is not None else None
    for problem in ignored.problems if ignored is not None else ():
        tell(problem)
    return Relations(
        machine=machine_addresses(),
        own=settings.own.networks,
        ignoreip=settings.own.ignoreip,
        ignored=ignored,
    )


def alert(
    row: OutboxRow,
    facts: BanFacts | None,
    *,
    settings: MailSettings,
    timezone: tzinfo | None,
    known: Relations,
    tried: TriedNames,
    also: tuple[FoldedBan, ...] = (),
) -> Alert:
    """Bring together what is known now; the addresses are those of the row.

    Raises:
        DeliveryError: an address must not be used, or the ban is not in the store.
    """
    recipient, sender = parties(row, settings)
    if facts is None:
        raise DeliveryError("the store has no such ban", permanent=True)
    found = facts.enrichment
    return Alert(
        ban=facts.ban,
        enrichment=facts.enrichment,
        lines=facts.lines,
        recipient=recipient,
        sender=sender,
        message_id=row.message_id,
        nth=facts.past.nth,
        bantime_known=facts.ban.bantime_is_final,
        version=__version__,
        timezone=timezone,
        history=facts.past,
        names=tried.of(facts.observed, host=facts.ban.host),
        attacks=facts.attacks,
        repeated=facts.repeated,
        campaigns=facts.campaigns,
        span=span([line.line for line in facts.lines]),
        also=also,
        relation=known.relation(
            facts.ban.ip,
            hostname=found.hostname if found else None,
            hostname_confirmed=found.hostname_confirmed if found else None,
        ),
    )
