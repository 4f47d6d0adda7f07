"""Walks through user names told from guessed passwords, lists in order from others."""

from __future__ import annotations

import random
import string
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.classify.campaigns import (
    LEAST_NAMES,
    MANY_NAMES,
    Try,
    campaign,
    in_order,
)
from f2b_enrich.model import Campaign

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from f2b_enrich.classify.campaigns import Scope

AT = datetime(2026, 11, 1, tzinfo=UTC)
IP = "192.0.2.7"
NAMES = sorted(f"{first}{last}" for first in "abcdefghij" for last in "aeiou")


def parts(names: Sequence[str], size: int) -> list[Sequence[str]]:
    return [names[start : start + size] for start in range(0, len(names), size)]


def bans(
    *names: Iterable[str], ips: Sequence[str] = (IP,), minutes: int = 20
) -> list[Try]:
    """Make a ban of each group of names; the addresses take turns."""
    return [
        Try(
            name=name,
            at=AT + timedelta(minutes=minutes * number),
            ban_id=f"ban {number}",
            ip=ips[number % len(ips)],
        )
        for number, group in enumerate(names)
        for name in group
    ]


def of_address(tries: Iterable[Try]) -> Campaign | None:
    return campaign(tries, scope="address", who=IP)


def test_every_user_from_a_to_z_is_a_walk_in_order() -> None:
    found = of_address(bans(*parts(string.ascii_lowercase, 3)))

    assert found == Campaign(
        kind="user-name-enumeration",
        scope="address",
        who=IP,
        first_at=AT,
        last_at=AT + timedelta(minutes=160),
        bans=9,
        addresses=1,
        names=26,
        in_order=True,
        first_name="a",
        last_name="z",
    )


def test_root_and_admin_in_every_ban_is_password_guessing() -> None:
    assert of_address(bans(*[["root", "admin", "test"]] * 40)) is None
    beside = [["root", "admin", name] for name in NAMES]
    assert of_address(bans(*beside)) is None


def test_root_beside_many_names_is_a_walk_and_not_part_of_it() -> None:
    found = of_address(bans(*(["root", *names] for names in parts(NAMES, 4))))

    assert found is not None
    assert (found.names, found.bans, found.first_name) == (50, 13, "aa")
    assert found.in_order


def test_half_of_the_tries_are_enough_and_less_are_not() -> None:
    half = [["root", name] for name in NAMES]

    assert of_address(bans(*half)) is not None
    assert of_address(bans(*half, ["root"])) is None


def test_a_name_that_a_ban_cuts_off_is_passed_over_all_the_same() -> None:
    tries = [name for name in NAMES for _ in range(3)]

    found = of_address(bans(*(set(group) for group in parts(tries, 5))))

    assert found is not None
    assert (found.names, found.in_order) == (50, True)


def test_the_same_list_over_and_over_is_password_guessing() -> None:
    once = parts(NAMES, 5)

    assert of_address(bans(*once, *once)) is not None
    assert of_address(bans(*once, *once, *once)) is None


@pytest.mark.parametrize(("size", "is_one"), [(6, False), (4, True)])
def test_two_bans_are_no_walk(size: int, *, is_one: bool) -> None:
    assert (of_address(bans(*parts(NAMES[:12], size))) is not None) is is_one


@pytest.mark.parametrize("scope", ["address", "subnet", "network"])
def test_a_few_names_are_no_walk(scope: Scope) -> None:
    least = LEAST_NAMES[scope]
    ips = ("192.0.2.1", "198.51.100.1", "203.0.113.1")

    def walk(names: Sequence[str]) -> Campaign | None:
        return campaign(bans(*parts(names, 3), ips=ips), scope=scope, who="AS64500")

    assert walk(NAMES[: least - 1]) is None
    assert walk(NAMES[:least]) is not None


