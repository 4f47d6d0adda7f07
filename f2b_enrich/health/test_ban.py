"""One ban followed on its whole way, from the log line to the accepted mail."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from f2b_enrich import spool
from f2b_enrich.errors import SpoolError, StoreError
from f2b_enrich.health.test_ban_jail import TestBanError
from f2b_enrich.inert import cut, printable
from f2b_enrich.model import OutboxState
from f2b_enrich.store import removal, trial
from f2b_enrich.store.connection import open_reader, open_writer, transaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from f2b_enrich.health.fail2ban import Fail2Ban
    from f2b_enrich.health.test_ban_jail import Way
    from f2b_enrich.store.trial import TriedBan

T = TypeVar("T")

_PAUSE = 0.1
_LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What is followed: `jail` is its name in the store, `seconds` the limit of a step.

    Of a jail that `jail_is_new`, made for this, nothing is to stay in the store.
    `spools` are the folders where clients leave what no daemon takes.
    """

    ip: str
    jail: str
    jail_is_new: bool
    store: Path
    spools: tuple[Path, ...]
    seconds: float


def follow(
    way: Way, course: Course, fail2ban: Fail2Ban, *, tell: Callable[[str, float], None]
) -> None:
    """Have the address banned, and wait for row and mail; then remove all of it.

    Each step is told with the seconds since the failures were written. Jail, row, file
    and what lies in the spool are removed however this ends.

    Raises:
        TestBanError: a step did not come about in its time.
    """
    with ExitStack() as stack:
        stack.callback(_forget, course)
        ban = stack.enter_context(way.prepared(course.ip))
        tell(f"jail {way.jail} is ready for {course.ip}", 0.0)
        started = time.monotonic()

        def done(text: str) -> None:
            tell(text, time.monotonic() - started)

        ban()
        _await_ban(way.jail, course, fail2ban)
        done("fail2ban has banned it")
        row = _await_row(course)
        done(f"the daemon has recorded it: ban {row.id}")
        for recipient in _await_mails(course, row.id):
            done(f"the mail server has taken the mail to {recipient}")


def _await_ban(jail: str, course: Course, fail2ban: Fail2Ban) -> None:
    def is_banned() -> bool | None:
        return course.ip in fail2ban.send("status", jail).split() or None

    if _awaited(is_banned, course.seconds) is None:
        raise TestBanError(
            f"fail2ban has not banned {course.ip} within {course.seconds:g} s: "
            "see its log"
        )


def _await_row(course: Course) -> TriedBan:
    row = _awaited(lambda: _read(course), course.seconds)
    if row is not None:
        return row
    if _spooled(course):
        raise TestBanError(
            "the client left the ban in the spool: no daemon took it; "
            "f2b-enrich check tells why"
        )
    raise TestBanError(
        f"no ban of {course.ip} was recorded within {course.seconds:g} s, "
        "and none is in the spool: see fail2ban's log for the action's complaint"
    )


def _await_mails(course: Course, ban_id: str) -> list[str]:
    """Wait until all mails of the ban were taken; give who got them."""

    def settled() -> TriedBan | None:
        row = _read(course)
        if row is None:
            raise TestBanError(f"ban {ban_id} is in the store no more")
        states = {mail.state for mail in row.mails}
        waits = states & {OutboxState.DUE, OutboxState.SENDING}
        return None if waits else row

    row = _awaited(settled, course.seconds)
    if row is None:
        raise TestBanError(
            f"no mail server has taken the mail within {course.seconds:g} s"
            f"{_why(_read(course))}"
        )
    sent = [mail for mail in row.mails if mail.state is OutboxState.SENT]
    if len(sent) < len(row.mails):
        raise TestBanError(f"the mail was not sent{_why(row)}")
    return [printable(mail.recipient) for mail in sent]


def _why(row: TriedBan | None) -> str:
    reasons = [mail.last_error for mail in row.mails if mail.last_error] if row else []
    return f": {cut(printable(reasons[0]), _LONGEST)}" if reasons else ""


def _awaited(look: Callable[[], T | None], seconds: float) -> T | None:
    until = time.monotonic() + seconds
    while (found := look()) is None and time.monotonic() < until:
        time.sleep(_PAUSE)
    return found


def _read(course: Course) -> TriedBan | None:
    if not course.store.exists():
        return None
    with open_reader(course.store) as connection:
        return trial.tried_ban(connection, course.jail, course.ip)


def _spooled(course: Course) -> list[Path]:
    """Find what a client left for the daemon, by the address that nobody else has."""
    mark = f"\0IP={course.ip}\0".encode()
    found = []
    for folder in course.spools:
        for file in spool.waiting(folder, now=time.time()):
            try:
                if mark in spool.read(file, owners=None):
                    found.append(file)
            except SpoolError:
                continue  # a daemon has taken it
    return found


def _forget(course: Course) -> None:
    for file in _spooled(course):
        file.unlink(missing_ok=True)
    if _read(course) is None:
        return
    with open_writer(course.store) as connection, transaction(connection):
        removal.remove_bans(connection, course.jail, course.ip)
        if course.jail_is_new:
            removal.forget_jail(connection, course.jail)


def is_unknown(store: Path, ip: str) -> bool:
    """Tell whether the store has never heard of an address, so that none is lost.

    Raises:
        StoreError: it cannot be read.
    """
    if not store.exists():
        raise StoreError(f"store {store}: there is none yet, the daemon makes it")
    with open_reader(store) as connection:
        return not trial.has_bans(connection, ip)
