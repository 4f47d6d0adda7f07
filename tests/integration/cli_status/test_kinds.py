"""What `status` tells of services, jails nobody named, repeats and classes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from f2b_enrich.classify.jails import Jail, shipped_jails
from f2b_enrich.daemon.analysis import Analysis
from f2b_enrich.store import figures
from tests.cli import run
from tests.stores import NOW, StoreBuilder, event

if TYPE_CHECKING:
    import pytest

    from tests.integration.cli_status.place import Place

HOUR = timedelta(hours=1)
NAMED = Jail(name="own", service="web", attack="other")


def test_repeats_are_no_bans(place: Place) -> None:
    store = StoreBuilder(place.db)
    store.record(
        event(at=NOW - HOUR),
        event("192.0.2.8", at=NOW - HOUR),
        event(jail="recidive"),
        event("192.0.2.8", at=NOW - 99 * HOUR, jail="recidive"),
        event("192.0.2.9", at=NOW + 99 * HOUR, jail="recidive"),
    )
    store.classify()

    told = place.told()

    assert told["bans"] == (
        "today 2 bans of 2 addresses, 1 repeat; "
        "30 days 2 bans of 2 addresses, 2 repeats; 1 ban in the future"
    )
    assert told["services"] == "bans of 30 days: ssh 2"
    assert told["store"].startswith("2 bans, 3 repeats since 2026-11-17; ")


def test_services_are_told_and_jails_that_nobody_named(place: Place) -> None:
    store = StoreBuilder(place.db)
    store.record(
        event(jail="dovecot"),
        event(),
        event(at=NOW - HOUR),
        event(at=NOW - 800 * HOUR, jail="old"),
        *(event(jail=f"own{n}\x1b") for n in range(5)),
        event(jail="shop"),
        event(at=NOW - HOUR, jail="shop"),
    )
    store.classify()

    told = place.told()

    assert told["services"] == "bans of 30 days: other 7, ssh 2, mail 1"
    assert told["jails"] == (
        "unknown, bans of 30 days: shop 2, own0\x1b 1, own1\x1b 1, own2\x1b 1, "
        "own3\x1b 1, 1 more jail; name them: [jails.own.NAME]"
    )
    assert "classes" not in told
    ran = run("status", "--config", place.config)
    assert "\x1b" not in ran.out


def test_a_jail_that_was_named_is_unknown_no_more(place: Place) -> None:
    store = StoreBuilder(place.db)
    store.record(event(jail="own"))
    store.classify()
    assert "jails" in place.told()

    store.record(event("192.0.2.8", jail="OWN"))
    store.classify(Analysis((), (NAMED,), shipped_jails()))

    told = place.told()
    assert "jails" not in told
    assert told["services"] == "bans of 30 days: web 2"
    assert told["classes"] == (
        "1 ban classed by older rules: f2b-enrich classify --all"
    )


def test_bans_that_wait_to_be_classed_are_counted(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = StoreBuilder(place.db)
    store.record(event(), event("192.0.2.8"))
    assert place.told()["classes"] == "2 bans not classed yet"

    store.classify()
    store.record(event("192.0.2.9"))
    store.classify(Analysis((), (), shipped_jails()))
    store.record(event("192.0.2.10"))

    monkeypatch.setattr(figures, "MOST_OLDER", 2)
    assert place.told()["classes"] == (
        "1 ban not classed yet; "
        "at least 2 bans classed by older rules: f2b-enrich classify --all"
    )


def test_json_has_the_same_figures(place: Place) -> None:
    store = StoreBuilder(place.db)
    store.record(event(), event("192.0.2.8", jail="own"), event(jail="recidive"))

    store.classify()

    ran = run("status", "--json", "--config", place.config)
    records = json.loads(ran.out)["store"]["records"]
    assert (records["bans"], records["repeats"]) == (2, 1)
    assert records["bans_not_classed"] == records["bans_of_older_rules"] == 0