@pytest.mark.parametrize("scope", ["address", "subnet", "network"])
def test_names_in_no_order_are_a_walk_when_they_are_many(scope: Scope) -> None:
    many = MANY_NAMES[scope]
    ips = ("192.0.2.1", "198.51.100.1", "203.0.113.1")

    def walk(names: Sequence[str]) -> Campaign | None:
        return campaign(bans(*parts(names, 4), ips=ips), scope=scope, who="AS64500")

    found = walk(NAMES[many - 1 :: -1])
    assert found is not None
    assert (found.names, found.in_order) == (many, False)
    assert walk(NAMES[many - 2 :: -1]) is None


def test_a_robots_list_of_usual_names_is_no_walk() -> None:
    usual = ["root", "admin", "test", "ubuntu", "user", "oracle", "postgres", "pi"]
    usual += ["git", "mysql", "ftpuser", "debian", "support", "guest", "deploy"]

    assert of_address(bans(*parts(usual, 5))) is None
    assert of_address(bans(*parts(sorted(usual), 5))) is not None


def test_nothing_is_no_walk() -> None:
    assert of_address([]) is None


def test_names_of_another_case_are_others() -> None:
    both = [name for lower in NAMES[:6] for name in (lower, lower.upper())]

    found = of_address(bans(*parts(both, 3)))

    assert found is not None
    assert (found.names, found.in_order) == (12, True)


def test_mail_accounts_are_names() -> None:
    found = of_address(bans(*parts([f"{name}@corp.example" for name in NAMES], 5)))

    assert found is not None
    assert (found.first_name, found.last_name) == ("aa@corp.example", "ju@corp.example")


def test_bans_of_one_moment_are_a_walk_whose_order_nobody_knows() -> None:
    found = of_address(bans(*parts(NAMES, 5), minutes=0))

    assert found is not None
    assert (found.in_order, found.first_name, found.last_name) == (False, "aa", "ju")


SUBNET = ("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4")


def of_subnet(tries: Iterable[Try]) -> Campaign | None:
    return campaign(tries, scope="subnet", who="192.0.2.0/24")


def test_a_list_dealt_out_among_addresses_is_the_walk_of_their_subnet() -> None:
    found = of_subnet(bans(*parts(NAMES, 5), ips=SUBNET))

    assert found is not None
    assert (found.who, found.addresses, found.names) == ("192.0.2.0/24", 4, 50)
    assert (found.bans, found.in_order) == (10, True)


def test_addresses_that_try_the_same_names_share_no_walk() -> None:
    turns = [names for names in parts(NAMES, 5) for _ in range(2)]

    assert of_subnet(bans(*turns, ips=SUBNET[:2])) is None


def test_a_fifth_of_the_names_may_be_tried_by_several() -> None:
    own, again = parts(NAMES, 5), NAMES[:10]

    def walk(repeated: Sequence[str]) -> Campaign | None:
        here, there = bans(*own, ips=SUBNET), bans(repeated, ips=["192.0.2.9"])
        return of_subnet([*here, *there])

    assert walk(again) is not None
    assert walk([*again, NAMES[10]]) is None


def test_the_walk_of_one_address_is_not_that_of_its_subnet() -> None:
    groups = parts(NAMES[:40], 5)

    assert of_subnet(bans(*groups, ips=SUBNET[:1])) is None
    assert of_subnet(bans(*groups, ips=[*SUBNET[:1] * 7, SUBNET[1]])) is None
    assert of_subnet(bans(*groups, ips=[*SUBNET[:1] * 3, SUBNET[1]])) is not None


@pytest.mark.parametrize(
    ("ips", "is_one"),
    [
        (SUBNET, False),
        (("192.0.2.1", "198.51.100.2"), True),
        (("2001:db8:0:1::1", "2001:db8:0:1::2"), False),
        (("2001:db8:0:1::1", "2001:db8:0:2::1"), True),
        (("198.51.100.0/22", "198.51.101.0/22"), False),
        (("host1.example", "host2.example"), True),
    ],
)
def test_a_network_shares_a_walk_when_two_subnets_do(
    ips: Sequence[str], *, is_one: bool
) -> None:
    found = campaign(bans(*parts(NAMES, 5), ips=ips), scope="network", who="AS64500")

    assert (found is not None) is is_one


