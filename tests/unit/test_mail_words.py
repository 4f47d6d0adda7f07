"""What an alert says, in its text and on its page alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from f2b_enrich.mail.compose import subject
from f2b_enrich.model import Relation, TriedName
from tests.alerts import KNOWN as ALERT
from tests.reading import part, words


@pytest.mark.parametrize("kind", ["own", "friend"])
def test_a_possible_lock_out_begins_with_the_way_out(kind: str) -> None:
    alert = replace(
        ALERT,
        relation=Relation(kind=kind, name="our office", why="friends.toml"),  # type: ignore[arg-type]
    )

    assert subject(alert).startswith(
        "[fail2ban] possible lock-out: web1 sshd: banned 192.0.2.7 (NL, "
    )
    first = "fail2ban-client set sshd unbanip 192.0.2.7"
    assert part(alert, "plain").startswith(f"{first}\n\nPossible lock-out: this ")
    assert words(alert).index(first) < words(alert).index("Possible lock-out")
    assert "our office (friends.toml)" in words(alert)


def test_a_banned_proxy_says_what_to_set() -> None:
    alert = replace(ALERT, relation=Relation(kind="cdn", name="Example", why="list"))

    assert "] possible lock-out: " in subject(alert)
    assert part(alert, "plain").startswith("fail2ban-client set sshd unbanip ")
    for shown in (words(alert), " ".join(part(alert, "plain").split())):
        assert "this is a proxy of Example, not the attacker" in shown
        assert "you are banning your proxy and everybody" in shown
        assert "set_real_ip_from and real_ip_header" in shown


def test_a_banned_crawler_is_named() -> None:
    alert = replace(ALERT, relation=Relation(kind="crawler", name="Ex", why="DNS"))

    assert "] possible lock-out: " in subject(alert)
    assert "Possible lock-out: this is the crawler of Ex.\n" in part(alert, "plain")
    assert "YOURS?  an address of a crawler: Ex (DNS)\n" in part(alert, "plain")


@pytest.mark.parametrize(
    ("relation", "warned", "told"),
    [
        (
            Relation(kind="own", name="your network 10.1.2.0/24", why="own.networks"),
            "this network contains your network 10.1.2.0/24.",
            "a network that contains one of your own addresses: "
            "your network 10.1.2.0/24 (own.networks)",
        ),
        (
            Relation(kind="own", name="this machine", why="its address"),
            "this network contains this machine.",
            "a network that contains one of your own addresses: this machine",
        ),
        (
            Relation(kind="friend", name="your ignoreip entry ::1", why="x"),
            "this network contains your ignoreip entry ::1.",
            "a network that contains an address that you called friendly: ",
        ),
        (
            Relation(kind="cdn", name="Example", why="list"),
            "this network contains proxies of Example. If they stand",
            "a network that contains an address of a proxy: Example (list)",
        ),
    ],
)
def test_a_network_wider_than_ones_own_contains_it(
    relation: Relation, warned: str, told: str
) -> None:
    alert = replace(
        ALERT,
        ban=replace(ALERT.ban, ip="192.0.0.0/8"),
        relation=replace(relation, contained=True),
    )

    for shown in (words(alert), " ".join(part(alert, "plain").split())):
        assert f"Possible lock-out: {warned}" in shown
        assert told in shown


def test_what_is_banned_by_name_is_nobodys_address() -> None:
    alert = replace(ALERT, ban=replace(ALERT.ban, ip="notanip"), relation=None)

    assert "YOURS?" not in part(alert, "plain")


@pytest.mark.parametrize(
    ("jail", "ip", "line"),
    [
        ("www.example.org-auth", "192.0.2.7", "set www.example.org-auth unbanip"),
        ("x?key=1", "192.0.2.7", "set 'x?key=1' unbanip 192.0.2.7"),
        ("it's", "192.0.2.7", "set 'it'\"'\"'s' unbanip 192.0.2.7"),
        # An attacker's words may be shown otherwise, or be an option.
        ("sshd", "www.example.org", None),
        ("sshd", "--help", None),
        ("-x", "192.0.2.7", None),
        ("a" * 201, "192.0.2.7", None),
    ],
)
def test_a_command_can_be_typed_as_it_is_shown(
    jail: str, ip: str, line: str | None
) -> None:
    alert = replace(ALERT, ban=replace(ALERT.ban, jail=jail, ip=ip), relation=None)

    for shown in (part(alert, "plain"), words(alert)):
        if line is None:
            assert "fail2ban-client set" not in shown
            assert "by hand: jail or address cannot be shown" in shown
        else:
            assert f"fail2ban-client {line}" in shown


@pytest.mark.parametrize(
    "ip", ["203.0.113.0/24", "2001:db8:1111:2222:3333:4444:5555:6"]
)
def test_no_line_of_the_text_is_wider_than_a_terminal(ip: str) -> None:
    alert = replace(ALERT, ban=replace(ALERT.ban, ip=ip), lines=())

    wide = [line for line in part(alert, "plain").splitlines() if len(line) > 80]

    assert [line for line in wide if "unban now" not in line] == []
    assert "never again     add" in part(alert, "plain")


def test_lines_that_were_purged_are_no_longer_kept() -> None:
    alert = replace(ALERT, lines=())
    assert alert.ban.lines_received

    assert "no log lines: no longer kept" in part(alert, "plain")
    assert "No log lines: no longer kept" in words(alert)


def test_a_lock_out_whose_command_cannot_be_shown_still_warns() -> None:
    alert = replace(ALERT, ban=replace(ALERT.ban, jail="a\nb"))

    assert part(alert, "plain").startswith("Possible lock-out: ")
    assert "fail2ban-client" not in part(alert, "html")
    assert "Unban by hand" in words(alert)


def test_names_that_were_tried_are_told_and_accounts_marked() -> None:
    odd = ["admin, anna*", "<x>", "y" * 60, "40 more"]
    tried = [(name, False) for name in (*odd, *(f"n{number}" for number in range(12)))]
    tried.append(("root", True))
    alert = replace(
        ALERT,
        names=tuple(
            TriedName(name=name, lines=1, is_account=known) for name, known in tried
        ),
    )

    text = " ".join(part(alert, "plain").split())
    # The account comes first, and no name can pass for two, for one or for the count.
    listed = f'root*, "admin, anna*", <x>, {"y" * 39}\u2026, "40 more", '
    listed += "n0, n1, n2, n3, n4, n5, n6, 5 more"
    assert f"NAMES {listed} (* this account exists on web1.example.org)" in text
    assert f"Names {listed} (* this account exists on" in words(alert)


def test_without_an_account_there_is_no_star_to_explain() -> None:
    alert = replace(ALERT, names=(TriedName(name="x", lines=1, is_account=False),))

    assert "\nNAMES   x\n" in part(alert, "plain")
    assert "account" not in words(alert)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (41, "handed over, within 41 seconds; links"),
        (0.4, "handed over, in the same second; links"),
        (None, "handed over; links"),
    ],
)
def test_the_log_says_how_much_time_it_took(seconds: float | None, told: str) -> None:
    taken = None if seconds is None else timedelta(seconds=seconds)
    alert = replace(ALERT, span=taken)

    assert told in " ".join(part(alert, "plain").split())
    assert told in words(alert)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("list of scanners of 2026-11-22, network", "SCANNER Example Scan (scans"),
        (
            "list of scanners of 2026-11-22, host name in x.example, not confirmed",
            "SCANNER Example Scan, says a host name that is not confirmed (scans",
        ),
    ],
)
def test_a_scanner_is_named_with_its_doubt(source: str, told: str) -> None:
    found = ALERT.enrichment
    assert found is not None
    found = replace(found, field_sources={"scanner": source})

    shown = " ".join(part(replace(ALERT, enrichment=found), "plain").split())

    assert told in shown
