"""The range of names in which all addresses of a subnet lie."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.store import neighbours


@given(st.lists(st.sampled_from([0, 0, 1, 0x20, 0xFFFF]), min_size=8, max_size=8))
def test_every_address_lies_in_the_range_of_its_subnet(groups: list[int]) -> None:
    address = IPv6Address(":".join(f"{group:x}" for group in groups))
    subnet = IPv6Network((int(address) >> 64 << 64, 64))

    first, end = neighbours._names_of(str(subnet))

    assert bool(first) is bool(groups[0])
    assert not first or first <= str(address) < end


@given(st.ip_addresses(v=4))
def test_every_ipv4_address_lies_in_the_range_of_its_subnet(ip: IPv4Address) -> None:
    first, end = neighbours._names_of(f"{str(ip).rpartition('.')[0]}.0/24")

    assert first <= str(ip) < end


@pytest.mark.parametrize("subnet", ["2a00::/24", "2001:db8::/63", "10.0.0.0/8"])
def test_a_wide_network_has_no_range(subnet: str) -> None:
    assert neighbours._names_of(subnet) == ("", "")
