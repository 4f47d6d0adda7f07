"""Whether IPinfo takes the token, by one look-up."""

from __future__ import annotations

import asyncio
import time
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from f2b_enrich.enrich.cooldown import Rest, SourceFault
from f2b_enrich.enrich.fields import header_text
from f2b_enrich.errors import ConfigError, ProviderError
from f2b_enrich.health.links import crit, ok, warn
from f2b_enrich.health.probing import until_done

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import SecretStr

    from f2b_enrich.config import IpinfoSettings
    from f2b_enrich.health.links import Link

ASKED = IPv4Address("8.8.8.8")
"""The address in IPinfo's own examples: of no attacker, and surely known."""


def links(
    settings: IpinfoSettings, token: SecretStr | None, *, seconds: float, offline: bool
) -> Iterator[Link]:
    """Ask about one address if a token is set, at most so many seconds; else nothing.

    It counts against the quota like any look-up. Whatever is refused, alerts go on
    with the local database.
    """
    if token is None:
        yield ok("ipinfo", "no token, not asked")
        return
    if offline:
        yield ok("ipinfo", "a token is set; not asked (--offline)")
        return
    started = time.monotonic()
    try:
        until_done(_ask(settings, token, seconds))
    except ConfigError as exc:
        yield crit("ipinfo", str(exc), "write the token anew into its file")
    except ProviderError as exc:
        yield _trouble(exc)
    else:
        took = 1000 * (time.monotonic() - started)
        yield ok("ipinfo", f"takes the token, answered in {took:.0f} ms")


async def _ask(settings: IpinfoSettings, token: SecretStr, seconds: float) -> None:
    text = header_text(token)
    # Only here: it takes 220 ms. Not the provider, which rests and logs.
    from f2b_enrich.enrich.ipinfo_session import Session  # noqa: PLC0415

    session = Session(
        token=text,
        timeout=min(settings.timeout_seconds, seconds),
        base_url=settings.base_url,
        plan=settings.plan,
        proxy=settings.proxy,
    )
    try:
        async with asyncio.timeout(seconds):
            await session.look_up(ASKED)
    except TimeoutError:
        late = f"IPinfo did not answer within {seconds:g} s"
        raise SourceFault(late, rest=Rest.SHORT) from None
    finally:
        await session.aclose()


def _trouble(error: ProviderError) -> Link:
    rest = error.rest if isinstance(error, SourceFault) else Rest.SHORT
    if rest is Rest.FOR_GOOD:
        cure = "compare the token with that of your IPinfo account, and ipinfo.plan"
        return crit("ipinfo", str(error), f"{cure} with what it is for")
    if rest in {Rest.HOUR, Rest.DAY}:
        cure = "wait for the next period, or take a larger plan"
        return warn(
            "ipinfo", str(error), f"{cure}; the local database serves meanwhile"
        )
    cure = "see whether this machine reaches it (ipinfo.base_url, ipinfo.proxy)"
    return warn("ipinfo", str(error), cure)
