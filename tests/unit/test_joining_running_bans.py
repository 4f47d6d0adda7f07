"""Bans told line by line: what is sure is what all lines together come to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.joining.joining import join
from f2b_enrich.joining.running_bans import RunningBans
from f2b_enrich.joining.sightings import Sighting

if TYPE_CHECKING:
    from f2b_enrich.joining.running_bans import LoggedBan, LoggedLine

IPS = "192.0.2.7", "192.0.2.8", "2001:db8::7"
lines = st.tuples(
    st.integers(0, 12),
    st.sampled_from(["ban", "ban", "unban"]),
    st.sampled_from(["sshd", "dovecot"]),
    st.sampled_from(IPS),
)
logs = st.lists(lines, max_size=12).flatmap(
    lambda some: st.sampled_from([some, sorted(some)])
)


def lines_of(bans: list[LoggedBan]) -> list[LoggedLine]:
    told: list[LoggedLine] = []
    for ip, jail, at, ended_at in bans:
        told.append((at, "ban", jail, ip))
        if ended_at is not None:
            told.append((ended_at, "unban", jail, ip))
    return told


def joined(told: list[LoggedLine], ip: str) -> list[LoggedBan]:
    decision = join(
        Sighting(kind, "logged", "log", at, jail)
        for at, kind, jail, of in told
        if of == ip
    )
    assert decision.loose == ()
    return [(ip, ban.jail or "", ban.at, ban.unbanned_at) for ban in decision.bans]


@given(
    st.lists(logs, max_size=5),
    st.sampled_from([1, 2, 100]),
    st.sampled_from([0.0, 3.0]),
    st.sets(st.sampled_from(IPS), max_size=1),
)
def test_what_is_sure_is_what_its_lines_come_to(
    of_logs: list[list[LoggedLine]], most: int, since: float, in_doubt: set[str]
) -> None:
    running = RunningBans(since=since, most=most)
    bans: list[LoggedBan] = []
    left: list[LoggedLine] = []
    for log in of_logs:
        for half in (log[: len(log) // 2], log[len(log) // 2 :]):
            told = running.take(half, in_doubt=in_doubt)
            bans += told.bans
            left += told.left
        bans += running.end_log()

    sure = lines_of(bans)
    assert Counter(sure + left) == Counter(line for log in of_logs for line in log)
    for ip in IPS:
        assert Counter(joined(sure, ip)) == Counter(ban for ban in bans if ban[0] == ip)
    assert all(at >= since for _, _, at, _ in bans)
    assert in_doubt.isdisjoint(ip for ip, _, _, _ in bans)
    assert len(set(bans)) == len(bans)


def test_a_log_in_order_leaves_nothing() -> None:
    running = RunningBans()
    log: list[LoggedLine] = [
        (10, "ban", "sshd", "192.0.2.7"),
        (12, "ban", "dovecot", "192.0.2.7"),
        (610, "unban", "sshd", "192.0.2.7"),
        (611, "ban", "sshd", "192.0.2.7"),
        (700, "ban", "sshd", "192.0.2.7"),
    ]

    told = running.take(log)

    assert told.left == []
    assert told.bans == [
        ("192.0.2.7", "sshd", 10, 610),
        ("192.0.2.7", "sshd", 611, None),
    ]
    assert sorted(running.end_log()) == [
        ("192.0.2.7", "dovecot", 12, None),
        ("192.0.2.7", "sshd", 700, None),
    ]


@pytest.mark.parametrize(
    "doubtful",
    [
        (5, "unban", "sshd", "192.0.2.7"),
        (10, "unban", "sshd", "192.0.2.7"),
        (10, "ban", "sshd", "192.0.2.7"),
        (11, "ban", "sshd", "192.0.2.7"),
        (20, "unban", "dovecot", "192.0.2.7"),
        (20, "unban", "sshd", "192.0.2.8"),
    ],
)
def test_a_line_in_doubt_is_left(doubtful: LoggedLine) -> None:
    running = RunningBans()
    running.take([(10, "ban", "sshd", "192.0.2.7")])

    assert running.take([doubtful]) == ([], [doubtful])


def test_what_was_forgotten_is_in_doubt() -> None:
    running = RunningBans(most=2)
    some: list[LoggedLine] = [
        (at, "ban", "sshd", f"192.0.2.{at}") for at in (1, 2, 3, 4)
    ]

    told = running.take(some)

    assert told.bans == [("192.0.2.1", "sshd", 1, None), ("192.0.2.2", "sshd", 2, None)]
    again: list[LoggedLine] = [(3, "ban", "sshd", "192.0.2.1"), some[3]]
    assert running.take(again).left == again
    assert running.take([(4, "ban", "sshd", "192.0.2.1")]).left == []
