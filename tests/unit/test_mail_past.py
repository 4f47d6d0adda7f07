"""An address's history in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta, timezone

import pytest

from f2b_enrich.mail.past import lines, records
from f2b_enrich.mail.sample import known
from f2b_enrich.model import Neighbours, Tally

_ALERT = known()
assert _ALERT.history is not None
PAST = _ALERT.history
T = _ALERT.ban.banned_at


def said(**changes: object) -> list[str]:
    past = replace(PAST, **changes)  # type: ignore[arg-type]
    return [" ".join(line) for line in lines(past, UTC)]


def tallies(count: int, bans: int = 1) -> tuple[Tally, ...]:
    return tuple(Tally(name=f"n{at}", bans=bans, first_at=T) for at in range(count))


def test_a_history_in_three_lines() -> None:
    assert said() == [
        "7 bans here: sshd 6, postfix-sasl 1; "
        "first 2026-09-30 19:14, previous 2026-11-19 19:14",
        "192.0.2.0/24, last 30 days: 4 other addresses, "
        "16 bans (.9 8, .13 5, .40 2, ...)",
        "other hosts: mail1 3 bans, web2 1 ban; first there 2026-10-04",
    ]


def test_a_first_ban_has_no_earlier_times() -> None:
    first = said(nth=1, jails=tallies(1), first_at=T, previous_at=None)[0]

    assert first == "1 ban here: n0"


def test_of_two_bans_the_first_is_the_previous() -> None:
    first = said(nth=2, previous_at=PAST.first_at)[0]

    assert first.endswith("; previous 2026-09-30 19:14")


def test_repeats_are_counted_apart_from_bans() -> None:
    assert said(repeats=2)[0].endswith(
        ", previous 2026-11-19 19:14; 2 repeats by jails that watch fail2ban"
    )
    once = said(nth=1, jails=tallies(1), previous_at=None, repeats=1)[0]
    assert once == "1 ban here: n0; 1 repeat by a jail that watches fail2ban"


@pytest.mark.parametrize(
    ("repeats", "told"),
    [
        (0, "no ban here"),
        (1, "no ban here but 1 repeat by a jail that watches fail2ban"),
        (1200, "no ban here but 1,200 repeats by jails that watch fail2ban"),
    ],
)
def test_there_may_be_nothing_but_repeats(repeats: int, told: str) -> None:
    past = said(nth=0, jails=(), first_at=T, previous_at=None, repeats=repeats)

    assert past[0] == told


def test_a_quiet_neighbourhood_and_one_without_a_subnet() -> None:
    near = Neighbours(subnet="192.0.2.0/24", days=30, addresses=0, bans=0, most=())

    assert said(neighbours=near)[1] == "192.0.2.0/24, last 30 days: no other address"
    assert len(said(neighbours=None, other_hosts=())) == 1


def test_one_neighbour_is_named_in_the_singular_and_in_whole_for_ipv6() -> None:
    most = (Tally(name="2001:db8::9", bans=1, first_at=T),)
    near = Neighbours(subnet="2001:db8::/64", days=30, addresses=1, bans=1, most=most)

    assert said(neighbours=near)[1] == (
        "2001:db8::/64, last 30 days: 1 other address, 1 ban (2001:db8::9 1)"
    )


def test_many_jails_and_hosts_are_counted_rather_than_named() -> None:
    first, _, last = said(nth=7_000, jails=tallies(7, 1_000), other_hosts=tallies(6))

    assert first.startswith("7,000 bans here: n0 1,000, ")
    assert "n4 1,000, 2 more jails; first" in first
    assert "n4 1 ban, 1 more host; first there" in last


def test_the_records_say_what_was_imported_and_on_whose_calendar() -> None:
    tokyo = timezone(timedelta(hours=9), "JST")

    assert records(PAST, UTC) == "own records since 2024-03-02; 1 of the 7 imported"
    assert records(replace(PAST, imported=0), tokyo) == "own records since 2024-03-03"
