"""What jails hold beside what stands: zones told by it, and nothing ended in doubt."""

from __future__ import annotations

import pytest

from f2b_enrich.cli.reconcile_lists import HeldLists, beside
from f2b_enrich.health.held_bans import HeldBan, HeldList
from f2b_enrich.store.in_force import StandingBan

AT = 1_795_293_841
HOUR = 3600


def held(ip: str, *at: int) -> HeldBan:
    return HeldBan(ip=ip, at=at, bantime_seconds=86_400)


def standing(ip: str, at: int = AT, *, is_exact: bool = True) -> StandingBan:
    return StandingBan(
        id=f"{ip} {at}",
        jail="sshd",
        ip=ip,
        at=at,
        is_exact=is_exact,
        announced_at="2026-11-21T20:14:03Z",
    )


def lists(*bans: HeldBan, unread: int = 0, known: list[StandingBan]) -> HeldLists:
    told = {"ssh": HeldList(bans=bans, unread=unread), "SSH": HeldList()}
    return beside(told, {"ssh": "sshd", "SSH": "sshd"}, known)


@pytest.mark.parametrize("ahead", [0, 2 * HOUR, -5 * HOUR, 20_700, -12_600])
@pytest.mark.parametrize("fraction", [0, 1])
def test_the_zone_is_told_by_the_bans_that_are_known(ahead: int, fraction: int) -> None:
    known = [standing(ip) for ip in ("192.0.2.1", "192.0.2.2")]
    at = AT - fraction + ahead

    found = lists(held("192.0.2.1", at), held("192.0.2.2", at), known=known)

    assert found.ahead == ahead
    assert all(found.may_hold(ban, whenever=False) for ban in known)
    assert found.at(("sshd", "192.0.2.1")) == [held("192.0.2.1", AT - fraction)]


@pytest.mark.parametrize("steps", [-2, 1, 898, 27 * HOUR])
def test_another_ban_of_the_address_tells_no_zone(steps: int) -> None:
    ban = standing("192.0.2.1")

    found = lists(held("192.0.2.1", AT + steps), known=[ban])

    assert found.ahead == 0
    assert not found.may_hold(ban, whenever=False)
    assert found.may_hold(ban, whenever=True)


def test_most_bans_decide_which_zone_it_is() -> None:
    ips = [f"192.0.2.{number}" for number in range(3)]
    known = [standing(ip) for ip in ips]
    again, *others = (held(ip, AT) for ip in ips)

    assert lists(again.earlier(900), *others, known=known).ahead == 0
    found = lists(again.earlier(900), others[0], known=known)
    assert found.ahead is None
    assert found.at(("sshd", ips[1])) == []
    may_hold = [found.may_hold(ban, whenever=False) for ban in known]
    assert may_hold == [True, True, False]


def test_an_hour_that_comes_twice_is_ours_if_it_may_be() -> None:
    known = [standing("192.0.2.1")]

    assert lists(held("192.0.2.1", AT - HOUR, AT), known=known).ahead == 0


def test_a_ban_without_the_time_of_its_failure_tells_no_zone() -> None:
    ban = standing("192.0.2.1", is_exact=False)

    found = lists(held("192.0.2.1", AT + HOUR), known=[ban])

    assert found.ahead == 0
    assert found.may_hold(ban, whenever=False)


def test_a_jail_with_a_line_that_cannot_be_read_may_hold_anything() -> None:
    ban = standing("192.0.2.1")

    assert lists(known=[ban], unread=1).may_hold(ban, whenever=True)
    assert not lists(known=[ban]).may_hold(ban, whenever=True)