TRIES = st.lists(
    st.builds(
        Try,
        name=st.text(min_size=1, max_size=3),
        at=st.integers(0, 50).map(lambda hours: AT + timedelta(hours=hours)),
        ban_id=st.integers(0, 30).map(str),
        ip=st.sampled_from([*SUBNET, "198.51.100.2", "2001:db8::7", "host1.example"]),
    ),
    max_size=60,
)
SCOPES = st.sampled_from(sorted(LEAST_NAMES))


@given(TRIES, SCOPES, st.randoms(use_true_random=False))
def test_it_does_not_matter_in_which_order_tries_are_given(
    tries: list[Try], scope: Scope, chance: random.Random
) -> None:
    shuffled = chance.sample(tries, len(tries))

    assert campaign(tries, scope=scope, who="x") == campaign(
        shuffled, scope=scope, who="x"
    )


@given(TRIES, SCOPES)
def test_what_is_named_is_among_what_was_tried(tries: list[Try], scope: Scope) -> None:
    found = campaign(tries, scope=scope, who="x")

    if found is not None:
        names = {each.name for each in tries}
        assert {found.first_name, found.last_name} <= names
        least = LEAST_NAMES if found.in_order else MANY_NAMES
        assert least[scope] <= found.names <= len(names)
        assert 3 <= found.bans <= len({each.ban_id for each in tries})
        assert 1 <= found.addresses <= len({each.ip for each in tries})
        assert found.first_at <= found.last_at


WORDS = st.text(string.ascii_letters + string.digits + "._-@", min_size=1, max_size=8)
LISTS = st.lists(WORDS, min_size=20, max_size=80, unique_by=str.casefold).map(
    lambda words: sorted(words, key=str.casefold)
)


@given(LISTS, st.integers(1, 6), st.integers())
def test_a_shuffled_list_is_in_no_order(words: list[str], size: int, seed: int) -> None:
    # A seed may put a short list in order by chance, but not three times in a row.
    chance = random.Random(seed)
    shuffles = [chance.sample(words, len(words)) for _ in range(3)]

    assert not all(in_order(parts(shuffled, size)) for shuffled in shuffles)


@given(LISTS, st.integers(1, 6), st.data())
def test_a_list_with_a_few_steps_back_is_in_order(
    words: list[str], size: int, data: st.DataObject
) -> None:
    for _ in range(len(words) // 20):
        moved = words.pop(data.draw(st.integers(0, len(words) - 1)))
        words.insert(data.draw(st.integers(0, len(words))), moved)

    assert in_order(parts(words, size))


@given(LISTS, st.integers(1, 6))
def test_a_list_backwards_is_in_no_order(words: list[str], size: int) -> None:
    assert not in_order(parts(words[::-1], size))


def test_hardly_any_small_shuffled_list_is_in_order() -> None:
    chance = random.Random(1)
    names = NAMES[:20]
    shuffles = (chance.sample(names, len(names)) for _ in range(2000))

    assert sum(in_order(parts(names, 5)) for names in shuffles) <= 5


def test_a_list_that_begins_anew_is_in_order() -> None:
    letters = list(string.ascii_lowercase)

    assert in_order(parts([*letters, *NAMES], 4))


def test_those_who_walk_side_by_side_are_in_order() -> None:
    dealt = [[hand[start::5] for start in range(5)] for hand in parts(NAMES, 25)]

    assert in_order(group for hand in dealt for group in reversed(hand)) is False
    words = [f"{number:03}" for number in range(300)]
    dealt = [[hand[start::5] for start in range(5)] for hand in parts(words, 25)]
    assert in_order(group for hand in dealt for group in reversed(hand))


@pytest.mark.parametrize("times", [[], [["a"]], [["a"], ["b"]]])
def test_two_times_are_no_order(times: list[list[str]]) -> None:
    assert not in_order(times)
