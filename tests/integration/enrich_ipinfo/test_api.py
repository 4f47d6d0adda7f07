"""IPinfo's API through its official client: what is read, and what is not."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.enrich import ipinfo_session
from tests.fake_ipinfo import FakeIpinfo, refusing_url
from tests.ipinfo_client import BROKEN, failure, known, opened
from tests.ipinfo_records import BERLIN

if TYPE_CHECKING:
    from f2b_enrich.enrich.ipinfo_api import IpinfoApi
    from tests.clock import Clock


async def test_a_keyless_answer_is_read_and_kept_as_received(
    server: FakeIpinfo, api: IpinfoApi
) -> None:
    facts = await known(api)

    assert (facts.city, facts.country_code) == ("Berlin", "DE")
    assert (facts.latitude, facts.longitude) == (52.5244, 13.4105)
    assert (facts.asn, facts.as_name) == (64496, "Example Hosting GmbH")
    assert facts.raw == {**BERLIN, "readme": "https://ipinfo.io/missingauth"}
    assert [(seen.path, seen.auth) for seen in server.requests] == [
        ("/192.0.2.1", "none")
    ]


async def test_ipv6_is_asked_in_its_short_form(
    server: FakeIpinfo, api: IpinfoApi
) -> None:
    assert (await known(api, "2001:db8::1")).city == "Berlin"
    assert server.paths() == ["/2001:db8::1"]


@pytest.mark.parametrize(
    ("ip", "country", "as_name"),
    [
        ("192.0.2.2", "NL", None),
        ("192.0.2.4", "BR", "Example Hosting GmbH"),
        ("192.0.2.5", "DE", "</script>|\u241b[31m x"),
        ("192.0.2.6", "XX", None),
        ("192.0.2.8", "CZ", "Firma s.r.o."),
        ("192.0.2.99", "DE", None),
    ],
)
async def test_odd_records_are_read(
    api: IpinfoApi, ip: str, country: str, as_name: str | None
) -> None:
    facts = await known(api, ip)

    assert (facts.country_code, facts.as_name) == (country, as_name)


async def test_a_bogon_is_an_answer(server: FakeIpinfo, api: IpinfoApi) -> None:
    server.script("bogon")

    facts = await known(api)

    assert facts.country_code is None
    assert facts.raw == {"ip": "192.0.2.1", "bogon": True}
    assert (await known(api)).raw == facts.raw


@pytest.mark.parametrize("kind", ["gzip", "chunked"])
async def test_packed_and_chunked_answers_are_read(
    server: FakeIpinfo, api: IpinfoApi, kind: str
) -> None:
    server.script(kind)

    assert (await known(api)).city == "Berlin"


@pytest.mark.parametrize(("kind", "words"), BROKEN.items())
async def test_a_broken_answer_is_worth_another_try(
    server: FakeIpinfo, api: IpinfoApi, clock: Clock, kind: str, words: str
) -> None:
    server.script(kind)

    error = await failure(api)

    assert words in str(error)
    assert error.retryable
    server.behave()
    clock.move(seconds=1)
    assert (await known(api)).city == "Berlin"


async def test_a_country_of_null_is_no_record(api: IpinfoApi) -> None:
    assert "no record" in str(await failure(api, "192.0.2.7"))


async def test_a_refused_connection_is_worth_another_try(clock: Clock) -> None:
    async with opened(refusing_url(), clock) as api:
        error = await failure(api)

    assert "cannot be reached" in str(error)
    assert error.retryable


@pytest.mark.parametrize("kind", ["hold", "drip"])
async def test_the_clients_limit_ends_a_request(
    server: FakeIpinfo, clock: Clock, kind: str
) -> None:
    server.script(kind, seconds=0.02)
    async with opened(server.url, clock, timeout=0.1) as api:
        error = await failure(api)

    assert str(error) == "IPinfo did not answer within 0.1 s"
    assert error.retryable


@pytest.mark.parametrize("kind", ["hold", "drip"])
async def test_our_own_deadline_ends_what_the_clients_limit_does_not(
    server: FakeIpinfo, clock: Clock, kind: str
) -> None:
    server.script(kind, seconds=0.02)
    async with opened(server.url, clock, deadline=0.1) as api:
        error = await failure(api)

    assert str(error) == "IPinfo did not answer within 0.1 s"
    assert error.retryable


async def test_a_slow_answer_within_the_deadline_is_read(
    server: FakeIpinfo, api: IpinfoApi
) -> None:
    server.script("delay", seconds=0.05)

    assert (await known(api)).city == "Berlin"


async def test_concurrent_first_look_ups_share_one_session(
    server: FakeIpinfo, api: IpinfoApi
) -> None:
    found = await asyncio.gather(*(known(api) for _ in range(20)))

    assert {facts.city for facts in found} == {"Berlin"}
    assert len(server.requests) == 20


async def test_closing_twice_or_unused_is_no_matter(clock: Clock) -> None:
    async with opened(refusing_url(), clock) as api:
        await api.aclose()


def test_the_client_is_not_imported_before_it_is_needed() -> None:
    program = (
        "import sys, f2b_enrich.enrich.enricher; "
        "sys.exit('ipinfo' in sys.modules or 'aiohttp' in sys.modules)"
    )

    subprocess.run([sys.executable, "-c", program], check=True)


def test_its_cache_keeps_nothing() -> None:
    cache = ipinfo_session._NoCache()
    cache["a"] = 1
    assert "a" not in cache
    with pytest.raises(KeyError):
        cache["a"]
    del cache["a"]
