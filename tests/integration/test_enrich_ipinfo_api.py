"""IPinfo's API on good and on bad days, through its official client."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from f2b_enrich.enrich import ipinfo_session
from f2b_enrich.enrich.ipinfo_api import IpinfoApi
from f2b_enrich.errors import ConfigError
from tests.clock import Clock
from tests.fake_ipinfo import BERLIN, FAULTS, FakeIpinfo, refusing_url
from tests.ipinfo_client import BROKEN, ELSEWHERE, TOKEN, failure, known, opened, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture(scope="module")
def shared_server() -> Iterator[FakeIpinfo]:
    with FakeIpinfo() as server:
        yield server


@pytest.fixture
def server(shared_server: FakeIpinfo) -> FakeIpinfo:
    shared_server.behave()
    shared_server.requests.clear()
    shared_server.quotas.clear()
    return shared_server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def api(server: FakeIpinfo, clock: Clock) -> AsyncIterator[IpinfoApi]:
    async with opened(server.url, clock) as keyless:
        yield keyless


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


async def test_a_token_travels_in_the_header_only(
    server: FakeIpinfo, clock: Clock
) -> None:
    async with opened(server.url + "/", clock, token=TOKEN, plan="legacy") as api:
        facts = await known(api)

    assert facts.raw == BERLIN
    seen = server.requests[0]
    assert (seen.path, seen.auth, seen.token) == ("/192.0.2.1", "bearer", TOKEN)


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


@pytest.mark.parametrize("kind", ["401", "403"])
async def test_a_refused_token_ends_all_asking(
    server: FakeIpinfo, clock: Clock, kind: str
) -> None:
    server.script(kind)
    with capture_logs() as lines:
        async with opened(server.url, clock, token=TOKEN) as api:
            first = await failure(api)
            clock.move(hours=1000)
            second = await failure(api)

    assert re.fullmatch(r"IPinfo refuses the token \(HTTP 40[13]\)", str(first))
    assert not first.retryable
    assert not second.retryable
    assert server.paths() == ["/lookup/192.0.2.1", "/192.0.2.1", "/lite/192.0.2.1"]
    assert [line["log_level"] for line in lines] == ["error", "error"]


async def test_a_refusal_without_a_token_says_so(
    server: FakeIpinfo, api: IpinfoApi
) -> None:
    server.script("403-html")

    assert "requests without a token" in str(await failure(api))


@pytest.mark.parametrize("kind", ["429-daily", "429-token"])
async def test_a_used_up_quota_of_a_token_is_tried_once_an_hour(
    server: FakeIpinfo, clock: Clock, kind: str
) -> None:
    server.script(kind, times=2)
    async with opened(server.url, clock, token=TOKEN) as api:
        for _ in range(5):
            error = await failure(api)
            assert error.retryable
        clock.move(hours=1)
        for _ in range(5):
            await failure(api)
        asked_while_closed = len(server.requests)
        clock.move(hours=1)
        facts = await known(api)

    assert asked_while_closed == 2
    assert facts.city == "Berlin"


@pytest.mark.parametrize("kind", ["429-daily", "429-token"])
async def test_a_used_up_quota_without_a_token_is_left_alone_until_midnight(
    server: FakeIpinfo, clock: Clock, kind: str
) -> None:
    server.script(kind, times=1)
    async with opened(server.url, clock) as api:
        for _ in range(12):
            assert (await failure(api)).retryable
            clock.move(hours=1, seconds=-1)
        clock.time = datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC)
        await failure(api)
        asked_that_day = len(server.requests)
        clock.move(seconds=1)
        facts = await known(api)

    assert asked_that_day == 1
    assert facts.city == "Berlin"


async def test_the_servers_own_quota_is_met(server: FakeIpinfo, clock: Clock) -> None:
    server.quotas[TOKEN] = 1
    async with opened(server.url, clock, token=TOKEN) as api:
        await known(api)
        error = await failure(api)

    assert str(error) == "IPinfo's quota is used up (HTTP 429)"


async def test_a_hundred_look_ups_of_a_dead_server_are_no_storm(
    server: FakeIpinfo, api: IpinfoApi, clock: Clock
) -> None:
    server.script("503")
    await failure(api)
    for _ in range(100):
        await failure(api)
        clock.move(seconds=0.1)

    assert len(server.requests) <= 5


async def test_after_a_rest_one_request_goes_first(
    server: FakeIpinfo, api: IpinfoApi, clock: Clock
) -> None:
    server.script("503", times=2)
    await failure(api)
    clock.move(seconds=1)

    await asyncio.gather(*(failure(api) for _ in range(20)))

    assert len(server.requests) == 2


FINE = {"delay", "gzip", "chunked", "bogon"}
BAD = sorted(FAULTS.keys() - FINE)


@pytest.mark.parametrize("proxied", [False, True])
@pytest.mark.parametrize("plan", ["auto", "plus"])
@pytest.mark.parametrize("kind", BAD)
async def test_the_token_is_in_no_error_no_log_and_no_address(
    server: FakeIpinfo, clock: Clock, *, kind: str, plan: str, proxied: bool
) -> None:
    server.script(kind)
    # A proxy gets the whole address in the request line, as the server does here.
    url, proxy = (ELSEWHERE, server.url) if proxied else (server.url, "")
    deadline = 0.3 if kind in {"hold", "drip"} else 10
    with capture_logs() as lines:
        async with opened(
            url, clock, token=TOKEN, plan=plan, proxy=proxy, deadline=deadline
        ) as api:
            error = await failure(api)
            shown = repr(api) + repr(api._session) + repr(lines) + told(error)

    assert TOKEN not in shown
    assert server.requests
    assert all(TOKEN not in seen.path for seen in server.requests)
    assert {seen.auth for seen in server.requests} == {"bearer"}


@pytest.mark.parametrize("proxied", [False, True])
async def test_the_token_is_in_no_error_when_nobody_listens(
    clock: Clock, *, proxied: bool
) -> None:
    nobody = refusing_url()
    url, proxy = (ELSEWHERE, nobody) if proxied else (nobody, "")
    async with opened(url, clock, token=TOKEN, proxy=proxy) as api:
        error = await failure(api)

    assert "cannot be reached" in str(error)
    assert TOKEN not in told(error)


async def test_concurrent_first_look_ups_share_one_session(
    server: FakeIpinfo, api: IpinfoApi
) -> None:
    found = await asyncio.gather(*(known(api) for _ in range(20)))

    assert {facts.city for facts in found} == {"Berlin"}
    assert len(server.requests) == 20


async def test_closing_twice_or_unused_is_no_matter(clock: Clock) -> None:
    async with opened(refusing_url(), clock) as api:
        await api.aclose()


def test_a_token_that_cannot_be_sent_is_refused(clock: Clock) -> None:
    with pytest.raises(ConfigError, match="printable ASCII"):
        IpinfoApi(
            token=SecretStr("a\nb"),
            base_url="http://192.0.2.1",
            timeout=1,
            deadline=1,
            now=clock,
        )


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
