"""IPinfo's plans: which address answers, which of its clients asks, who reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ipinfo
import ipinfo.handler_async
import ipinfo.handler_core_async
import ipinfo.handler_lite_async
import ipinfo.handler_plus_async

from f2b_enrich.enrich import legacy, lite, lookup

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from ipaddress import IPv4Address, IPv6Address
    from types import ModuleType

    from f2b_enrich.enrich.provider import Facts

AUTO = "auto"
OWN_HOST = "https://ipinfo.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One kind of answer; `below` is where it is under a base URL of one's own.

    `url_name` is what the client's module calls its address: all it offers for
    setting it.
    """

    name: str
    make: Callable[..., Any]
    module: ModuleType
    url_name: str
    own_url: str
    below: str
    read: Callable[[Mapping[str, object], IPv4Address | IPv6Address], Facts]

    def url(self, base_url: str) -> str:
        """Name the address that answers; the plans have several hosts at IPinfo."""
        base = base_url.rstrip("/")
        return self.own_url if base in {"", OWN_HOST} else base + self.below


LEGACY = Plan(
    name="legacy",
    make=ipinfo.getHandlerAsync,
    module=ipinfo.handler_async,
    url_name="API_URL",
    own_url=OWN_HOST,
    below="",
    read=legacy.facts_from,
)
LITE = Plan(
    name="lite",
    make=ipinfo.getHandlerAsyncLite,
    module=ipinfo.handler_lite_async,
    url_name="LITE_API_URL",
    own_url="https://api.ipinfo.io/lite",
    below="/lite",
    read=lite.facts_from,
)
CORE = Plan(
    name="core",
    make=ipinfo.getHandlerAsyncCore,
    module=ipinfo.handler_core_async,
    url_name="CORE_API_URL",
    own_url="https://api.ipinfo.io/lookup",
    below="/lookup",
    read=lookup.facts_from,
)
PLUS = Plan(
    name="plus",
    make=ipinfo.getHandlerAsyncPlus,
    module=ipinfo.handler_plus_async,
    url_name="PLUS_API_URL",
    own_url="https://api.ipinfo.io/lookup",
    below="/lookup",
    read=lookup.facts_from,
)

_NAMED = {
    "legacy": LEGACY,
    "business": LEGACY,  # the same address says more
    "lite": LITE,
    "core": CORE,
    "plus": PLUS,
}


def plans(name: str, *, has_token: bool) -> tuple[Plan, ...]:
    """List what to try for the setting `ipinfo.plan`, the richest first."""
    if not has_token:  # the others ask for one
        return (LEGACY,)
    return (PLUS, LEGACY, LITE) if name == AUTO else (_NAMED[name],)
