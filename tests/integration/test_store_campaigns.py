"""Who may walk through user names, asked of real stores; campaigns saved and found."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.address import read_address
from f2b_enrich.classify.campaigns import (
    FEW_BANS,
    LEAST_BANS,
    LEAST_NAMES,
    MOSTLY,
    SPLIT,
    Try,
    campaign,
)
from f2b_enrich.model import Campaign
from f2b_enrich.store import campaigns, chores
from f2b_enrich.store.campaigns import MOST_CANDIDATES, MOST_TRIES, Signs
from tests.stores import NOW, StoreBuilder, event, located

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from f2b_enrich.classify.campaigns import Scope

DAY = timedelta(days=1)
SINCE = NOW - 30 * DAY
NAMES = tuple(a + b for a, b in product("abcdefghij", "aeiou"))
SCOPES: tuple[Scope, ...] = ("address", "subnet", "network")


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return StoreBuilder(tmp_path / "bans.db")


def signs(scope: Scope) -> Signs:
    return Signs(
        bans=LEAST_BANS,
        names=LEAST_NAMES[scope],
        few=FEW_BANS,
        mostly=MOSTLY,
        split=0 if scope == "address" else SPLIT,
    )


def found(store: StoreBuilder, scope: Scope = "address") -> dict[str, int]:
    """Give the candidates, and how many tries of each are to be read."""
    with store.reading() as connection:
        listed = campaigns.candidates(
            connection, scope, signs(scope), since=SINCE, until=NOW
        )
    return {each.who: each.tries for each in listed}


def read(store: StoreBuilder, scope: Scope, *whose: str) -> dict[str, set[str]]:
    """Give the names whose tries are read."""
    with store.reading() as connection:
        listed = campaigns.tries(
            connection,
            scope,
            whose,
            lambda name, *_: name,
            since=SINCE,
            until=NOW,
        )
        return {who: set(names) for who, names in listed}


def walk(
    store: StoreBuilder,
    *ips: str,
    names: Sequence[str] = NAMES,
    jail: str = "sshd",
    until: datetime = NOW,
) -> None:
    """Record a ban for every five names, the addresses taking turns, and class them."""
    groups = [names[start : start + 5] for start in range(0, len(names), 5)]
    store.record(
        *(
            event(
                ips[number % len(ips)],
                at=until - timedelta(hours=len(groups) - number),
                jail=jail,
                lines=tuple(
                    "2026-11-21T20:13:31 web1 sshd[4025]: "
                    f"Invalid user {name} from {ips[number % len(ips)]} port 50291"
                    for name in group
                ),
            )
            for number, group in enumerate(groups)
        )
    )
    store.classify()


def add(store: StoreBuilder, tries: Iterable[Try]) -> None:
    """Write tries without lines: each ban's names, and whose it is."""
    tries = tuple(tries)
    with store.writing() as connection:
        connection.executemany(
            "INSERT OR IGNORE INTO bans (id, host, jail, ip, ip_version, subnet, "
            "banned_at, banned_at_source, failures, ban_count, received_at, origin, "
            "reference, announced_at, lines_received) VALUES "
            "(?, 'web1', 'sshd', ?, NULL, ?, ?, 'failure', 5, 1, '', 'live', '', '', "
            "0)",
            [
                (
                    each.ban_id,
                    each.ip,
                    read_address(each.ip).subnet,
                    f"{each.at:%Y-%m-%dT%H:%M:%S}Z",
                )
                for each in tries
            ],
        )
        connection.executemany(
            "INSERT OR IGNORE INTO observed VALUES (?, 'username', ?, 1)",
            [(each.ban_id, each.name) for each in tries],
        )


def test_an_address_that_walks_is_a_candidate_and_its_tries_are_read(
    store: StoreBuilder,
) -> None:
    walk(store, "192.0.2.7")
    store.record(event("192.0.2.8", lines=()), event("192.0.2.8", at=NOW - DAY))

    assert found(store) == {"192.0.2.7": 50}
    with store.reading() as connection:
        ((who, tries),) = campaigns.tries(
            connection, "address", ["192.0.2.7"], a_try, since=SINCE, until=NOW
        )
    begun = NOW - timedelta(hours=10)
    assert who == "192.0.2.7"
    assert len(tries) == 50
    assert a_try("aa", begun, store.ids[0], "192.0.2.7") in tries


def a_try(name: str, at: datetime, ban_id: str, ip: str) -> Try:
    return Try(name=name, at=at, ban_id=ban_id, ip=ip)


def test_each_scope_has_its_own(store: StoreBuilder) -> None:
    walk(store, "192.0.2.7", "192.0.2.8", "198.51.100.1")
    store.learn(*(located(ip) for ip in ("192.0.2.7", "192.0.2.8", "198.51.100.1")))

    assert found(store) == {"192.0.2.7": 20, "192.0.2.8": 15, "198.51.100.1": 15}
    assert found(store, "subnet") == {"192.0.2.0/24": 35}
    assert found(store, "network") == {"AS64500": 50}
    assert read(store, "network", "AS64500", "AS64501") == {"AS64500": set(NAMES)}
    assert len(read(store, "subnet", "192.0.2.0/24")["192.0.2.0/24"]) == 35


