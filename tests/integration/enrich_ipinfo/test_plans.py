"""IPinfo's plans: each at its own address, found by trying, through a proxy or not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from f2b_enrich.config import IpinfoSettings
from f2b_enrich.enrich.ipinfo_plans import plans
from tests.ipinfo_client import BROKEN, ELSEWHERE, TOKEN, failure, known, opened, told
from tests.ipinfo_records import BERLIN
from tests.ipinfo_shapes import business, lite, lookup

if TYPE_CHECKING:
    from f2b_enrich.enrich.ipinfo_api import IpinfoApi
    from tests.clock import Clock
    from tests.fake_ipinfo import FakeIpinfo

PLANS = {
    "legacy": ("tok-legacy", "/192.0.2.1", BERLIN),
    "business": ("tok-biz", "/192.0.2.1", business(BERLIN)),
    "lite": ("tok-free", "/lite/192.0.2.1", lite(BERLIN)),
    "core": ("tok-core", "/lookup/192.0.2.1", lookup(BERLIN, "tok-core")),
    "plus": ("tok-plus", "/lookup/192.0.2.1", lookup(BERLIN, "tok-plus")),
}


@pytest.mark.parametrize("plan", PLANS)
async def test_each_plan_asks_its_own_address_and_keeps_what_it_received(
    server: FakeIpinfo, clock: Clock, plan: str
) -> None:
    token, path, received = PLANS[plan]

    async with opened(server.url, clock, token=token, plan=plan) as api:
        facts = await known(api)

    assert server.paths() == [path]
    assert (facts.country_code, facts.asn) == ("DE", 64496)
    assert facts.raw == received


@pytest.mark.parametrize(
    ("token", "asked", "flags"),
    [
        ("tok-max", 1, (True, False, True, True)),
        ("tok-plus", 1, (True, False, True, False)),
        ("tok-core", 1, (True, None, None, None)),
        ("tok-biz", 2, (True, True, False, False)),
        ("tok-legacy", 2, (None, None, None, None)),
        ("tok-free", 3, (None, None, None, None)),
    ],
)
async def test_auto_finds_the_richest_plan_and_keeps_to_it(
    server: FakeIpinfo,
    clock: Clock,
    token: str,
    asked: int,
    flags: tuple[bool | None, ...],
) -> None:
    paths = ["/lookup/192.0.2.1", "/192.0.2.1", "/lite/192.0.2.1"][:asked]

    async with opened(server.url, clock, token=token) as api:
        facts = await known(api)
        await known(api)

    assert server.paths() == [*paths, paths[-1]]
    assert (facts.is_hosting, facts.is_vpn, facts.is_tor, facts.is_proxy) == flags
    assert facts.country_code == "DE"


async def test_auto_tries_the_plans_once_for_many(
    server: FakeIpinfo, clock: Clock
) -> None:
    async with opened(server.url, clock, token="tok-free") as api:
        found = await asyncio.gather(*(known(api) for _ in range(20)))

    assert {facts.country_code for facts in found} == {"DE"}
    assert len(server.requests) == 22


async def test_auto_takes_trouble_for_no_refusal(
    server: FakeIpinfo, clock: Clock
) -> None:
    server.script("500", route="lookup", times=1)
    async with opened(server.url, clock, token="tok-plus") as api:
        error = await failure(api)
        clock.move(seconds=1)
        facts = await known(api)

    assert "HTTP 500" in str(error)
    assert server.paths() == ["/lookup/192.0.2.1"] * 2
    assert facts.is_tor is True


async def test_auto_remembers_what_was_refused_before_trouble(
    server: FakeIpinfo, clock: Clock
) -> None:
    server.script("500", route="legacy", times=1)
    async with opened(server.url, clock, token=TOKEN) as api:
        await failure(api)
        clock.move(seconds=1)
        await known(api)

    assert server.paths() == ["/lookup/192.0.2.1", "/192.0.2.1", "/192.0.2.1"]


async def test_a_plan_that_was_found_is_given_up_when_it_is_refused_later(
    server: FakeIpinfo, clock: Clock
) -> None:
    async with opened(server.url, clock, token="tok-plus") as api:
        await known(api)
        server.script("403")
        error = await failure(api)

    assert not error.retryable
    assert server.paths() == ["/lookup/192.0.2.1"] * 2


async def test_a_dead_token_is_told_once_a_day(
    server: FakeIpinfo, clock: Clock
) -> None:
    with capture_logs() as lines:
        async with opened(server.url, clock, token="tok-dead") as api:
            for _ in range(50):
                assert not (await failure(api)).retryable
                clock.move(hours=1)

    assert len(server.requests) == 3
    assert [line["log_level"] for line in lines] == ["error"] * 3
    assert {line["reason"] for line in lines} == {"IPinfo refuses the token (HTTP 403)"}


async def test_without_a_token_every_plan_is_the_keyless_one(
    server: FakeIpinfo, clock: Clock
) -> None:
    async with opened(server.url, clock, plan="plus") as api:
        await known(api)

    assert server.paths() == ["/192.0.2.1"]


@pytest.mark.parametrize("plan", ["core", "plus", "lite"])
@pytest.mark.parametrize("kind", sorted(BROKEN))
async def test_a_broken_answer_of_any_plan_is_worth_another_try(
    server: FakeIpinfo, clock: Clock, kind: str, plan: str
) -> None:
    server.script(kind)
    async with opened(server.url, clock, token="tok-plus", plan=plan) as api:
        error = await failure(api)
        assert error.retryable
        server.behave()
        clock.move(seconds=1)
        facts = await known(api)

    assert BROKEN[kind] in str(error)
    assert facts.country_code == "DE"


@pytest.mark.parametrize("plan", ["core", "plus", "lite"])
async def test_a_bogon_is_an_answer_of_any_plan(
    server: FakeIpinfo, clock: Clock, plan: str
) -> None:
    async with opened(server.url, clock, token="tok-plus", plan=plan) as api:
        facts = await known(api, "192.0.2.3")

    assert facts.country_code is None
    assert facts.raw == {"ip": "192.0.2.3", "bogon": True}


async def test_a_changed_answer_is_not_hidden_by_a_cache(
    server: FakeIpinfo, api: IpinfoApi
) -> None:
    before = await known(api, "192.0.2.77")
    server.records["192.0.2.77"] = {"ip": "192.0.2.77", "country": "NL"}

    after = await known(api, "192.0.2.77")

    del server.records["192.0.2.77"]
    assert (before.country_code, after.country_code) == ("DE", "NL")


async def test_a_proxy_is_asked_instead_of_the_server(
    server: FakeIpinfo, clock: Clock
) -> None:
    async with opened(ELSEWHERE, clock, proxy=server.url) as api:
        facts = await known(api)

    assert facts.city == "Berlin"
    assert server.paths() == ["http://ipinfo.example/192.0.2.1"]


async def test_a_proxy_that_lets_nothing_through_is_told(
    server: FakeIpinfo, clock: Clock
) -> None:
    https = ELSEWHERE.replace("http:", "https:")
    async with opened(https, clock, proxy=server.url, token=TOKEN) as api:
        error = await failure(api)

    # The stand-in knows no CONNECT.
    assert str(error) == "the proxy on the way to IPinfo answered HTTP 501"
    assert error.retryable
    assert TOKEN not in told(error)


@pytest.mark.parametrize("base_url", ["", "https://ipinfo.io", "https://ipinfo.io/"])
def test_ipinfos_own_hosts_are_several(base_url: str) -> None:
    found = [plan.url(base_url) for plan in plans("auto", has_token=True)]

    assert found == [
        "https://api.ipinfo.io/lookup",
        "https://ipinfo.io",
        "https://api.ipinfo.io/lite",
    ]


@pytest.mark.parametrize(
    "proxy",
    [
        "http://user:secret@192.0.2.1:3128",
        "http://secret@192.0.2.1",
        "socks5://secret:1080",
        "http://secret:port",
        "http://secret:0",
        "http://[secret",
        "http://sec ret",
        "http://",
    ],
)
def test_a_proxy_that_is_none_is_refused_without_showing_it(proxy: str) -> None:
    with pytest.raises(ValidationError) as caught:
        IpinfoSettings(proxy=proxy)

    assert "secret" not in caught.value.errors(include_url=False)[0]["msg"]


def test_settings_without_a_word_mean_ipinfo_itself() -> None:
    for settings in (IpinfoSettings(), IpinfoSettings(base_url="", proxy="")):
        assert (settings.plan, settings.proxy) == ("auto", "")
        assert settings.base_url == "https://ipinfo.io"
    given = IpinfoSettings(proxy="http://192.0.2.1:3128", base_url="http://192.0.2.2")
    assert given.proxy == "http://192.0.2.1:3128"
    assert given.base_url == "http://192.0.2.2"
