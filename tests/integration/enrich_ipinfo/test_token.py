"""The token of IPinfo's API: where it goes, and where it may not be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from f2b_enrich.enrich.ipinfo_api import IpinfoApi
from f2b_enrich.errors import ConfigError
from tests.fake_ipinfo import FakeIpinfo, refusing_url
from tests.ipinfo_client import ELSEWHERE, TOKEN, failure, known, opened, told
from tests.ipinfo_faults import FAULTS
from tests.ipinfo_records import BERLIN

if TYPE_CHECKING:
    from tests.clock import Clock


async def test_a_token_travels_in_the_header_only(
    server: FakeIpinfo, clock: Clock
) -> None:
    async with opened(server.url + "/", clock, token=TOKEN, plan="legacy") as api:
        facts = await known(api)

    assert facts.raw == BERLIN
    seen = server.requests[0]
    assert (seen.path, seen.auth, seen.token) == ("/192.0.2.1", "bearer", TOKEN)


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


def test_a_token_that_cannot_be_sent_is_refused(clock: Clock) -> None:
    with pytest.raises(ConfigError, match="printable ASCII"):
        IpinfoApi(
            token=SecretStr("a\nb"),
            base_url="http://192.0.2.1",
            timeout=1,
            deadline=1,
            now=clock,
        )
