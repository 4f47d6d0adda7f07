"""What somebody should look at in a digest, the most pressing first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.mail import campaigns, view, wording
from f2b_enrich.mail.relations import warning
from f2b_enrich.mail.subject import first_label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.figures import Refusal
    from f2b_enrich.mail.digest import Digest, LockOut

MOST = 10
"""How many are told of each kind; the others are counted."""


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
    others = len(digest.notes) + len(digest.campaigns)
    return len(digest.lock_outs) + refused + others


def left_out(digest: Digest) -> int:
    """Count those that are not worded."""
    kinds = (digest.lock_outs, digest.notes, digest.campaigns)
    return sum(max(len(kind) - MOST, 0) for kind in kinds)


def _findings(digest: Digest) -> Iterator[Finding]:
    for lock_out in digest.lock_outs[:MOST]:
        yield _lock_out(lock_out, digest)
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