def test_who_guesses_passwords_is_none(store: StoreBuilder) -> None:
    walk(store, "192.0.2.7", names=("root", "admin", "test", "oracle", "pi") * 20)
    walk(store, "192.0.2.8", names=NAMES[:10])
    walk(store, "198.51.100.1", names=NAMES[:11])

    assert found(store) == {}


def test_names_that_all_try_are_no_shared_walk(store: StoreBuilder) -> None:
    for ip in ("192.0.2.7", "192.0.2.8"):
        walk(store, ip)

    assert set(found(store)) == {"192.0.2.7", "192.0.2.8"}
    assert found(store, "subnet") == {}


def test_a_jail_that_repeats_others_tries_nothing(store: StoreBuilder) -> None:
    walk(store, "192.0.2.7", jail="recidive")
    walk(store, "192.0.2.8", names=NAMES[:15], jail="recidive")
    walk(store, "192.0.2.8", names=NAMES[15:])
    with store.writing() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO observed "
            "SELECT bans.id, 'username', bans.id || json_each.value, 1 "
            "FROM bans, json_each('[1, 2, 3, 4, 5]') WHERE jail = 'recidive'"
        )

    assert found(store) == {"192.0.2.8": 35}
    assert read(store, "address", "192.0.2.7", "192.0.2.8") == {
        "192.0.2.8": set(NAMES[15:])
    }


def test_what_is_older_or_still_to_come_does_not_count(store: StoreBuilder) -> None:
    walk(store, "192.0.2.7", until=SINCE - timedelta(seconds=1))
    walk(store, "192.0.2.8", until=NOW + timedelta(hours=11))

    assert found(store) == {}
    assert read(store, "address", "192.0.2.7", "192.0.2.8") == {}


def test_other_values_are_no_names(store: StoreBuilder) -> None:
    walk(store, "192.0.2.7")
    with store.writing() as connection:
        connection.execute("UPDATE observed SET kind = 'sender'")

    assert found(store) == {}


def test_a_ban_of_no_known_network_or_subnet_is_none_of_theirs(
    store: StoreBuilder,
) -> None:
    walk(store, "host1.example", "host2.example", "192.0.2.7")

    assert set(found(store)) == {"host1.example", "host2.example", "192.0.2.7"}
    assert found(store, "subnet") == found(store, "network") == {}


def tries_of(ip: str, bans: int, names: int) -> Iterable[Try]:
    return (
        a_try(
            f"{ip} {ban} {name}",
            NOW - timedelta(minutes=ban),
            f"{ip} {ban}",
            ip,
        )
        for ban in range(bans)
        for name in range(names)
    )


def test_of_one_address_so_many_tries_are_read_the_newest(store: StoreBuilder) -> None:
    add(store, tries_of("192.0.2.7", 51, 200))

    assert found(store) == {"192.0.2.7": MOST_TRIES}
    names = read(store, "address", "192.0.2.7")["192.0.2.7"]
    assert len(names) == MOST_TRIES == 10_000
    assert "192.0.2.7 49 0" in names
    assert "192.0.2.7 50 0" not in names


def test_so_many_candidates_are_listed_those_of_the_most_names(
    store: StoreBuilder,
) -> None:
    few = (f"10.0.{n >> 8}.{n & 255}" for n in range(MOST_CANDIDATES))
    add(store, (each for ip in few for each in tries_of(ip, 3, 4)))
    add(store, tries_of("192.0.2.7", 4, 4))

    listed = found(store)

    assert len(listed) == MOST_CANDIDATES
    assert next(iter(listed)) == "192.0.2.7"


def test_of_too_many_bans_the_newest_are_looked_at(store: StoreBuilder) -> None:
    store.record(*(event(at=NOW - timedelta(hours=n)) for n in range(10)))

    with store.reading() as connection:
        assert campaigns.begins(connection, until=NOW) == SINCE
        assert campaigns.begins(connection, until=NOW, most=10) == NOW - 9 * DAY / 24
        assert campaigns.begins(connection, until=NOW, most=3) == NOW - 2 * DAY / 24
        assert campaigns.begins(connection, until=NOW, most=11) == SINCE


