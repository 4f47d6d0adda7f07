"""Whether IPinfo takes the token, and what is left of its quota."""

from __future__ import annotations

import asyncio
import time
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from f2b_enrich.enrich.cooldown import Rest, SourceFault
from f2b_enrich.enrich.fields import header_text
from f2b_enrich.errors import ConfigError, ProviderError
from f2b_enrich.health.check_quota import quota
from f2b_enrich.health.links import crit, ok, warn
from f2b_enrich.health.probing import until_done

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import SecretStr

    from f2b_enrich.config import IpinfoSettings
    from f2b_enrich.health.check_quota import Quota
    from f2b_enrich.health.links import Link

_ANY_TOKEN = frozenset({"auto", "legacy"})
_WAIT = (
    "wait for the next period, or take a larger plan; the local database serves "
    "meanwhile"
)

ASKED = IPv4Address("8.8.8.8")
"""The address in IPinfo's own examples: of no attacker, and surely known."""


def links(
    settings: IpinfoSettings, token: SecretStr | None, *, seconds: float, offline: bool
) -> Iterator[Link]:
    """Ask if a token is set, at most so many seconds; else nothing.

    Where IPinfo does not say what is left for the token it is asked about an address,
    which counts against the quota. Whatever is refused, alerts go on with the local
    database.
    """
    if token is None:
        yield ok("ipinfo", "no token, not asked")
        return
    if offline:
        yield ok("ipinfo", "a token is set; not asked (--offline)")
        return
    started = time.monotonic()
    try:
        left = until_done(_ask(settings, token, seconds))
    except ConfigError as exc:
        yield crit("ipinfo", str(exc), "write the token anew into its file")
    except ProviderError as exc:
        yield _trouble(exc)
    else:
        took = 1000 * (time.monotonic() - started)
        text = f"takes the token, answered in {took:.0f} ms"
        if left is not None and left.is_short:
            yield warn("ipinfo", f"{text}; {left}", _WAIT)
        else:
            yield ok("ipinfo", text if left is None else f"{text}; {left}")


async def _ask(
    settings: IpinfoSettings, token: SecretStr, seconds: float
) -> Quota | None:
    text = header_text(token)
    left = None
    if settings.plan != "lite":  # which has no quota
        left = await quota(settings, text, seconds=seconds / 2)
    # A token that it knows is good for one of these; the others have to be tried.
    if left is not None and left.left > 0 and settings.plan in _ANY_TOKEN:
        return left
    await _look_up(settings, text, seconds / 2)
    return left


async def _look_up(settings: IpinfoSettings, text: str, seconds: float) -> None:
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
        return warn("ipinfo", str(error), _WAIT)
    cure = "see whether this machine reaches it (ipinfo.base_url, ipinfo.proxy)"
    return warn("ipinfo", str(error), cure)
