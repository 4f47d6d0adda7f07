"""The subject of a digest: how much there was, where, when, and what to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.mail import digest_findings, digest_lists, period_wording, wording
from f2b_enrich.mail.subject import first_label, short

if TYPE_CHECKING:
    from f2b_enrich.mail.digest import Digest


def subject(digest: Digest) -> str:
    """Say it in one line."""
    period, count = digest.period, digest.figures.count
    bans = f"{wording.counted(count.bans, 'ban')} of "
    bans += digest_lists.addresses(count.addresses)
    when = period_wording.short(period, digest.timezone)
    text = f"[fail2ban] {period.kind}: {bans} on {_where(digest)}, {when}"
    earlier, later = elsewhen(digest)
    text += f"; {earlier:,} earlier" if earlier else ""
    text += f"; {later:,} later" if later else ""
    found = digest_findings.count(digest)
    return f"{text}; {found} to look at" if found else text


def elsewhen(digest: Digest) -> tuple[int, int]:
    """Count the bans of before the time that the digest is about, and of after it."""
    times = [ban.banned_at for ban in digest.bans]
    earlier = sum(at < digest.period.since for at in times)
    return earlier, sum(at >= digest.period.until for at in times)


def _where(digest: Digest) -> str:
    hosts = digest.figures.hosts
    if len(hosts) > 1:
        return f"{len(hosts):,} hosts"
    return short(first_label(hosts[0] if hosts else digest.host), "host")
