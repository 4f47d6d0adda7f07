"""What `show` tells of attacks, and of bans that only repeat others."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from f2b_enrich.cli.show import told
from f2b_enrich.cli.show_facts import gather
from f2b_enrich.model import Campaign
from f2b_enrich.store import campaigns
from tests.cli import run
from tests.integration.cli_show.page import BERLIN, page
from tests.stores import NOW, StoreBuilder, event

REQUEST = '192.0.2.7 - - [21/Nov/2026:20:13:22 +0100] "GET {} HTTP/1.1" 404 162 "-" "-"'
EVAL = "vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php"
PROBES = tuple(
    map(REQUEST.format, ("/.env", "/.env", "/.git/config", f"/{EVAL}", "/../passwd"))
)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def answer(store: StoreBuilder, key: str = "192.0.2.7") -> dict[str, Any]:
    ran = run("show", key, "--json", "--db", store.path)
    found: dict[str, Any] = json.loads(ran.out)
    return found


def repeated(store: StoreBuilder) -> None:
    """Record two bans of a jail and two of one that watches fail2ban itself."""
    store.record(
        event(at=NOW - HOUR),
        event(at=NOW - HOUR + SECOND, jail="recidive", lines=()),
        event(at=NOW - 5 * HOUR, bantime=60),
        event(at=NOW - 99 * HOUR, jail="recidive", bantime=-1, lines=()),
    )
    store.classify()


def test_the_leading_class_is_worded_and_the_others_are_counted(
    empty: StoreBuilder,
) -> None:
    empty.record(event(jail="nginx-botsearch", lines=PROBES))
    before = page(empty, "192.0.2.7")
    empty.classify()
    after = page(empty, "192.0.2.7")

    assert "attack" not in before[3]
    assert "  probe for cloud credent\u2026 +3  " in after[4]


def test_json_has_attacks_observed_values_and_service(empty: StoreBuilder) -> None:
    empty.record(
        event(jail="nginx-botsearch", lines=PROBES),
        event(at=NOW - HOUR, jail="nginx-botsearch", lines=PROBES[3:]),
    )
    empty.classify()

    found = answer(empty)

    assert {
        "attack": "phpunit-probe",
        "bans": 2,
        "lines": 2,
        "cves": ["CVE-2017-9841"],
    } in found["attacks"]
    assert found["observed"]["path"]["/.env"] == 2
    assert [set(ban["attacks"]) for ban in found["bans"]] == [
        {"credentials-probe", "repository-probe", "phpunit-probe", "path-traversal"},
        {"phpunit-probe", "path-traversal"},
    ]
    assert found["bans"][0]["attacks"][0] == "credentials-probe"
    assert [ban["service"] for ban in found["bans"]] == ["web", "web"]
    assert found["campaigns"] == []


def test_who_walks_through_names_is_told(empty: StoreBuilder) -> None:
    empty.record(event())
    walk = Campaign(
        kind="user-name-enumeration",
        scope="subnet",
        who="192.0.2.0/24",
        first_at=NOW - 99 * HOUR,
        last_at=NOW - HOUR,
        bans=12,
        addresses=3,
        names=41,
        in_order=True,
        first_name="adam",
        last_name="zoe\x1b",
    )
    with empty.writing() as connection:
        campaigns.save(connection, walk, now=NOW)

    line = page(empty, "192.0.2.7")[3]

    assert line.startswith("192.0.2.0/24 walks through user names")
    for part in ("41 names", "adam to zoe", "12 bans", "3 addresses", "2026-11-17"):
        assert part in line
    assert "\x1b" not in line
    [found] = answer(empty)["campaigns"]
    assert (found["who"], found["names"]) == ("192.0.2.0/24", 41)
    assert found["last_at"] == "2026-11-21T19:14:03Z"


def test_repeats_are_counted_apart_and_say_what_they_repeat(
    empty: StoreBuilder,
) -> None:
    repeated(empty)

    lines = page(empty, "192.0.2.7")

    assert lines[1].count("planned end") == 2
    assert "recidive on web1" in lines[1]
    assert lines[2].startswith(
        "2 bans, 10 failures, 2026-11-21, web1: sshd 2;  2 repeats (recidive);  "
    )
    assert "  repeats sshd  " in lines[5]
    assert "  repeat  " in lines[8]


def test_repeats_are_no_bans_in_json(empty: StoreBuilder) -> None:
    repeated(empty)

    found = answer(empty)

    assert (found["total_bans"], found["total_repeats"]) == (2, 2)
    assert found["total_failures"] == 10
    assert found["first_at"] == "2026-11-21T15:14:03Z"
    assert {each["jail"]: each["is_repeat"] for each in found["jails"]} == {
        "sshd": False,
        "recidive": True,
    }
    assert [ban["repeat_of"] for ban in found["bans"]] == [
        *(empty.ids[0], None),
        *(None, None),
    ]
    assert [each["attack"] for each in found["attacks"]] == ["ssh-password-guessing"]


def test_repeats_alone_tell_when_and_where(empty: StoreBuilder) -> None:
    empty.record(event(jail="recidive"), event(at=NOW - 99 * HOUR, jail="recidive"))
    empty.classify()

    assert page(empty, "192.0.2.7")[2].startswith(
        "2 repeats (recidive), 2026-11-17 to 2026-11-21, web1;  "
    )


def test_repeats_on_other_hosts_are_counted_apart(empty: StoreBuilder) -> None:
    empty.record(event(), event("192.0.2.8"))
    empty.record(event(), event(at=NOW + SECOND, jail="recidive"), host="mail1")
    empty.record(event("192.0.2.8", jail="recidive"), host="mail1")
    empty.classify()

    assert ";  other hosts: mail1 1, 1 repeat;  " in page(empty, "192.0.2.7")[2]
    assert ";  other hosts: 1 repeat;  " in page(empty, "192.0.2.8")[2]


def test_columns_go_where_the_screen_is_narrow(empty: StoreBuilder) -> None:
    repeated(empty)

    def heading(width: int) -> list[str]:
        with empty.reading() as store:
            found = gather(
                store, "192.0.2.7", host="web1", most=9, with_lines=False, now=NOW
            )
            lines = told(found, now=NOW, zone=BERLIN, width=width)
            return next(line for line in lines if "attack" in line).split()[2:]

    every = ["jail", "attack", "failures", "for", "ended", "origin", "ban", "mail"]
    assert heading(140) == every
    assert heading(100) == [name for name in every if name not in {"for", "origin"}]
    assert heading(70) == ["jail", "attack", "ended", "mail"]
