"""IPinfo's bad days tell: what is refused, what passes, what concerns one address."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from f2b_enrich.enrich.ipinfo_answers import ErrorAnswer
from tests.fake_ipinfo import FakeIpinfo
from tests.ipinfo_client import TOKEN, failure, known, opened

if TYPE_CHECKING:
    from tests.clock import Clock

REFUSED = "IPinfo refuses the token (HTTP 403)"


@pytest.mark.parametrize(
    ("fault", "asked"),
    [
        ("429-token", ["/lookup/192.0.2.1"]),
        ("500", ["/lookup/192.0.2.1"]),
        ("403-html", ["/lookup/192.0.2.1"]),
        ("hold", ["/lookup/192.0.2.1"]),
        ("403", ["/lookup/192.0.2.1", "/192.0.2.1", "/lite/192.0.2.1"]),
    ],
)
async def test_while_the_plan_is_not_known_many_at_once_meet_what_the_first_one_met(
    server: FakeIpinfo, clock: Clock, fault: str, asked: list[str]
) -> None:
    server.script(fault)
    deadline = 0.1 if fault == "hold" else 10
    async with opened(server.url, clock, token=TOKEN, deadline=deadline) as api:
        errors = await asyncio.gather(*(failure(api) for _ in range(8)))

    assert server.paths() == asked
    assert all("not asked again" in str(error) for error in errors[1:])


@pytest.mark.parametrize("fault", ["403", "403-html-as-json", "403-cut"])
async def test_a_refusal_is_one_whatever_its_body_holds(
    server: FakeIpinfo, clock: Clock, fault: str
) -> None:
    server.script(fault)
    async with opened(server.url, clock, token=TOKEN, plan="plus") as api:
        error = await failure(api)
        clock.move(hours=1000)
        await failure(api)

    assert str(error) == REFUSED
    assert not error.retryable
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", ["403-html", "403-latin1", "403-huge"])
@pytest.mark.parametrize("plan", ["auto", "legacy"])
async def test_a_page_that_refuses_ends_all_asking_too(
    server: FakeIpinfo, clock: Clock, fault: str, plan: str
) -> None:
    server.script(fault, times=1)
    async with opened(server.url, clock, token=TOKEN, plan=plan) as api:
        error = await failure(api)
        clock.move(hours=1000)
        await failure(api)

    assert str(error) == f"{REFUSED}, by a page that is not of its API"
    assert not error.retryable
    assert len(server.requests) == 1


async def test_after_a_page_a_reload_begins_with_the_richest_plan(
    server: FakeIpinfo, clock: Clock
) -> None:
    server.script("403-html", times=1)
    async with opened(server.url, clock, token="tok-plus") as api:
        await failure(api)
    async with opened(server.url, clock, token="tok-plus") as api:
        facts = await known(api)

    assert server.paths() == ["/lookup/192.0.2.1"] * 2
    assert facts.is_tor is True


@pytest.mark.parametrize(
    ("fault", "words"),
    [("404", "HTTP 404"), ("400", "HTTP 400"), ("wrong-ip", "ValueError")],
)
async def test_a_fault_of_one_address_is_none_of_the_next(
    server: FakeIpinfo, clock: Clock, fault: str, words: str
) -> None:
    server.script(fault, ip="192.0.2.1")
    with capture_logs() as lines:
        async with opened(server.url, clock, token="tok-plus", plan="plus") as api:
            for _ in range(5):
                error = await failure(api)
                assert "no record of this address" in str(error)
                assert words in str(error)
                assert error.retryable
                assert (await known(api, "192.0.2.2")).country_code == "NL"

    assert lines == []


async def test_a_country_of_null_is_a_fault_of_one_address(
    server: FakeIpinfo, clock: Clock
) -> None:
    async with opened(server.url, clock) as api:
        await failure(api, "192.0.2.7")
        facts = await known(api)

    assert facts.country_code == "DE"


async def test_a_server_may_ask_for_a_longer_rest(
    server: FakeIpinfo, clock: Clock
) -> None:
    server.script("503-later", times=1)
    async with opened(server.url, clock) as api:
        error = await failure(api)
        clock.move(seconds=119)
        await failure(api)
        clock.move(seconds=1)
        facts = await known(api)

    assert str(error) == "IPinfo answered HTTP 503"
    assert facts.city == "Berlin"
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("3601", 3600),
        ("9" * 5000, 3600),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 0),
        ("-1", 0),
        ("1.5", 0),
        ("\u0661", 0),
        ("", 0),
    ],
)
def test_a_wish_is_in_seconds_and_an_hour_at_most(said: str, seconds: int) -> None:
    answer = ErrorAnswer(503, {"Retry-After": said})

    assert answer.retry_after == timedelta(seconds=seconds)


@pytest.mark.parametrize("status", [502, 504])
async def test_a_gateway_without_ipinfo_behind_it_is_worth_another_try(
    server: FakeIpinfo, clock: Clock, status: int
) -> None:
    server.script(str(status), times=1)
    async with opened(server.url, clock, token=TOKEN) as api:
        error = await failure(api)
        clock.move(seconds=1)
        await known(api)

    assert str(error) == f"IPinfo answered HTTP {status}"
    assert error.retryable


async def test_a_token_does_not_travel_to_where_a_redirect_leads(
    server: FakeIpinfo, clock: Clock
) -> None:
    server.script("302-away")
    with FakeIpinfo() as other:
        server.elsewhere = other.url
        async with opened(server.url, clock, token=TOKEN, plan="legacy") as api:
            facts = await known(api)

    assert [(seen.auth, seen.token) for seen in other.requests] == [("none", None)]
    assert facts.city == "Berlin"
