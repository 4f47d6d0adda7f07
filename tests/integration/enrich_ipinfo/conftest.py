"""The stand-in for IPinfo on a good day, and its API opened without a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clock import Clock
from tests.fake_ipinfo import FakeIpinfo
from tests.ipinfo_client import opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from f2b_enrich.enrich.ipinfo_api import IpinfoApi


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
