"""What `status` tells of what the daemon asks and tells others: look-ups and mail."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from f2b_enrich.store import enrichments
from f2b_enrich.store.connection import open_writer
from tests.mmdb import write_lite
from tests.old_bans import bring
from tests.stores import NOW, StoreBuilder, event, located

if TYPE_CHECKING:
    from tests.integration.cli_status.place import Place


def test_what_is_looked_up_and_what_waits_is_told(place: Place) -> None:
    store = StoreBuilder(place.db)
    store.record(event(at=NOW - timedelta(hours=1)))
    store.learn(
        located(at=NOW - timedelta(minutes=59)),
        replace(located("198.51.100.1", at=NOW), complete=False),
    )
    store.record(event(at=NOW, jail="b"), event(at=NOW, jail="c"))
    with store.writing() as connection:
        enrichments.attach_fresh(
            connection,
            "192.0.2.7",
            complete_since=NOW - timedelta(days=1),
            incomplete_since=NOW,
        )
    store.record(event("192.0.2.8"), event("192.0.2.9", at=NOW - timedelta(hours=25)))

    assert place.told()["look-ups"].splitlines()[-1] == (
        "today 2 look-ups, 1 incomplete; 66% of 3 bans answered from the "
        "store; 1 ban of 24 h still without"
    )


def test_a_damaged_database_and_an_unreadable_token_are_told(place: Place) -> None:
    place.geo.write_text("no database")
    place.configure(f'ipinfo.token_file = "{place.folder}/token"\n')

    assert place.told()["look-ups"] == (
        f"no local database: {place.geo}: not a database: Error opening database file "
        f"({place.geo}). Is this a valid MaxMind DB file?\n"
        f"IPinfo: token {place.folder}/token: No such file or directory"
    )


def test_no_database_and_keyless_look_ups_are_told(place: Place) -> None:
    text = place.config.read_text().replace(str(place.geo), "")
    place.config.write_text(f"{text}ipinfo.keyless = true\n")

    assert place.told()["look-ups"] == (
        "no local database: none is configured\nIPinfo: asked without a token"
    )


def test_a_credential_that_cannot_be_reached_is_told(place: Place) -> None:
    loop = place.folder / "loop"
    loop.symlink_to(loop)

    told = place.told({"CREDENTIALS_DIRECTORY": str(loop)})

    assert told["look-ups"].endswith(
        f"IPinfo: token {loop}/ipinfo-token: Too many levels of symbolic links"
    )


def test_refused_addresses_and_another_transport_are_told(place: Place) -> None:
    text = place.config.read_text().replace("noc@admins.net", "you@mail.com")
    place.config.write_text(
        f'{text}mail.transport = "sendmail"\nmail.sender = "a@example.org"\n'
    )

    lines = place.told()["mail"].splitlines()

    assert lines[0] == "nobody -> nobody via /usr/sbin/sendmail"
    assert lines[1].startswith("you@mail.com refused: a sample address")
    assert lines[2].startswith("a@example.org refused: a sample address")


def test_imported_bans_that_wait_are_told_apart_from_live_ones(place: Place) -> None:
    with open_writer(place.db) as connection:
        bring(connection, ["192.0.2.1", "192.0.2.2"])
        bring(connection, ["192.0.2.3"], look_up="full")

    *_, live, here, all_ = place.told()["look-ups"].splitlines()
    assert "still without" not in live
    assert here == ("3 imported bans wait for a local database: f2b-enrich geo update")
    assert all_ == "1 imported ban waits for IPinfo, which is not asked about them"

    write_lite(place.geo)
    told = place.told({"F2B_ENRICH_IPINFO_TOKEN": "tok"})["look-ups"].splitlines()[-2:]
    assert told == [
        "3 imported bans wait for the local database",
        "1 imported ban waits for IPinfo, asked until there were 500 look-ups in a day",
    ]
