"""IPinfo's API as tests open it and ask it."""

from __future__ import annotations

import ipaddress
import traceback
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from f2b_enrich.enrich.ipinfo_api import IpinfoApi
from f2b_enrich.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from f2b_enrich.enrich.provider import Facts
    from tests.clock import Clock

TOKEN = "tok-legacy"
ELSEWHERE = "http://ipinfo.example"
"""An address that only a proxy could reach."""


BROKEN = {
    "500": "HTTP 500",
    "502": "HTTP 502",
    "503": "HTTP 503",
    "404": "HTTP 404",
    "400-bare-json": "no record",
    "truncated-json": "no record",
    "html-200": "no record",
    "html-as-json": "no record",
    "list": "no record",
    "null": "no record",
    "empty": "no record",
    "no-object": "no record",
    "nested": "no record",
    "not-a-number": "no record",
    "wrong-ip": "no record",
    "no-ip": "no record",
    "circle": "no record",
    "short": "broke off",
    "reset": "broke off",
    "close": "cannot be reached",
    "huge": "over 262144 bytes",
    "huge-gzip": "over 262144 bytes",
}


@asynccontextmanager
async def opened(
    url: str,
    clock: Clock,
    *,
    token: str | None = None,
    timeout: float = 10.0,  # noqa: ASYNC109 - a setting, passed on
    deadline: float = 10.0,
    plan: str = "auto",
    proxy: str = "",
) -> AsyncIterator[IpinfoApi]:
    api = IpinfoApi(
        token=SecretStr(token) if token is not None else None,
        base_url=url,
        timeout=timeout,
        deadline=deadline,
        now=clock,
        plan=plan,
        proxy=proxy,
    )
    try:
        yield api
    finally:
        await api.aclose()


async def known(api: IpinfoApi, ip: str = "192.0.2.1") -> Facts:
    facts = await api.look_up(ipaddress.ip_address(ip))
    assert facts is not None
    return facts


async def failure(api: IpinfoApi, ip: str = "192.0.2.1") -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await api.look_up(ipaddress.ip_address(ip))
    return caught.value


def told(error: BaseException | None) -> str:
    """Write all that a log could show of an error and of what led to it."""
    text = ""
    while error is not None:
        text += "".join(traceback.format_exception(error)) + repr(error)
        error = error.__cause__ or error.__context__
    return text
