"""When IPinfo's API is not asked: refused, used up, or out of order."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from tests.ipinfo_client import TOKEN, failure, known, opened

if TYPE_CHECKING:
    from f2b_enrich.enrich.ipinfo_api import IpinfoApi
    from tests.clock import Clock
    from tests.fake_ipinfo import FakeIpinfo


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
