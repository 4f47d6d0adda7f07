"""Host names are asked for over real packets, confirmed, and cleaned of tricks."""

from __future__ import annotations

import asyncio
import ipaddress
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import dns.asyncresolver
import dns.resolver
import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.enrich.provider import Facts
from f2b_enrich.enrich.reverse_dns import (
    LONGEST_NAME,
    MOST_NAMES,
    HostName,
    ReverseDns,
    host_name,
    parents,
)
from f2b_enrich.errors import ProviderError
from tests import dns_server
from tests.dns_server import DnsServer

if TYPE_CHECKING:
    from pathlib import Path

IP = ipaddress.ip_address("192.0.2.7")
PTR = ("7.2.0.192.in-addr.arpa.", "PTR")
IP6 = ipaddress.ip_address("2001:db8::7")


async def find(server: DnsServer, *, deadline: float = 5.0) -> HostName | None:
    return await ReverseDns(server.resolver, deadline=deadline).find(IP)


async def failure(server: DnsServer, *, deadline: float = 5.0) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await find(server, deadline=deadline)
    assert caught.value.retryable
    assert "\n" not in str(caught.value)
    return caught.value


async def test_a_name_that_points_back_is_confirmed() -> None:
    records = {PTR: ["Mail.Shop.Example."], ("mail.shop.example.", "A"): ["192.0.2.7"]}
    async with DnsServer(records) as server:
        source = ReverseDns(server.resolver)

        facts = await source.look_up(IP)

        await source.aclose()
    assert facts == Facts(
        hostname="mail.shop.example",
        hostname_confirmed=True,
        raw={"names": ["mail.shop.example"], "names_in_all": 1},
    )
    assert source.name == "DNS"


async def test_ipv6_is_confirmed_by_aaaa() -> None:
    records = {
        (f"{IP6.reverse_pointer}.", "PTR"): ["six.example."],
        ("six.example.", "AAAA"): ["2001:db8::1", "2001:db8::7"],
    }
    async with DnsServer(records) as server:
        found = await ReverseDns(server.resolver).find(IP6)

    assert found == HostName(
        name="six.example", confirmed=True, tried=("six.example",), count=1
    )


@pytest.mark.parametrize(
    "forward",
    [
        {("crawl.example.", "A"): ["198.51.100.1"]},
        {("crawl.example.", "AAAA"): ["2001:db8::7"]},
        {},
    ],
    ids=["another address", "no address", "no such name"],
)
async def test_a_name_that_lies_is_not_confirmed(
    forward: dict[tuple[str, str], list[str]],
) -> None:
    async with DnsServer({PTR: ["crawl.example."], **forward}) as server:
        found = await find(server)

    assert found is not None
    assert (found.name, found.confirmed) == ("crawl.example", False)


@pytest.mark.parametrize(
    "records", [{}, {(PTR[0], "TXT"): ["text"]}], ids=["NXDOMAIN", "NoAnswer"]
)
async def test_an_address_without_a_name_is_not_known(
    records: dict[tuple[str, str], list[str]],
) -> None:
    async with DnsServer(records) as server:
        assert await ReverseDns(server.resolver).look_up(IP) is None


@pytest.mark.parametrize("fault", [dns_server.SERVFAIL, dns_server.REFUSED])
async def test_a_server_that_fails_is_asked_again_later(fault: str) -> None:
    async with DnsServer(faults={PTR[0]: fault}) as server:
        error = await failure(server)

    assert str(error) == "DNS gave no answer: NoNameservers"


@pytest.mark.parametrize(
    "fault", [dns_server.SILENT, dns_server.GARBAGE, dns_server.OTHER_QUESTION]
)
async def test_a_server_that_says_nothing_useful_times_out(fault: str) -> None:
    records = {PTR: ["forged.example."]}
    async with DnsServer(records, faults={PTR[0]: fault}) as server:
        await failure(server, deadline=2.0)

    assert len(server.asked) > 1, "a lost packet is asked for again"


async def test_the_deadline_holds_for_a_resolver_with_its_own_ideas() -> None:
    class Patient(dns.asyncresolver.Resolver):
        async def resolve(self, *args: Any, **_: Any) -> dns.resolver.Answer:
            await asyncio.Event().wait()
            raise AssertionError(args)

    source = ReverseDns(lambda: Patient(configure=False), deadline=0.05)
    with pytest.raises(ProviderError, match=r"^DNS did not answer within 0\.05 s$"):
        await source.find(IP)


@pytest.mark.parametrize("fault", [dns_server.SILENT, dns_server.SERVFAIL])
async def test_a_name_outlives_a_confirmation_that_fails(fault: str) -> None:
    records = {PTR: ["slow.example."]}
    async with DnsServer(records, faults={"slow.example.": fault}) as server:
        found = await find(server, deadline=2.0)

    assert found is not None
    assert (found.name, found.confirmed) == ("slow.example", None)


async def test_a_cut_answer_is_fetched_over_tcp() -> None:
    records = {PTR: ["big.example."]}
    async with DnsServer(records, faults={PTR[0]: dns_server.TRUNCATED}) as server:
        found = await find(server)

    assert found is not None
    assert found.name == "big.example"
    assert server.asked_over_tcp == 1


async def test_a_cut_answer_without_tcp_is_no_answer() -> None:
    faults = {PTR[0]: dns_server.TRUNCATED}
    async with DnsServer({PTR: ["big.example."]}, faults=faults, tcp=False) as server:
        await failure(server, deadline=0.5)


