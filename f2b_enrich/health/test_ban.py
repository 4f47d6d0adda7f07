"""One ban followed on its whole way, from the log line to the accepted mail."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, TypeVar

from f2b_enrich.health import test_ban_traces as traces
from f2b_enrich.health.test_ban_jail import TestBanError
from f2b_enrich.inert import cut, printable
from f2b_enrich.model import OutboxState

if TYPE_CHECKING:
    from collections.abc import Callable

    from f2b_enrich.health.fail2ban import Fail2Ban
    from f2b_enrich.health.test_ban_jail import Way
    from f2b_enrich.health.test_ban_traces import Course
    from f2b_enrich.store.trial import TriedBan, TriedMail

T = TypeVar("T")

_LONGEST = 300
_LOOKS_EVERY = 15.0
"""Seconds until the daemon sees what another program let leave."""

_FATES = {
    OutboxState.HELD: "wait for a digest",
    OutboxState.FOLDED: "be part of another one",
    OutboxState.SKIPPED: "be left out",
}


def follow(
    way: Way,
    course: Course,
    fail2ban: Fail2Ban,
    *,
    tell: Callable[[str, float], None],
    is_told_to_end: Callable[[], bool],
) -> None:
    """Have the address banned, and wait for row and mail; then remove all of it.

    Each step is told with the seconds since the failures were written. Jail, row, file
    and what lies in the spool are removed however this ends: who wants it to end early
    says so by `is_told_to_end`, and nothing breaks the removal off.

    Raises:
        TestBanError: a step did not come about in its time, or another test runs.
        KeyboardInterrupt: it was told to end.
    """
    following = _Following(course, fail2ban, is_told_to_end)
    with traces.alone(course), ExitStack() as stack:
        stack.callback(following.forget)
        ban = stack.enter_context(way.prepared(course.ip))
        traces.remove(course)  # of tests that were killed
        tell(f"jail {way.jail} is ready for {course.ip}", 0.0)
        started = time.monotonic()

        def done(text: str) -> None:
            tell(text, time.monotonic() - started)

        following.begin(ban)
        following.await_ban(way.jail)
        done("fail2ban has banned it")
        row = following.await_row()
        done(f"the daemon has recorded it: ban {row.id}")
        for recipient in following.await_mails(row.id, tell=done):
            done(f"the mail server has taken the mail to {recipient}")


class _Following:
    def __init__(
        self, course: Course, fail2ban: Fail2Ban, is_told_to_end: Callable[[], bool]
    ) -> None:
        self._course = course
        self._fail2ban = fail2ban
        self._is_told_to_end = is_told_to_end
        self._has_begun = False

    def begin(self, ban: Callable[[], None]) -> None:
        self._has_begun = True
        ban()

    def forget(self) -> None:
        if self._has_begun:
            traces.await_last(self._course)
        traces.remove(self._course)

    def await_ban(self, jail: str) -> None:
        ip, seconds = self._course.ip, self._course.seconds

        def is_banned() -> bool | None:
            return ip in self._fail2ban.send("status", jail).split() or None

        if self._awaited(is_banned) is None:
            raise TestBanError(
                f"fail2ban has not banned {ip} within {seconds:g} s: see its log"
            )

    def await_row(self) -> TriedBan:
        course = self._course
        row = self._awaited(lambda: traces.recorded(course))
        if row is not None:
            return row
        if traces.spooled(course):
            later = (
                "the next test-ban removes it"
                if course.is_ours_alone
                else f"its ban of {course.ip} stays in the store"
            )
            raise TestBanError(
                "the client left the ban in the spool: no daemon answered; f2b-enrich "
                f"check tells why; should one that hangs record it yet, {later}"
            )
        raise TestBanError(
            f"no ban of {course.ip} was recorded within {course.seconds:g} s, "
            "and none is in the spool: see fail2ban's log for the action's complaint"
        )

    def await_mails(self, ban_id: str, *, tell: Callable[[str], None]) -> list[str]:
        """Wait until all mails of the ban were taken; give who got them.

        Those that [alerts] keeps from leaving do so all the same: it is mail that is
        tried.
        """
        seconds = self._course.seconds
        row = self._settled(ban_id, seconds)
        if row is not None and any(mail.state in _FATES for mail in row.mails):
            for mail in traces.release(self._course, ban_id):
                tell(f"{_kept(mail)}: sent all the same, for the test")
            seconds += _LOOKS_EVERY
            row = self._settled(ban_id, seconds)
        if row is None:
            raise TestBanError(
                f"no mail server has taken the mail within {seconds:g} s"
                f"{_why(traces.recorded(self._course))}"
            )
        if not row.mails:
            raise TestBanError("the ban has no mail: no recipient is configured")
        sent = [mail for mail in row.mails if mail.state is OutboxState.SENT]
        if len(sent) < len(row.mails):
            raise TestBanError(f"the mail was not sent{_why(row)}")
        return [printable(mail.recipient) for mail in sent]

    def _settled(self, ban_id: str, seconds: float) -> TriedBan | None:
        """Wait until no mail of the ban is on its way."""

        def settled() -> TriedBan | None:
            row = traces.recorded(self._course)
            if row is None:
                raise TestBanError(f"ban {ban_id} is in the store no more")
            states = {mail.state for mail in row.mails}
            waits = states & {OutboxState.DUE, OutboxState.SENDING}
            return None if waits else row

        return self._awaited(settled, seconds)

    def _awaited(
        self, look: Callable[[], T | None], seconds: float | None = None
    ) -> T | None:
        def look_or_end() -> T | None:
            if self._is_told_to_end():
                raise KeyboardInterrupt
            return look()

        return traces.awaited(look_or_end, seconds or self._course.seconds)


def _kept(mail: TriedMail) -> str:
    """Say what would have become of a mail."""
    reason = (
        f" ({cut(printable(mail.last_error), _LONGEST)})" if mail.last_error else ""
    )
    return f"the mail would {_FATES[mail.state]}{reason}"


def _why(row: TriedBan | None) -> str:
    reasons = [mail.last_error for mail in row.mails if mail.last_error] if row else []
    return f": {cut(printable(reasons[0]), _LONGEST)}" if reasons else ""
