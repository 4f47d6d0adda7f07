"""Looking for those of our mails that came back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from f2b_enrich import inert
from f2b_enrich.mail import bounces, mailboxes
from f2b_enrich.outbox import LIFETIME
from f2b_enrich.store import bounces as store_bounces
from f2b_enrich.store.bounces import Mailbox, Returned

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from f2b_enrich.config_channels import BounceSettings
    from f2b_enrich.daemon.commits import Commits
    from f2b_enrich.daemon.reads import Reads

log = structlog.get_logger(__name__)

LOOK_SECONDS = 60.0
LONGEST_LULL = 10.0

FIRST_LOOK = LIFETIME + timedelta(days=1)
"""How far back a Maildir is read the first time: older mails are bounces no more."""

OVERLAP = timedelta(hours=1)
"""What is read again after a start, for clocks and slow deliveries."""


class Bouncing:
    """Read the mailboxes that bounces arrive in, minute by minute."""

    def __init__(
        self,
        settings: BounceSettings,
        commits: Commits,
        reads: Reads,
        *,
        now: Callable[[], datetime],
        wait: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._commits = commits
        self._reads = reads
        self._now = now
        self._wait = wait
        self._seen: frozenset[str] = frozenset()

    @property
    def has_mailbox(self) -> bool:
        """Whether there is any mailbox to look into."""
        return self._settings.maildir is not None or self._settings.mbox is not None

    async def step(self) -> None:
        """Look into each mailbox once, then wait if nothing is left in them."""
        await self._commits.lull(most=LONGEST_LULL)
        done = True
        if self._settings.maildir is not None:
            done &= await self._look(self._settings.maildir, self._from_maildir)
        if self._settings.mbox is not None:
            done &= await self._look(self._settings.mbox, self._from_mbox)
        if done:
            await self._wait(LOOK_SECONDS)

    async def _look(
        self,
        path: Path,
        look: Callable[[Path, Mailbox, Callable[[bytes], None]], tuple[Mailbox, bool]],
    ) -> bool:
        """Read one mailbox; tell whether nothing is left in it."""
        before = await self._reads.run(
            partial(store_bounces.mailbox, path=str(path))
        ) or Mailbox(path=str(path), read_at=None)
        found: list[Returned] = []
        try:
            after, done = await asyncio.to_thread(
                look, path, before, partial(_take, found)
            )
        except OSError as exc:
            if _comes_later(path):
                return True
            after, done = _unreadable(before, exc), True
        if after.problem is not None and after.problem != before.problem:
            log.warning("bounces not read", path=str(path), reason=after.problem)
        if found or _is_news(before, after):
            noted = await self._commits.submit(
                partial(_save, found=found, mailbox=after, now=self._now())
            )
            for row_id in noted:
                log.warning("mail came back", id=row_id)
        return done

    def _from_maildir(
        self, path: Path, before: Mailbox, take: Callable[[bytes], None]
    ) -> tuple[Mailbox, bool]:
        now = self._now()
        since = now - FIRST_LOOK
        if before.read_at is not None:
            since = max(since, min(before.read_at, now) - OVERLAP)
        seen = mailboxes.new_mails(path, take, since=since.timestamp(), seen=self._seen)
        self._seen = seen.names
        # Until all is read, and could be, the next look begins where this one did.
        done = seen.is_all and seen.problem is None
        read_at = now if done else before.read_at
        after = Mailbox(
            path=before.path, read_at=read_at, problem=_words(seen.problem, path)
        )
        return after, seen.is_all

    def _from_mbox(
        self, path: Path, before: Mailbox, take: Callable[[bytes], None]
    ) -> tuple[Mailbox, bool]:
        now = self._now()
        place = None
        if before.read_at is not None:
            place = mailboxes.Place(position=before.position, mark=before.mark)
        progress = mailboxes.further_mails(path, take, after=place, now=now.timestamp())
        after = Mailbox(
            path=before.path,
            read_at=now,
            position=progress.place.position,
            mark=progress.place.mark,
            problem=_words(progress.problem, path),
        )
        return after, progress.is_all


def returned(mail: bytes) -> Returned | None:
    """Read what came back, if it did for good: a server goes on trying what is late."""
    bounce = bounces.read(mail)
    if bounce is None or not bounce.is_failure:
        return None
    return Returned(
        message_id=bounce.message_id,
        recipient=bounce.recipient,
        status=bounce.status,
        diagnostic=bounce.diagnostic,
    )


def _take(found: list[Returned], mail: bytes) -> None:
    read = returned(mail)
    if read is not None:
        found.append(read)


def _save(
    connection: sqlite3.Connection,
    *,
    found: Sequence[Returned],
    mailbox: Mailbox,
    now: datetime,
) -> list[int]:
    """Note what is ours and how far it was read, both or neither; tell what is new."""
    noted = [store_bounces.note(connection, each, now=now) for each in found]
    store_bounces.keep(connection, mailbox)
    return [each.row_id for each in noted if each is not None and each.is_new]


def _is_news(before: Mailbox, after: Mailbox) -> bool:
    """Tell whether there is anything to keep: a quiet mailbox costs no write.

    The time is kept now and then, for a Maildir is read from it on after a start.
    """
    if before.read_at is None or after.read_at is None:
        return before != after
    return (
        (before.position, before.mark, before.problem)
        != (after.position, after.mark, after.problem)
    ) or after.read_at - before.read_at >= OVERLAP


def _comes_later(path: Path) -> bool:
    """Tell a mailbox that is made with the first mail from what is none."""
    return not path.exists() and path.parent.is_dir()


def _unreadable(before: Mailbox, error: OSError) -> Mailbox:
    return Mailbox(
        path=before.path,
        read_at=before.read_at,
        position=before.position,
        mark=before.mark,
        problem=_words(error, Path(before.path)),
    )


def _words(error: OSError | None, mailbox: Path) -> str | None:
    """Say why, and of which file where it is not the mailbox itself."""
    if error is None:
        return None
    reason = error.strerror or str(error)
    if error.filename is None or Path(error.filename) == mailbox:
        return reason
    return f"{inert.printable(Path(error.filename).name)}: {reason}"
