"""From a digest's row of the outbox to what its mail tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich import __version__
from f2b_enrich.classify.access_log import answered
from f2b_enrich.daemon.parties import parties
from f2b_enrich.errors import DeliveryError
from f2b_enrich.mail.digest import Answered, Digest, LockOut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import timedelta, tzinfo

    from f2b_enrich.classify.classifier import Classifier
    from f2b_enrich.config import MailSettings
    from f2b_enrich.enrich.relations import Relations
    from f2b_enrich.figures import AskedLine, FoldedBan
    from f2b_enrich.mail.digest import Note
    from f2b_enrich.model import OutboxRow
    from f2b_enrich.store.digests import DigestFacts

_GIVEN = 200
"""The status of HTTP for what was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestDesk:
    """What writing any digest takes; a ban told of `late_after` its time is late."""

    host: str
    settings: MailSettings
    relations: Relations
    classifier: Classifier
    timezone: tzinfo | None
    late_after: timedelta


def digest(
    row: OutboxRow,
    facts: DigestFacts | None,
    *,
    desk: DigestDesk,
    notes: tuple[Note, ...] = (),
    spooled: int = 0,
) -> Digest:
    """Bring together what is known now; the addresses are those of the row.

    So many bans are `spooled`, which nobody has taken yet.

    Raises:
        DeliveryError: an address must not be used, or the store has no such digest.
    """
    recipient, sender = parties(row, desk.settings)
    if facts is None:
        raise DeliveryError("the store has no such digest", permanent=True)
    return Digest(
        host=desk.host,
        recipient=recipient,
        sender=sender,
        message_id=row.message_id,
        version=__version__,
        timezone=desk.timezone,
        period=facts.period,
        figures=facts.figures,
        bans=facts.bans,
        late_after=desk.late_after,
        campaigns=facts.campaigns,
        lock_outs=tuple(_lock_outs(facts.bans, desk.relations)),
        answered=tuple(_answered(facts.asked, desk.classifier)),
        notes=notes,
        spooled=spooled,
    )


def _lock_outs(bans: Iterable[FoldedBan], known: Relations) -> Iterator[LockOut]:
    """Find the bans of an own, friendly, proxy's or crawler's address.

    Each jail and address once, as of its first ban: to unban it once is enough.
    """
    seen: set[tuple[str, str, str]] = set()
    for ban in bans:
        key = (ban.host, ban.jail, ban.ip)
        if ban.is_repeat or key in seen:
            continue
        seen.add(key)
        relation = known.relation(
            ban.ip,
            hostname=ban.hostname,
            hostname_confirmed=ban.hostname_confirmed,
        )
        if relation is not None:
            yield LockOut(ban=ban, relation=relation)


def _answered(asked: Iterable[AskedLine], classifier: Classifier) -> Iterator[Answered]:
    """Tell who asked for a known hole and was not refused, by server, jail and address.

    A server may answer 200 whatever it is asked for: somebody has to look.
    """
    found: dict[tuple[str, str, str], list[str]] = {}
    for each in asked:
        (told,) = classifier.lines([each.line], jail=each.jail)
        if told.cve is None or answered(each.line.encode()) != _GIVEN:
            continue
        found.setdefault((each.host, each.jail, each.ip), []).append(told.cve)
    for (host, jail, ip), cves in found.items():
        known = tuple(dict.fromkeys(cves))
        yield Answered(host=host, jail=jail, ip=ip, cves=known, requests=len(cves))