IPS = ("192.0.2.1", "192.0.2.2", "198.51.100.3", "host1.example")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(IPS),
            st.lists(st.integers(0, 150).map(str), min_size=1, max_size=12),
        ),
        min_size=3,
        max_size=12,
    )
)
def test_whoever_walks_by_the_rule_is_a_candidate(
    groups: list[tuple[str, list[str]]],
) -> None:
    tries = [
        a_try(name, NOW - timedelta(minutes=number), f"ban {number}", ip)
        for number, (ip, names) in enumerate(groups)
        for name in names
    ]
    with TemporaryDirectory() as folder:
        store = StoreBuilder(Path(folder) / "bans.db")
        add(store, tries)
        store.learn(*map(located, IPS))
        with store.writing() as connection:
            connection.execute(
                "UPDATE bans SET enrichment_id = "
                "(SELECT id FROM enrichments AS e WHERE e.ip = bans.ip)"
            )
        for scope in SCOPES:
            by = defaultdict(list)
            for each in tries:
                by[who(each.ip, scope)].append(each)
            walks = {
                name
                for name, those in by.items()
                if name is not None and campaign(those, scope=scope, who=name)
            }
            assert walks <= set(found(store, scope))


def who(ip: str, scope: Scope) -> str | None:
    if scope == "network":
        return "AS64500"
    return ip if scope == "address" else read_address(ip).subnet


A_WALK = Campaign(
    kind="user-name-enumeration",
    scope="address",
    who="192.0.2.7",
    first_at=NOW - 3 * DAY,
    last_at=NOW,
    bans=9,
    addresses=1,
    names=26,
    in_order=True,
    first_name="a",
    last_name="z",
)


def save(store: StoreBuilder, *walks: Campaign) -> None:
    with store.writing() as connection:
        for each in walks:
            campaigns.save(connection, each, now=NOW)


def going_on(
    store: StoreBuilder,
    ip: str = "192.0.2.7",
    *,
    subnet: str | None = "192.0.2.0/24",
    asn: int | None = 64500,
    at: datetime = NOW,
) -> tuple[Campaign, ...]:
    with store.reading() as connection:
        return campaigns.of(connection, ip=ip, subnet=subnet, asn=asn, at=at)


def test_a_campaign_is_found_by_address_subnet_and_network(store: StoreBuilder) -> None:
    network = replace(A_WALK, scope="network", who="AS64500", addresses=5)
    subnet = replace(A_WALK, scope="subnet", who="192.0.2.0/24", addresses=2)
    save(store, network, subnet, A_WALK)

    assert going_on(store) == (A_WALK, subnet, network)
    assert going_on(store, "192.0.2.8") == (subnet, network)
    assert going_on(store, "198.51.100.1", subnet="198.51.100.0/24") == (network,)
    assert going_on(store, "host1.example", subnet=None, asn=None) == ()
    # A name that nobody looked up may be written like a network.
    assert going_on(store, "AS64500", subnet=None, asn=None) == ()


def test_a_campaign_goes_on_for_30_days(store: StoreBuilder) -> None:
    save(store, A_WALK)

    assert going_on(store, at=NOW + 30 * DAY) == (A_WALK,)
    assert going_on(store, at=NOW + 31 * DAY) == ()
    assert going_on(store, at=NOW - 3 * DAY) == (A_WALK,)
    assert going_on(store, at=NOW - 4 * DAY) == ()


def test_the_rest_of_a_campaign_makes_it_longer(store: StoreBuilder) -> None:
    rest = replace(
        A_WALK,
        first_at=NOW + 20 * DAY,
        last_at=NOW + 33 * DAY,
        bans=12,
        names=20,
        in_order=False,
        first_name="aaron",
        last_name="zoe",
    )
    save(store, A_WALK, rest)
    whole = replace(
        rest, first_at=A_WALK.first_at, first_name="a", names=26, last_name="zoe"
    )

    assert going_on(store, at=rest.last_at) == (whole,)
    save(store, A_WALK)
    assert going_on(store) == (replace(whole, in_order=True),)


def test_an_older_beginning_comes_in_later(store: StoreBuilder) -> None:
    before = replace(A_WALK, first_at=NOW - 9 * DAY, last_at=NOW - DAY, first_name="0")
    save(store, A_WALK, replace(before, last_name="m"))

    assert going_on(store) == (replace(before, last_at=NOW),)


def test_after_30_days_another_one_begins(store: StoreBuilder) -> None:
    later = replace(A_WALK, first_at=NOW + 31 * DAY, last_at=NOW + 32 * DAY)
    save(store, A_WALK, later)

    assert going_on(store) == (A_WALK,)
    assert going_on(store, at=later.last_at) == (later,)


def test_a_chore_is_done_when_it_was_last_noted(store: StoreBuilder) -> None:
    with store.writing() as connection:
        assert chores.done_at(connection, "campaigns") is None
        for now in (NOW, NOW - DAY):
            chores.done(connection, "campaigns", now=now)
            chores.done(connection, "another", now=NOW)
            assert chores.done_at(connection, "campaigns") == now


def test_names_of_an_attacker_are_values_and_nothing_else(store: StoreBuilder) -> None:
    hostile = replace(A_WALK, first_name="'; DROP TABLE bans; --", last_name="\x1b[2J")
    save(store, replace(hostile, who='"; --'))

    assert going_on(store, '"; --') == (replace(hostile, who='"; --'),)
    assert read(store, "address", '"], ["', "\\") == {}
