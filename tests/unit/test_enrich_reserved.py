"""Only public addresses are ever asked about."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.address import read_address
from f2b_enrich.enrich.reserved import reason_not_to_look_up


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("notanip!", "not an address"),
        ("host.example", "not an address"),
        ("", "not an address"),
        ("1.2.3", "not an address"),
        ("8.8.8.8\n", "not an address"),
        ("1.2.3.0/24", "network"),
        ("2a00::/32", "network"),
        ("0.0.0.0", "unspecified"),  # noqa: S104
        ("::", "unspecified"),
        ("0.1.2.3", "this network"),
        ("10.1.2.3", "private"),
        ("172.31.0.1", "private"),
        ("192.168.1.1", "private"),
        ("fd00::1", "private"),
        ("100.64.0.1", "carrier-grade"),
        ("127.0.0.53", "loopback"),
        ("::1", "loopback"),
        ("169.254.1.1", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "zone"),
        ("192.0.0.8", "protocol"),
        ("2001::1", "protocol"),
        ("192.0.2.1", "documentation"),
        ("198.51.100.1", "documentation"),
        ("203.0.113.1", "documentation"),
        ("2001:db8::1", "documentation"),
        ("3fff::1", "documentation"),
        ("192.88.99.1", "6to4 relay"),
        ("2002:c000:201::1", "6to4"),
        ("198.19.0.1", "benchmarking"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("250.0.0.1", "reserved"),
        ("64:ff9b::808:808", "NAT64"),
        ("::ffff:10.0.0.1", "private"),
        ("fec0::1", "reserved"),
        ("4000::1", "reserved"),
        ("::8.8.8.8", "reserved"),
    ],
)
def test_what_is_not_public_is_not_looked_up(text: str, word: str) -> None:
    reason = reason_not_to_look_up(text)

    assert reason is not None
    assert word in reason


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "::ffff:8.8.8.8", "2606:4700:4700::1111", "192.175.48.1"]
)
def test_a_public_address_is_looked_up(text: str) -> None:
    assert reason_not_to_look_up(text) is None


def test_networks_of_ones_own_are_looked_up_all_the_same() -> None:
    lifted = (
        ipaddress.ip_network("192.0.2.0/24"),
        ipaddress.ip_network("2001:db8::/32"),
    )

    assert reason_not_to_look_up("192.0.2.7", lifted=lifted) is None
    assert reason_not_to_look_up("::ffff:192.0.2.7", lifted=lifted) is None
    assert reason_not_to_look_up("2001:db8::7", lifted=lifted) is None
    assert reason_not_to_look_up("192.0.2.0/25", lifted=lifted) is not None
    assert reason_not_to_look_up("198.51.100.7", lifted=lifted) is not None


@given(st.ip_addresses())
def test_no_private_address_gets_through(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if reason_not_to_look_up(str(ip)) is None:
        ip = ipaddress.ip_address(read_address(str(ip)).text)
        assert ip.is_global
        assert not ip.is_multicast
        assert not ip.is_reserved


@given(st.text(max_size=60))
def test_any_text_gets_an_answer(text: str) -> None:
    reason = reason_not_to_look_up(text)

    assert reason is None or reason
