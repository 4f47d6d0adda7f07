"""The bans of a log, told line by line, where each line is of one of them for sure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from f2b_enrich.joining.course import SAME_LINE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    _Key: TypeAlias = tuple[str, str]

LoggedLine: TypeAlias = tuple[int, Literal["ban", "unban"], str, str]
"""Unix seconds, what fail2ban did, jail, address."""

LoggedBan: TypeAlias = tuple[str, str, int, int | None]
"""Address, jail, when it began, and when it ended if that was seen; Unix seconds."""

MOST_RUNNING = 100_000
"""Jails and addresses kept in mind, some 25 MB."""


class Told(NamedTuple):
    """The bans of which no further line tells, and the lines that are in doubt."""

    bans: list[LoggedBan]
    left: list[LoggedLine]


class RunningBans:
    """Goes along the logs of one host, one after the other.

    With the lines that are left for `join`, the bans come to the same as if `join` had
    been given all lines: each ban stands for its line and that of its end.
    """

    def __init__(self, *, since: float = 0.0, most: int = MOST_RUNNING) -> None:
        """Leave all that began before `since`, in Unix seconds."""
        self._since = since
        self._most = most
        # Twice the second in which a ban began; once it ended, that second's, and one.
        self._known: dict[_Key, int] = {}
        self._of_other_logs: set[_Key] = set()
        self._latest = 0

    def take(
        self, lines: Iterable[LoggedLine], *, in_doubt: Collection[str] = ()
    ) -> Told:
        """Take the next lines of a log; `in_doubt` are addresses to be left."""
        told = Told([], [])
        known, elsewhere, since = self._known, self._of_other_logs, self._since
        for line in lines:
            at, kind, jail, ip = line
            key = ip, jail
            state = known.get(key)
            if kind == "unban":
                if state is None or state & 1 or at <= state >> 1:
                    told.left.append(line)
                    continue
                told.bans.append((ip, jail, state >> 1, at))
                known[key] = at << 1 | 1
                continue
            if state is None:
                is_sure = at >= since and ip not in in_doubt and key not in elsewhere
            else:
                is_sure = at > (state >> 1) + SAME_LINE * (~state & 1)
            if not is_sure:
                told.left.append(line)
                continue
            if state is not None and not state & 1:
                told.bans.append((ip, jail, state >> 1, None))
            known[key] = at << 1
        if len(known) > self._most:
            told.bans.extend(self._forget_older_half())
        return told

    def end_log(self) -> list[LoggedBan]:
        """Give the bans whose end was not seen; another log may tell of any ban too."""
        running = _unended(self._known)
        self._latest = max(self._latest, max(self._known.values(), default=0))
        self._of_other_logs.update(self._known)
        if len(self._of_other_logs) > self._most:
            self._leave_until(self._latest)
            self._of_other_logs.clear()
        self._known.clear()
        return running

    def _forget_older_half(self) -> list[LoggedBan]:
        states = sorted(self._known.values())
        middle = states[(len(states) - 1) // 2]
        older = {key: state for key, state in self._known.items() if state <= middle}
        for key in older:
            del self._known[key]
        self._leave_until(middle)
        return _unended(older)

    def _leave_until(self, state: int) -> None:
        """Leave lines as old as what was forgotten, which they may tell of as well."""
        self._since = max(self._since, (state >> 1) + SAME_LINE + 1)


def _unended(known: dict[_Key, int]) -> list[LoggedBan]:
    running = [(state, key) for key, state in known.items() if not state & 1]
    return [(ip, jail, state >> 1, None) for state, (ip, jail) in sorted(running)]
