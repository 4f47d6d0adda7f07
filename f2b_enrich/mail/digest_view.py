"""From figures to words: what the templates of a digest have to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.mail import digest_findings, digest_tables, period_wording, wording
from f2b_enrich.mail.digest_lists import MOST_NAMED, JailList, addresses, by_jail
from f2b_enrich.mail.digest_subject import elsewhen, subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from f2b_enrich.figures import Count, DigestKind, Fate
    from f2b_enrich.mail.digest import Digest
    from f2b_enrich.mail.digest_findings import Finding
    from f2b_enrich.mail.digest_tables import ServiceRow, SourceRow

_FATES: Mapping[Fate, str] = {
    "mailed": "mailed singly: {}",
    "here": "only in this digest: {}",
    "elsewhere": "in other digests: {}",
    "waiting": "still to be told of: {}",
    "skipped": "left out by your settings: {}",
    "dead": "mail refused: {}",
    "none": "without a mail: {}",
}
"""How each fate of an alert reads, in this order."""

_BEFORE: Mapping[DigestKind, str] = {
    "daily": "Day",
    "hourly": "Hour",
    "weekly": "Week",
    "flood": "Time",
}
_MOST_REPEATING = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestView:
    """The words of one digest; a field that is empty has nothing to show.

    The names are those that templates use, an administrator's own among them.
    """

    subject: str
    kind: str
    host: str
    span: str
    totals: tuple[str, ...]
    reporting: str
    before: str
    fates: tuple[str, ...]
    repeats: str
    late: str
    findings: tuple[Finding, ...]
    more_findings: str
    services: tuple[ServiceRow, ...]
    overlap: str
    sources: tuple[SourceRow, ...]
    networks: tuple[str, ...]
    names: tuple[str, ...]
    mail: tuple[str, ...]
    stands_for: tuple[str, ...]
    jails: tuple[JailList, ...]
    more_jails: str
    is_named: bool
    attachment: str
    since: str
    until: str
    version: str


def view(digest: Digest, *, attachment: str = "") -> DigestView:
    """Put all that a digest tells into words; `attachment` is the name of its file."""
    figures, zone = digest.figures, digest.timezone
    more = digest_findings.left_out(digest)
    jails, more_jails = by_jail(digest.bans)
    return DigestView(
        subject=subject(digest),
        kind=digest.period.kind,
        host=digest.host,
        span=period_wording.long(digest.period, zone),
        totals=(
            *_bans(figures.count),
            wording.counted(figures.count.failures, "failure"),
        ),
        reporting=_reporting(digest),
        before=_before(digest),
        fates=tuple(_fates(digest)),
        repeats=_repeats(digest),
        late=_late(digest),
        findings=digest_findings.findings(digest),
        more_findings=f"{more:,} more" if more else "",
        services=tuple(digest_tables.services(figures)),
        overlap=digest_tables.overlap(figures),
        sources=tuple(digest_tables.sources(figures)),
        networks=tuple(digest_tables.networks(figures)),
        names=tuple(digest_tables.tried(figures)),
        mail=tuple(_mail(digest)),
        stands_for=tuple(_stands_for(digest)),
        jails=jails,
        more_jails=more_jails,
        is_named=len(digest.bans) <= MOST_NAMED,
        attachment=attachment,
        since=period_wording.option(digest.period.since, zone),
        until=period_wording.option(digest.period.until, zone),
        version=digest.version,
    )


def _bans(count: Count) -> tuple[str, str]:
    return wording.counted(count.bans, "ban"), addresses(count.addresses)


def _reporting(digest: Digest) -> str:
    known, here = digest.figures.known_hosts, len(digest.figures.hosts)
    return f"{here:,} of {known:,} hosts had bans" if known > 1 else ""


def _before(digest: Digest) -> str:
    """Tell of the time before; a store that begins later knows nothing of it."""
    figures, since = digest.figures, digest.figures.records_since
    began = digest.period.before
    if figures.before is None or began is None or since is None:
        return ""
    text = f"{_BEFORE[digest.period.kind]} before: "
    if since >= digest.period.since:
        return f"{text}no records"
    text += ", ".join(_bans(figures.before))
    if since > began:
        text += f" (records begin {wording.minute(since, digest.timezone)})"
    return text


def _fates(digest: Digest) -> Iterator[str]:
    for fate, words in _FATES.items():
        bans = digest.figures.fates.get(fate, 0)
        if bans:
            yield words.format(wording.counted(bans, "ban"))


def _repeats(digest: Digest) -> str:
    repeats = digest.figures.repeats
    if not repeats:
        return ""
    named = [each.name for each in repeats[:_MOST_REPEATING]]
    more = len(repeats) - len(named)
    if more > 0:
        named.append(wording.counted(more, "more jail"))
    bans = wording.counted(sum(each.count for each in repeats), "ban")
    return f"{bans} of {', '.join(named)}"


def _late(digest: Digest) -> str:
    late = [
        ban.banned_at
        for ban in digest.bans
        if ban.received_at - ban.banned_at >= digest.late_after
    ]
    if not late:
        return ""
    was = "was" if len(late) == 1 else "were"
    minutes = wording.span(int(digest.late_after.total_seconds()))
    oldest = wording.minute(min(late), digest.timezone)
    bans = wording.counted(len(late), "ban")
    return f"{bans} {was} told of {minutes} or more later, the oldest of {oldest}"


def _mail(digest: Digest) -> Iterator[str]:
    figures = digest.figures
    yield f"{wording.counted(figures.mails_due, 'mail')} due"
    yield f"{figures.mails_refused:,} refused"
    waiting = wording.counted(digest.spooled, "ban")
    yield f"{waiting} in the spool" if digest.spooled else "spool empty"
    yield f"{addresses(figures.look_ups)} looked up"
    if figures.incomplete:
        yield f"{figures.incomplete:,} of them without an answer of every source"


def _stands_for(digest: Digest) -> Iterator[str]:
    """Say what the bans are that are listed: how many, and of them what is apart."""
    yield wording.counted(len(digest.bans), "ban")
    repeats = sum(ban.is_repeat for ban in digest.bans)
    if repeats:
        verb = "repeats" if repeats == 1 else "repeat"
        yield f"{repeats:,} of them only {verb} another"
    earlier, later = elsewhen(digest)
    time = _BEFORE[digest.period.kind].lower()
    if earlier:
        yield f"{earlier:,} of before that {time}"
    if later:
        yield f"{later:,} of after that {time}"
