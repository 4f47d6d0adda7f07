"""How much of IPinfo's quota is left, which it tells without a look-up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.errors import ProviderError

if TYPE_CHECKING:
    from f2b_enrich.config import IpinfoSettings

_NO_LIMIT = 2**31 - 1
"""What IPinfo gives where there is none."""

_SHORT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """Look-ups of this period: how many there are, and how many are left."""

    limit: int
    left: int

    @property
    def is_short(self) -> bool:
        """Tell whether less than a twentieth is left."""
        return self.left * _SHORT < self.limit

    def __str__(self) -> str:
        """Write both numbers, or that there is no limit."""
        if self.limit >= _NO_LIMIT:
            return "look-ups without a limit"
        return f"{self.left:,} of {self.limit:,} look-ups left"


async def quota(
    settings: IpinfoSettings, token: str, *, seconds: float
) -> Quota | None:
    """Ask, at most so many seconds; None where it does not tell, which is no fault."""
    # Only here: it takes 220 ms.
    import aiohttp  # noqa: PLC0415

    from f2b_enrich.enrich.ipinfo_answers import (  # noqa: PLC0415
        BoundedResponse,
        ErrorAnswer,
    )
    from f2b_enrich.enrich.ipinfo_plans import OWN_HOST  # noqa: PLC0415

    url = f"{(settings.base_url or OWN_HOST).rstrip('/')}/me"
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    session = aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=seconds),
        response_class=BoundedResponse,
        proxy=settings.proxy or None,
    )
    try:
        async with session, session.get(url, headers=headers) as answer:
            told = (await answer.json())["requests"]
            limit, left = int(told["limit"]), int(told["remaining"])
    except (aiohttp.ClientError, ErrorAnswer, ProviderError, TimeoutError):
        return None
    except (LookupError, TypeError, ValueError):
        return None  # it speaks of something else
    return Quota(limit=limit, left=left) if 0 <= left <= limit <= _NO_LIMIT else None