async def test_a_loop_of_aliases_is_no_answer() -> None:
    records = {(PTR[0], "CNAME"): ["a.example."], ("a.example.", "CNAME"): [PTR[0]]}
    async with DnsServer(records) as server:
        await failure(server)


async def test_an_alias_of_a_delegated_zone_is_followed() -> None:
    records = {
        (PTR[0], "CNAME"): ["7.0/28.2.0.192.in-addr.arpa."],
        ("7.0/28.2.0.192.in-addr.arpa.", "PTR"): ["rfc2317.example."],
    }
    async with DnsServer(records) as server:
        found = await find(server)

    assert found is not None
    assert found.name == "rfc2317.example"


async def test_of_a_hundred_names_four_are_tried() -> None:
    names = [f"n{number:02}.example." for number in range(100)]
    async with DnsServer({PTR: names[::-1]}) as server:
        found = await find(server)

    assert found is not None
    assert (found.name, found.confirmed) == ("n00.example", False)
    assert (len(found.tried), found.count) == (MOST_NAMES, 100)
    assert (
        sorted(name for name, kind in server.asked if kind == "A") == names[:MOST_NAMES]
    )


async def test_the_first_name_that_confirms_wins() -> None:
    records = {
        PTR: ["a.example.", "c.example.", "b.example."],
        ("b.example.", "A"): ["192.0.2.7"],
        ("c.example.", "A"): ["192.0.2.7"],
    }
    async with DnsServer(records) as server:
        found = await find(server)

    assert found is not None
    assert (found.name, found.confirmed) == ("b.example", True)


async def test_names_with_escape_sequences_are_dropped() -> None:
    records = {
        PTR: [
            r"\027[2J\027[1\05931mroot.example.",
            r"a\.b.example.",
            r"two\032words.example.",
            r"\226\128\174.example.",
            "good.example.",
        ]
    }
    async with DnsServer(records) as server:
        found = await find(server)

    assert found is not None
    assert (found.tried, found.count) == (("good.example",), 1)


async def test_an_address_with_unusable_names_only_has_none() -> None:
    async with DnsServer({PTR: [r"\007bell.example.", "."]}) as server:
        assert await find(server) is None


async def test_a_failure_makes_the_servers_be_read_anew() -> None:
    broken = DnsServer(faults={PTR[0]: dns_server.SERVFAIL})
    async with broken as old, DnsServer({PTR: ["new.example."]}) as new:
        servers = iter([old, new])
        source = ReverseDns(lambda: next(servers).resolver())
        with pytest.raises(ProviderError):
            await source.find(IP)
        first, second = await source.find(IP), await source.find(IP)

    assert first == second
    assert first is not None
    assert first.name == "new.example"


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"search example\n",
        b"nameserver 192.0.2.1x\n",
        b"nameserver 192.0.2.1\n# caf\xe9\n",
    ],
    ids=["no file", "empty", "no address", "Latin-1"],
)
async def test_a_machine_without_usable_servers_says_so(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "resolv.conf"
    if content is not None:
        file.write_bytes(content)
    source = ReverseDns(lambda: dns.asyncresolver.Resolver(str(file)))

    with pytest.raises(ProviderError, match=r"^DNS: ") as caught:
        await source.find(IP)

    assert caught.value.retryable


async def test_the_systems_servers_are_the_default() -> None:
    source = ReverseDns(deadline=0.0)  # nothing is sent

    with pytest.raises(ProviderError):
        await source.find(IP)


def test_dnspython_is_imported_only_when_asked() -> None:
    code = (
        "import sys, f2b_enrich.enrich.reverse_dns as m; m.ReverseDns();"
        "sys.exit('dns' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ((b"XN--Bcher-KVA", b"Example", b""), "xn--bcher-kva.example"),
        ((b"_dmarc", b"example", b""), "_dmarc.example"),
        ((b"localhost", b""), "localhost"),
        ((b"",), None),
        ((b"-rf", b"example", b""), None),
        ((b"8", b"8", b"8", b"8", b""), None),
        ((b"b\xfccher", b"example", b""), None),
        ((b"a\n", b"example", b""), None),
        ((b"a" * 63,) * 4, None),
    ],
)
def test_a_name_is_one_that_a_host_could_have(
    labels: tuple[bytes, ...], name: str | None
) -> None:
    assert host_name(labels) == name


@given(st.lists(st.binary(max_size=70), max_size=130))
def test_any_bytes_make_a_harmless_name_or_none(labels: list[bytes]) -> None:
    name = host_name(labels)

    if name is not None:
        assert len(name) <= LONGEST_NAME
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.")


@given(st.text(max_size=300) | st.none())
def test_any_text_has_domains_above_it(text: str | None) -> None:
    domains = list(parents(text))

    assert len(domains) <= LONGEST_NAME
    assert domains == sorted(domains, key=len, reverse=True)


@pytest.mark.parametrize("name", ["a" * (LONGEST_NAME + 1), "lea\u212aix.example"])
def test_what_dns_has_no_name_for_has_no_domains(name: str) -> None:
    assert not list(parents(name))


def test_domains_above_a_name_come_longest_first() -> None:
    assert list(parents("A.b.Example.")) == ["a.b.example", "b.example", "example"]
