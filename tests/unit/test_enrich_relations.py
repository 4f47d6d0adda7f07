"""One's own, friends, CDNs and crawlers are told from strangers."""

from __future__ import annotations

import ipaddress
import tomllib
from importlib import resources
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.enrich.ignoreip import DEFAULT, Ignored
from f2b_enrich.enrich.relations import Relations, machine_addresses
from f2b_enrich.model import Relation

if TYPE_CHECKING:
    from pathlib import Path

STRANGERS = Relations()
LISTS = tomllib.loads(
    resources.files("f2b_enrich.enrich").joinpath("relations.toml").read_text("utf-8")
)

NEVER = "fail2ban is told never to ban it"

FIB_TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     |-- 192.0.2.0
        /24 link UNICAST
     |-- 192.0.2.7
        /32 host LOCAL
     |-- 192.0.2.255
        /32 link BROADCAST
Local:
     |-- 198.51.100.0
        /28 host LOCAL
     |-- 127.0.0.0
        /8 host LOCAL
"""
IF_INET6 = """\
20010db8000000000000000000000007 02 40 00 00     eth0
00000000000000000000000000000001 01 80 10 80       lo
not an address at all
"""


def networks(*texts: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(text) for text in texts]


@pytest.fixture
def relations() -> Relations:
    return Relations(
        machine=networks("192.0.2.7/32", "2001:db8::7/128"),
        own=networks("198.51.100.0/24"),
        ignoreip=[
            "203.0.113.5",
            "203.0.113.128/255.255.255.128",
            "office.example",
            "file:/etc/fail2ban/friends",
            "2001:db8:1::1/48",
            "",
        ],
    )


@pytest.mark.parametrize(
    ("ip", "kind", "name", "why"),
    [
        ("127.0.0.2", "own", "this machine", "127.0.0.0/8 is loopback"),
        ("::1", "own", "this machine", "::1 is loopback"),
        ("192.0.2.7", "own", "this machine", "192.0.2.7 is its own address"),
        ("::ffff:192.0.2.7", "own", "this machine", "192.0.2.7 is its own address"),
        ("2001:db8::7", "own", "this machine", "2001:db8::7 is its own address"),
        ("198.51.100.9", "own", "your network 198.51.100.0/24", "own.networks"),
        ("203.0.113.5", "friend", "your ignoreip entry 203.0.113.5", NEVER),
        ("203.0.113.200", "friend", "your ignoreip entry 203.0.113.128/25", NEVER),
        ("2001:db8:1::99", "friend", "your ignoreip entry 2001:db8:1::/48", NEVER),
    ],
)
def test_ones_own_and_friends_are_known(
    relations: Relations, ip: str, kind: str, name: str, why: str
) -> None:
    found = relations.relation(ip)

    assert found is not None
    assert (found.kind, found.name, found.why) == (kind, name, why)


def test_a_zone_behind_an_address_does_not_matter() -> None:
    found = Relations(machine=networks("fe80::1/128")).relation("fe80::1%\x1b[2J")

    assert found is not None
    assert found.why == "fe80::1 is its own address"


@pytest.mark.parametrize("ip", ["192.0.2.8", "203.0.113.6", "2001:db8::8", "x", ""])
def test_a_stranger_has_no_relation(relations: Relations, ip: str) -> None:
    assert relations.relation(ip) is None


@pytest.mark.parametrize(
    ("ip", "name", "contained"),
    [
        ("192.0.2.0/24", "this machine", True),
        ("192.0.2.7/32", "this machine", False),
        ("198.51.100.128/26", "your network 198.51.100.0/24", False),
        ("198.51.100.0/24", "your network 198.51.100.0/24", False),
        ("198.51.0.0/16", "your network 198.51.100.0/24", True),
        ("203.0.113.128/26", "your ignoreip entry 203.0.113.128/25", False),
        ("203.0.113.0/24", "your ignoreip entry 203.0.113.5", True),
        ("2001:db8:1:2::/64", "your ignoreip entry 2001:db8:1::/48", False),
        ("2001:db8::/32", "this machine", True),
        ("0.0.0.0/0", "this machine", True),
        ("::/0", "this machine", True),
        ("104.16.0.0/12", "Cloudflare", True),
        ("203.0.113.16/28", None, False),
    ],
)
def test_a_cidr_ban_is_related_to_what_it_holds_and_lies_in(
    relations: Relations, ip: str, name: str | None, *, contained: bool
) -> None:
    found = relations.relation(ip)

    assert (found.name if found else None) == name
    assert (found.contained if found else False) == contained


@pytest.mark.parametrize(
    ("ip", "plain"),
    [
        ("::ffff:104.16.0.0/112", "104.16.0.0/16"),
        ("::ffff:6810:0/108", "104.16.0.0/12"),
        ("::ffff:198.51.100.0/122", "198.51.100.0/26"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::ffff:203.0.113.16/124", "203.0.113.16/28"),
    ],
)
def test_a_network_of_mapped_addresses_is_the_one_of_ipv4(
    relations: Relations, ip: str, plain: str
) -> None:
    assert relations.relation(ip) == relations.relation(plain)


def test_mapped_networks_of_ones_own_are_those_of_ipv4() -> None:
    known = Relations(own=networks("::ffff:198.51.100.0/120"))

    found = known.relation("198.51.100.9")

    assert found is not None
    assert found.kind == "own"


@pytest.mark.parametrize("between", [" ", ",", " , ", "\n", "\t", ",,  "])
def test_one_text_may_hold_all_words_of_ignoreip(between: str) -> None:
    words = between.join(["127.0.0.1/8", "x.example", "[2001:db8::1]", "192.0.2.0/24"])
    known = Relations(ignoreip=[words, "203.0.113.1"])

    for ip in ("192.0.2.9", "2001:db8::1", "203.0.113.1"):
        found = known.relation(ip)

        assert found is not None
        assert (found.kind, found.why) == ("friend", NEVER)


@pytest.mark.parametrize(
    ("sections", "who"),
    [
        ((DEFAULT, "sshd"), "[DEFAULT]"),
        (("sshd",), "jail sshd"),
        (("a", "b", "c"), "jails a, b, c"),
        (("a", "b", "c", "d", "e"), "jails a, b, c and 2 more"),
    ],
)
def test_what_fail2ban_ignores_is_a_friend_of_the_jails_that_say_so(
    sections: tuple[str, ...], who: str
) -> None:
    (network,) = networks("203.0.113.0/25")

    found = Relations(ignored=Ignored(networks={network: sections})).relation(
        "203.0.113.9"
    )

    assert found == Relation(
        kind="friend",
        name="your ignoreip entry 203.0.113.0/25",
        why=f"ignoreip of {who} in fail2ban's configuration",
    )


@pytest.mark.parametrize("cdn", LISTS["cdn"], ids=lambda cdn: str(cdn["name"]))
def test_networks_of_cdns_are_known_with_their_source(cdn: dict[str, object]) -> None:
    listed = cdn["networks"]
    assert isinstance(listed, list)
    assert len(listed) == len(set(listed)) > 10
    for text in listed:
        found = STRANGERS.relation(str(ipaddress.ip_network(text)[1]))

        assert found is not None
        assert (found.kind, found.name) == ("cdn", cdn["name"])
        assert found.why == f"{text} in its list of {cdn['as_of']}, {cdn['source']}"


@pytest.mark.parametrize(
    ("hostname", "name"),
    [
        ("crawl-192-0-2-1.googlebot.com", "Google"),
        ("geo-crawl-192-0-2-1.geo.googlebot.com", "Google"),
        ("Rate-Limited-Proxy-192-0-2-1.Google.com.", "Google"),
        ("google-proxy-192-0-2-1.google.com", "Google"),
        ("msnbot-192-0-2-1.search.msn.com", "Bing"),
        ("192-0-2-1.applebot.apple.com", "Apple"),
    ],
)
def test_a_crawler_is_known_by_a_confirmed_name(hostname: str, name: str) -> None:
    found = STRANGERS.relation("192.0.2.1", hostname=hostname, hostname_confirmed=True)

    assert found is not None
    assert (found.kind, found.name) == ("crawler", name)
    assert found.why.startswith(
        ("confirmed host name in ", "confirmed host name like ")
    )


@pytest.mark.parametrize("verdict", [False, None])
def test_a_name_that_does_not_point_back_makes_no_crawler(
    *, verdict: bool | None
) -> None:
    found = STRANGERS.relation(
        "192.0.2.1", hostname="a.googlebot.com", hostname_confirmed=verdict
    )

    assert found is None


@pytest.mark.parametrize(
    "hostname",
    [
        *("notgooglebot.com", "googlebot.com.example", "msn.com", "apple.com", None),
        # Gmail's mail servers, and whoever rents a machine.
        *(
            "mail-lf1-f41.google.com",
            "google.com",
            "1.2.0.192.gae.googleusercontent.com",
        ),
        *("rate-limited-proxy-.google.com", "rate-limited-proxy-1.x.google.com"),
        *("x.rate-limited-proxy-1.google.com", "google-proxy-1.google.com.example"),
        *("google-proxy-1google.com", "not-google-proxy-1.google.com", "."),
    ],
)
def test_a_name_that_only_looks_alike_makes_no_crawler(hostname: str | None) -> None:
    found = STRANGERS.relation("192.0.2.1", hostname=hostname, hostname_confirmed=True)

    assert found is None


def test_the_machines_addresses_are_read_from_the_kernel(tmp_path: Path) -> None:
    (tmp_path / "fib_trie").write_text(FIB_TRIE)
    (tmp_path / "if_inet6").write_text(IF_INET6)

    assert machine_addresses(tmp_path) == set(
        networks(
            "192.0.2.7/32",
            "198.51.100.0/28",
            "127.0.0.0/8",
            "2001:db8::7/128",
            "::1/128",
        )
    )


def test_what_the_kernel_does_not_show_is_left_out(tmp_path: Path) -> None:
    assert machine_addresses(tmp_path) == frozenset()


def test_lines_that_make_no_address_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "fib_trie").write_text(
        "  /32 host LOCAL\n  |-- 999.1.1.1\n  /32 host LOCAL\n"
        "  |-- 192.0.2.7\n  /99 host LOCAL\n  /32 host LOCAL\n"
    )

    assert machine_addresses(tmp_path) == set(networks("192.0.2.7/32"))


def test_this_machine_knows_its_loopback() -> None:
    assert ipaddress.ip_network("127.0.0.1/32") in machine_addresses()


@given(
    ip=st.text(), hostname=st.text() | st.none(), confirmed=st.booleans() | st.none()
)
def test_no_text_breaks_it(
    *, ip: str, hostname: str | None, confirmed: bool | None
) -> None:
    found = STRANGERS.relation(ip, hostname=hostname, hostname_confirmed=confirmed)

    assert found is None or isinstance(found, Relation)


@given(st.lists(st.text()), st.ip_addresses().map(str))
def test_no_word_of_ignoreip_breaks_it(words: list[str], ip: str) -> None:
    Relations(ignoreip=words).relation(ip)


@given(st.ip_addresses().map(str))
def test_an_address_that_fail2ban_ignores_is_a_friend_or_nearer(ip: str) -> None:
    found = Relations(ignoreip=[ip]).relation(ip)

    assert found is not None
    assert found.kind in {"own", "friend"}
