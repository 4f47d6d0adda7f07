"""What `show` can be asked about: addresses, networks, names and ids."""

from __future__ import annotations

from typing import Any

import pytest

from f2b_enrich.cli.show_facts import NotKnownError
from tests.cli import run
from tests.integration.cli_show.page import page
from tests.stores import StoreBuilder, event


@pytest.mark.parametrize("shape", [str, str.upper, lambda id_: id_.replace("-", "")])
def test_a_ban_is_found_by_its_id_however_it_is_written(
    store: StoreBuilder, shape: Any
) -> None:
    for length in (8, 11, 36):
        lines = page(store, shape(store.ids[3])[:length])

        assert lines[0].startswith("192.0.2.9  not looked up yet")


def test_an_id_that_two_bans_begin_with_is_refused(store: StoreBuilder) -> None:
    with store.writing() as connection:
        for number, ban in enumerate(store.ids[:2]):
            connection.execute(
                "INSERT INTO other_ids VALUES (?, ?)", (f"aaaaaaaa-{number}", ban)
            )

    with pytest.raises(NotKnownError, match="more than one ban"):
        page(store, "aaaaaaaa")


@pytest.mark.parametrize("key", ["203.0.113.99", "ffffffff", "ffff", "", "dj\udce9"])
def test_what_is_not_recorded_is_said_in_one_line(
    store: StoreBuilder, key: str
) -> None:
    ran = run("show", "--db", store.path, "--", key)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("f2b-enrich: no ban of ")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("banned", "asked", "reason"),
    [
        ("192.0.2.0/24", "192.0.2.0/24", "not looked up: a whole network"),
        ("notanip!", "notanip!", "not looked up: not an IP address"),
        ("::ffff:192.0.2.7", "192.0.2.7", "not looked up yet"),
        ("192.0.2.7", " ::ffff:192.0.2.7 ", "not looked up yet"),
        ("2001:DB8::7", "2001:db8:0::7", "not looked up yet"),
        ("dj\ufffd", "dj\udce9", "not looked up: not an IP address"),
    ],
)
def test_whatever_was_banned_is_a_key(
    empty: StoreBuilder, banned: str, asked: str, reason: str
) -> None:
    empty.record(event(banned))

    assert page(empty, asked)[0].endswith(f"  {reason}")


def test_an_address_that_was_never_banned_has_the_page_of_its_network(
    empty: StoreBuilder,
) -> None:
    empty.record(event("2001:db8::/32"))

    assert page(empty, "2001:db8::7")[-1] == (
        "2001:db8::/64: no other address in 30 days"
    )
    assert len(page(empty, "2001:db8::7%eth0")) == 4
