"""What a source of facts looks like to whoever asks it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from f2b_enrich.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address, IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one source says about one address; None is not known.

    `country` is the source's own word for it, used only when our table has no name
    for the code. `hostname_confirmed` tells whether the name leads back to the
    address; `as_country_code` is where the network is registered, not where the
    address is. `raw` is the answer as received.
    """

    hostname: str | None = None
    hostname_confirmed: bool | None = None
    country_code: str | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    postal: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    location_precision: str | None = None
    timezone: str | None = None
    asn: int | None = None
    as_name: str | None = None
    as_domain: str | None = None
    as_country_code: str | None = None
    is_hosting: bool | None = None
    is_vpn: bool | None = None
    is_tor: bool | None = None
    is_proxy: bool | None = None
    scanner: str | None = None
    abuse_contact: str | None = None
    raw: Mapping[str, object] = field(default_factory=dict)


class Provider(Protocol):
    """One source of facts."""

    @property
    def name(self) -> str:
        """What people read as the source of a fact."""
        ...

    async def look_up(self, ip: IPv4Address | IPv6Address) -> Facts | None:
        """Ask about a public address; None when the source knows nothing of it.

        Raises:
            ProviderError: the source gave no answer this time.
        """
        ...

    async def aclose(self) -> None:
        """Let go of connections and files."""
        ...


class NoRecordError(ProviderError):
    """A source that answered, and knows nothing of this address it could say."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=True)


class SourceMissingError(ProviderError):
    """A source that is configured but not there yet, such as a file not fetched.

    Beside another source that answers it counts as switched off: a look-up without
    it is complete, else every address would be asked again and again.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=True)
