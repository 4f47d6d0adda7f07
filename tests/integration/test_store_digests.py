"""What a digest's row speaks of, in real stores."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.figures import (
    Count,
    NameCount,
    NetworkCount,
    Period,
    Refusal,
    ServiceCount,
)
from f2b_enrich.model import Campaign, OutboxState
from f2b_enrich.store import campaigns, digests, filling, periods
from tests.digests import DAY, RECIPIENT, add_digest, fold, many
from tests.stores import NOW, StoreBuilder, event, filled, located

if TYPE_CHECKING:
    from pathlib import Path

    from f2b_enrich.store.digests import DigestFacts

HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    built = StoreBuilder(tmp_path / "bans.db")
    built.classify()  # so that the jails are known
    return built


def facts(store: StoreBuilder, row_id: int) -> DigestFacts:
    with store.reading() as connection:
        found = digests.of(connection, row_id)
    assert found is not None
    return found


def test_a_row_that_is_no_digest_tells_nothing(tmp_path: Path) -> None:
    store = filled(tmp_path / "bans.db")

    with store.reading() as connection:
        assert digests.of(connection, 1) is None


@pytest.mark.parametrize("before", [None, NOW - 3 * HOUR])
def test_a_digest_is_about_the_time_that_was_noted(
    store: StoreBuilder, before: object
) -> None:
    period = Period(
        kind="flood",
        since=NOW - HOUR,
        until=NOW,
        before=before,  # type: ignore[arg-type]
    )

    found = facts(store, add_digest(store, period))

    assert found.period == period
    assert (found.figures.before is None) == (before is None)
    assert found.figures.records_since is None
    assert found.bans == ()


def test_each_folded_ban_is_there_once_with_what_is_known(store: StoreBuilder) -> None:
    first, second = store.record(
        event(at=NOW - HOUR), event("192.0.2.9", at=NOW, jail="recidive", lines=())
    )
    store.learn(located(at=NOW - HOUR))
    row = add_digest(store)
    fold(store, (first, second), row)
    fold(store, (first,), row)  # for another of its recipients

    ssh, repeat = facts(store, row).bans

    with store.reading() as connection:
        assert filling.count(connection, row) == 2
    assert (ssh.id, ssh.service, ssh.jail) == (first, "ssh", "sshd")
    assert (ssh.asn, ssh.as_name) == (64500, "Example Hosting B.V.")
    assert (ssh.hostname, ssh.hostname_confirmed) == ("vps7.example.net", True)
    assert (ssh.banned_at, ssh.received_at) == (NOW - HOUR, NOW - HOUR)
    assert not ssh.is_repeat
    assert (repeat.id, repeat.is_repeat, repeat.country_code) == (second, True, None)
    assert repeat.hostname_confirmed is None


def test_what_was_folded_into_a_row_that_is_here_is_here_too(
    store: StoreBuilder,
) -> None:
    first, second, third = store.record(
        event(), event(jail="postfix-sasl"), event(jail="dovecot")
    )
    row = add_digest(store)
    fold(store, (first,), row)
    with store.reading() as connection:
        alert = connection.execute("SELECT max(id) FROM outbox").fetchone()[0]
    fold(store, (second,), alert)
    fold(store, (third,), row)

    found = facts(store, row)

    assert {ban.id for ban in found.bans} == {first, second, third}
    assert found.figures.fates == {"here": 3}
    with store.writing() as connection:  # no circle goes round for ever
        connection.execute(
            "UPDATE outbox SET folded_into = ? WHERE id = ?", (alert, row)
        )
    assert len(facts(store, row).bans) == 3


def test_the_fates_add_up_to_the_bans(store: StoreBuilder) -> None:
    ids = store.record(*(event(f"192.0.2.{last}") for last in range(1, 12)))
    row, other = add_digest(store), add_digest(store)
    fold(store, ids[:2], row)
    fold(store, ids[2:3], other)
    alert = store.mail(ids[3], state=OutboxState.SENT)
    fold(store, ids[4:5], alert)
    for ban, state in zip(
        ids[5:10],
        (
            OutboxState.DUE,
            OutboxState.HELD,
            OutboxState.DEAD,
            OutboxState.SKIPPED,
            OutboxState.UNSURE,
        ),
        strict=True,
    ):
        store.mail(ban, state=state)
    store.mail(ids[0], state=OutboxState.SENT, recipient="another@admins.net")

    figures = facts(store, row).figures

    assert figures.fates == {
        "here": 2,
        "elsewhere": 1,
        "mailed": 2,
        "waiting": 3,
        "dead": 1,
        "skipped": 1,
        "none": 1,
    }
    assert sum(figures.fates.values()) == figures.count.bans == 11


def test_bans_held_for_another_recipient_are_here_all_the_same(
    store: StoreBuilder,
) -> None:
    ids = store.record(event())
    row = add_digest(store)
    fold(store, ids, row)
    with store.writing() as connection:
        connection.execute(
            "UPDATE outbox SET recipient = 'boss@admins.net' WHERE id = ?", (row,)
        )

    assert facts(store, row).figures.fates == {"here": 1}


def test_bans_addresses_and_failures_are_counted_apart(store: StoreBuilder) -> None:
    store.record(event("203.0.113.1", at=DAY.since - HOUR, failures=2))
    store.record(
        event(at=NOW - HOUR, failures=3),
        event(at=NOW, failures=4),
        event("192.0.2.9", jail="postfix-sasl"),
        event(jail="postfix-sasl"),
        event(jail="recidive"),
    )
    store.record(event("192.0.2.8", jail="postfix-sasl"), host="mail1")
    store.record(event("192.0.2.99", jail="postfix-sasl"), host="mail1")
    store.record(event("198.51.100.1", at=DAY.until))

    figures = facts(store, add_digest(store)).figures

    assert figures.count == Count(bans=6, addresses=4, failures=27)
    assert figures.before == Count(bans=1, addresses=1, failures=2)
    assert figures.records_since == DAY.since - HOUR
    assert figures.repeats == (NameCount(name="recidive", count=1),)
    assert figures.hosts == ("mail1", "web1")
    assert figures.known_hosts == 2
    assert figures.services == (
        ServiceCount(
            service="mail",
            count=Count(bans=4, addresses=4, failures=20),
            most_hit="mail1",
            most_hit_bans=2,
        ),
        ServiceCount(
            service="ssh",
            count=Count(bans=2, addresses=1, failures=7),
            most_hit="web1",
            most_hit_bans=2,
        ),
    )
    assert (figures.in_services, figures.in_several) == (5, 1)
    assert sum(each.count.bans for each in figures.services) == figures.count.bans


def test_a_64_is_one_source(store: StoreBuilder) -> None:
    store.record(
        event("2001:db8:5::7"),
        event("2001:db8:5::8", jail="dovecot"),
        event("2001:db8:5::8"),
        event("2001:db8:6::8"),
        event("192.0.2.7"),
        event("192.0.2.8"),
        event("nonsense"),
    )
    store.record(event("192.0.2.7"), host="mail1")
    store.learn(located("192.0.2.7"))

    figures = facts(store, add_digest(store)).figures

    assert [(each.name, each.bans, each.addresses) for each in figures.sources] == [
        ("2001:db8:5::/64", 3, 2),
        ("192.0.2.7", 2, 1),
        ("192.0.2.8", 1, 1),
        ("2001:db8:6::/64", 1, 1),
        ("nonsense", 1, 1),
    ]
    assert figures.all_sources == 5
    assert figures.sources[0].jails == ("sshd", "dovecot")
    assert figures.sources[0].asn is None
    assert (figures.sources[1].hosts, figures.sources[1].asn) == (2, 64500)


def test_networks_are_ranked_by_addresses(store: StoreBuilder) -> None:
    store.record(*many(30))
    store.record(event("192.0.2.1"), event("192.0.2.1", jail="dovecot"))
    small = replace(located("192.0.2.1"), asn=64599, as_name=None, scanner="Example")
    found = [located(each.ip) for each in many(29)]
    store.learn(small, *found)

    figures = facts(store, add_digest(store)).figures

    assert figures.networks == (
        NetworkCount(
            asn=64500,
            as_name="Example Hosting B.V.",
            scanner=None,
            addresses=29,
            bans=29,
        ),
        NetworkCount(asn=64599, as_name=None, scanner="Example", addresses=1, bans=2),
    )
    assert (figures.all_networks, figures.unplaced) == (2, 1)
    assert figures.look_ups == 30


def test_names_are_told_that_two_addresses_tried(store: StoreBuilder) -> None:
    tried = "Failed password for invalid user {} from {} port 22 ssh2"
    for last, name in ((1, "root"), (2, "root"), (3, "admin"), (4, "admin"), (5, "s3")):
        ip = f"192.0.2.{last}"
        line = f"Nov 21 20:13:22 web1 sshd[4021]: {tried.format(name, ip)}"
        store.record(event(ip, lines=(line,)), event(ip, jail="other", lines=(line,)))
    store.classify()

    figures = facts(store, add_digest(store)).figures

    assert figures.names == (
        NameCount(name="admin", count=2),
        NameCount(name="root", count=2),
    )


def test_refused_mails_are_counted_by_recipient(store: StoreBuilder) -> None:
    ids = store.record(*(event(f"192.0.2.{last}") for last in range(1, 7)))
    for at, ban in enumerate(ids[:3]):
        error = f"550 reason {at}"
        store.mail(ban, state=OutboxState.DEAD, at=NOW - (3 - at) * HOUR, error=error)
    store.mail(ids[3], state=OutboxState.DEAD, recipient="a@admins.net")
    store.mail(ids[4], state=OutboxState.DEAD, at=DAY.since - HOUR)
    store.mail(ids[5])

    figures = facts(store, add_digest(store)).figures

    assert figures.refused == (
        Refusal(recipient=RECIPIENT, mails=3, reason="550 reason 2"),
        Refusal(recipient="a@admins.net", mails=1, reason="550 5.1.1 no such user"),
    )
    assert (figures.mails_refused, figures.mails_due) == (4, 1)


def test_walks_through_names_that_went_on_are_there(store: StoreBuilder) -> None:
    walk = Campaign(
        kind="user-name-enumeration",
        scope="subnet",
        who="192.0.2.0/24",
        first_at=NOW - 40 * HOUR,
        last_at=NOW - HOUR,
        bans=12,
        addresses=5,
        names=43,
        in_order=True,
        first_name="aaron",
        last_name="zoe",
    )
    old = replace(walk, who="198.51.100.0/24", last_at=DAY.since - HOUR)
    with store.writing() as connection:
        for each in (walk, old):
            campaigns.save(connection, each, now=NOW)

    assert facts(store, add_digest(store)).campaigns == (walk,)


def test_a_rush_names_its_jails_and_networks(store: StoreBuilder) -> None:
    store.record(*many(40))
    store.learn(*(located(each.ip) for each in many(30)))

    with store.reading() as connection:
        rush = periods.rush(connection, since=DAY.since, until=DAY.until)
        nobody = periods.rush(connection, since=DAY.until, until=DAY.until + HOUR)

    assert rush.count == Count(bans=40, addresses=40, failures=200)
    assert rush.jails == (
        NameCount(name="sshd", count=14),
        NameCount(name="nginx-http-auth", count=13),
        NameCount(name="postfix-sasl", count=13),
    )
    assert [each.bans for each in rush.networks] == [30]
    assert rush.unplaced == 10
    assert (nobody.count.bans, nobody.networks, nobody.unplaced) == (0, (), 0)


def test_a_full_digest_is_read_in_little_memory(store: StoreBuilder) -> None:
    row = add_digest(store)
    fold(store, store.record(*many(2_000)), row)

    tracemalloc.start()
    found = facts(store, row)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len({ban.id for ban in found.bans}) == 2_000
    # Times 25 are the bans that one digest should speak of.
    assert peak * digests.MOST_BANS / 2_000 < 100_000_000
