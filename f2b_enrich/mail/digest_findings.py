"""What somebody should look at in a digest, the most pressing first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.mail import campaigns, view, wording
from f2b_enrich.mail.relations import warning
from f2b_enrich.mail.subject import first_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sized

    from f2b_enrich.figures import Refusal
    from f2b_enrich.mail.digest import Answered, Digest, LockOut

MOST = 10
"""How many are told of each kind; the others are counted."""

_MOST_CVES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One of them, in pieces between which it may be broken, and what to type.

    `unban` quotes jail and address for a shell, where they are to be unbanned.
    """

    host: str
    words: tuple[str, ...]
    command: str = ""
    unban: view.Command | None = None


def findings(digest: Digest) -> tuple[Finding, ...]:
    """Word what was found, those who may be locked out before everything else."""
    return tuple(_findings(digest))


def count(digest: Digest) -> int:
    """Count all, those too that are not worded."""
    refused = 1 if digest.figures.mails_refused else 0
    return sum(map(len, _kinds(digest))) + refused


def left_out(digest: Digest) -> int:
    """Count those that are not worded."""
    return sum(max(len(kind) - MOST, 0) for kind in _kinds(digest))


def _kinds(digest: Digest) -> tuple[Sized, ...]:
    return digest.lock_outs, digest.answered, digest.notes, digest.campaigns


def _findings(digest: Digest) -> Iterator[Finding]:
    for lock_out in digest.lock_outs[:MOST]:
        yield _lock_out(lock_out, digest)
    for answered in digest.answered[:MOST]:
        yield _answered(answered)
    if digest.figures.mails_refused:
        yield _refused(digest)
    for note in digest.notes[:MOST]:
        host = first_label(note.host)
        yield Finding(host=host, words=note.words, command=note.command)
    for walk in digest.campaigns[:MOST]:
        words = tuple(campaigns.pieces(walk, digest.timezone))
        yield Finding(host="", words=words)


def _lock_out(found: LockOut, digest: Digest) -> Finding:
    ban = found.ban
    when = wording.minute(ban.banned_at, digest.timezone)
    return Finding(
        host=first_label(ban.host),
        words=(
            f"{ban.ip} was banned by {ban.jail} at {when}.",
            *warning(found.relation),
        ),
        unban=view.command(ban),
    )


def _answered(found: Answered) -> Finding:
    named = ", ".join(found.cves[:_MOST_CVES])
    more = len(found.cves) - _MOST_CVES
    if more > 0:
        named += f", {more:,} more"
    were = "was" if found.requests == 1 else "were"
    shown = view.command(found)
    return Finding(
        host=first_label(found.host),
        words=(
            f"{wording.counted(found.requests, 'request')} of {found.ip}",
            f"for what {named} opens {were} answered with 200.",
            "Did it get in?",
        ),
        command=f"f2b-enrich show {shown.ip}" if shown else "",
    )


def _refused(digest: Digest) -> Finding:
    mails = digest.figures.mails_refused
    were = "was" if mails == 1 else "were"
    words = [f"{wording.counted(mails, 'mail')} {were} refused and given up:"]
    shown = digest.figures.refused
    words += [_refusal(each, is_last=each is shown[-1]) for each in shown]
    return Finding(
        host=first_label(digest.host),
        words=tuple(words),
        command="f2b-enrich outbox list --state dead",
    )


def _refusal(refusal: Refusal, *, is_last: bool) -> str:
    end = "" if is_last else ";"
    return f"{refusal.mails:,} to {refusal.recipient}, {refusal.reason}{end}"
