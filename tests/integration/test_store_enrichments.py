"""One look-up serves all bans of an address, as long as it is fresh."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.model import Enrichment
from f2b_enrich.store import bans, enrichments
from f2b_enrich.store import facts as store_facts
from f2b_enrich.store.connection import open_writer, transaction
from tests.events import FAILED_AT, HOST, a_ban

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAYS_30 = timedelta(days=30)
MINUTES_15 = timedelta(minutes=15)
IP = "192.0.2.7"
FULL = Enrichment(
    ip=IP,
    looked_up_at=NOW,
    source="ipinfo + database",
    field_sources={"country": "database", "city": "ipinfo"},
    hostname="host.example.org",
    hostname_confirmed=False,
    country_code="DE",
    country="Germany",
    region="Hesse",
    city="Frankfurt",
    postal="60311",
    latitude=50.11,
    longitude=8.68,
    location_precision="city",
    timezone="Europe/Berlin",
    asn=64496,
    as_name="Example",
    as_domain="example.net",
    as_country_code="DE",
    is_hosting=True,
    is_vpn=False,
    is_tor=None,
    is_proxy=False,
    scanner="Example Scans",
    abuse_contact="abuse@example.net",
    raw={"ipinfo": {"ip": IP, "nested": [1, None, "x"]}},
)


def ban(store: sqlite3.Connection, ip: str = IP, number: int = 0) -> str:
    event = a_ban(ip=ip, failed_at=FAILED_AT + number)
    with transaction(store):
        recorded = bans.record(store, event, host=HOST, jail="sshd", now=NOW)
    assert recorded.ban_id is not None
    return recorded.ban_id


def save(store: sqlite3.Connection, found: Enrichment) -> None:
    with transaction(store):
        enrichments.save(store, found)


def of(store: sqlite3.Connection, ban_id: str) -> Enrichment | None:
    facts = store_facts.of(store, ban_id)
    assert facts is not None
    return facts.enrichment


def is_fresh(store: sqlite3.Connection, now: datetime, ip: str = IP) -> bool:
    with transaction(store):
        return enrichments.attach_fresh(
            store, ip, complete_since=now - DAYS_30, incomplete_since=now - MINUTES_15
        )


def test_a_snapshot_comes_back_as_it_was_saved(store: sqlite3.Connection) -> None:
    ban_id = ban(store)
    save(store, FULL)
    assert of(store, ban_id) == FULL
    assert enrichments.latest(store, IP) == FULL


def test_what_is_not_known_comes_back_as_not_known(store: sqlite3.Connection) -> None:
    bare = Enrichment(ip=IP, looked_up_at=NOW, source="none", complete=False)
    save(store, bare)
    assert enrichments.latest(store, IP) == bare
    assert enrichments.latest(store, "192.0.2.8") is None


def test_one_snapshot_serves_every_ban_that_waits_for_it(
    store: sqlite3.Connection,
) -> None:
    many = [ban(store, number=number) for number in range(100)]
    other = ban(store, ip="192.0.2.8")
    save(store, FULL)
    assert all(of(store, ban_id) == FULL for ban_id in many)
    assert of(store, other) is None
    assert store.execute("SELECT count(*) FROM enrichments").fetchone()[0] == 1


def test_a_later_snapshot_leaves_older_bans_what_was_known_then(
    store: sqlite3.Connection,
) -> None:
    old = ban(store)
    save(store, FULL)
    new = ban(store, number=9)
    moved = replace(FULL, city="Hamburg", looked_up_at=NOW + DAYS_30)
    save(store, moved)
    assert of(store, old) == FULL
    assert of(store, new) == moved
    assert enrichments.latest(store, IP) == moved


@pytest.mark.parametrize(
    ("complete", "age", "fresh"),
    [
        ("complete", DAYS_30, "fresh"),
        ("complete", DAYS_30 + timedelta(seconds=1), "stale"),
        ("incomplete", MINUTES_15, "fresh"),
        ("incomplete", MINUTES_15 + timedelta(seconds=1), "stale"),
    ],
)
def test_a_snapshot_serves_new_bans_for_its_time(
    store: sqlite3.Connection, complete: str, age: timedelta, fresh: str
) -> None:
    save(store, replace(FULL, complete=complete == "complete"))
    ban_id = ban(store)
    assert is_fresh(store, NOW + age) is (fresh == "fresh")
    assert (of(store, ban_id) is not None) is (fresh == "fresh")


def test_a_complete_snapshot_serves_on_behind_a_stale_incomplete_one(
    store: sqlite3.Connection,
) -> None:
    save(store, FULL)
    save(
        store,
        replace(FULL, complete=False, city=None, looked_up_at=NOW + timedelta(1)),
    )
    ban_id = ban(store)
    assert is_fresh(store, NOW + timedelta(days=2))
    assert of(store, ban_id) == FULL


def test_an_address_never_looked_up_is_not_fresh(store: sqlite3.Connection) -> None:
    save(store, FULL)
    assert not is_fresh(store, NOW, ip="192.0.2.8")


def test_bans_that_wait_are_listed_in_the_order_of_their_arrival(
    store: sqlite3.Connection,
) -> None:
    for number, ip in enumerate(["192.0.2.9", IP, "192.0.2.8", IP]):
        ban(store, ip=ip, number=number)
    save(store, replace(FULL, ip="192.0.2.8"))
    waiting = enrichments.waiting(store, after=0, limit=9)
    assert [each.ip for each in waiting] == ["192.0.2.9", IP, IP]
    assert enrichments.waiting(store, after=0, limit=1) == waiting[:1]
    first = waiting[0].row
    assert enrichments.waiting(store, after=first, limit=9) == waiting[1:]


def test_half_a_surrogate_pair_is_replaced(store: sqlite3.Connection) -> None:
    odd = replace(FULL, city="\ud83d", raw={"city": "a\udc00b", "\ud800": 1})
    save(store, odd)
    found = enrichments.latest(store, IP)
    assert found is not None
    assert found.city == "?"
    assert found.raw == {"city": "a?b", "?": 1}


def test_nul_is_shown_as_a_picture(store: sqlite3.Connection) -> None:
    raw = {"city": "a\0\0b", "\0": ["\\\0", "\\u0000", "\\\\u0000", "\\\\\0"]}
    save(store, replace(FULL, city="Frank\0furt", raw=raw))
    found = enrichments.latest(store, IP)
    assert found is not None
    assert found.city == "Frank\u2400furt"
    assert found.raw == {
        "city": "a\u2400\u2400b",
        "\u2400": ["\\\u2400", "\\u0000", "\\\\u0000", "\\\\\u2400"],
    }
    inside = store.execute("SELECT raw ->> '$.city' FROM enrichments").fetchone()[0]
    assert inside == "a\u2400\u2400b"


@pytest.fixture(scope="module")
def shared_store(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[sqlite3.Connection]:
    with open_writer(tmp_path_factory.mktemp("store") / "bans.db") as connection:
        yield connection


ANY_TEXT = st.text(st.characters(exclude_categories=()) | st.sampled_from("\0\\u"))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | ANY_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
    max_leaves=8,
)


@given(JSON)
def test_any_json_of_a_source_is_kept_readable_for_sqlite_and_for_us(
    shared_store: sqlite3.Connection, value: object
) -> None:
    save(shared_store, replace(FULL, raw={"ipinfo": value}))
    newest = "SELECT json_valid(raw) FROM enrichments ORDER BY id DESC LIMIT 1"
    assert shared_store.execute(newest).fetchone()[0] == 1
    found = enrichments.latest(shared_store, IP)
    assert found is not None
    assert "\0" not in "".join(texts_in(found.raw))
    assert list(texts_in(found.raw)) == [
        as_stored(text) for text in texts_in({"ipinfo": value})
    ] or has_names_that_meet(value)


def texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts_in(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from texts_in(item)


def as_stored(text: str) -> str:
    return text.replace("\0", "\u2400").encode("utf-8", "replace").decode()


def has_names_that_meet(value: object) -> bool:
    """Tell whether two names of one object are stored alike, so that one is gone."""
    if isinstance(value, list):
        return any(map(has_names_that_meet, value))
    if isinstance(value, dict):
        meet = len({as_stored(name) for name in value}) < len(value)
        return meet or any(map(has_names_that_meet, value.values()))
    return False


@pytest.mark.parametrize("levels", [101, 990, 5000])
def test_an_answer_nested_beyond_reason_tells_nothing_else_is_kept(
    store: sqlite3.Connection, levels: int
) -> None:
    ban(store)
    enrichments.save(store, FULL)
    deep = '{"a":' + "[" * levels + "]" * levels + "}"
    store.execute("UPDATE enrichments SET raw = ?", (deep,))

    assert enrichments.latest(store, IP) == replace(FULL, raw={})
    assert enrichments.get(store, 1).raw == {}


def test_an_answer_with_some_levels_is_whole(store: sqlite3.Connection) -> None:
    nested: object = "x"
    for _ in range(45):
        nested = {"a": [nested]}
    found = replace(FULL, raw={"a": nested})

    enrichments.save(store, found)

    assert enrichments.latest(store, IP) == found
