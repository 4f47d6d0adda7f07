"""Single values out of a source's answer: the right type, or not known."""

from __future__ import annotations

import ipaddress
import json
import math
import re
from typing import TYPE_CHECKING

from f2b_enrich.enrich import reverse_dns
from f2b_enrich.errors import ConfigError
from f2b_enrich.inert import cut, printable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address, IPv6Address

    from pydantic import SecretStr

LONGEST_TEXT = 255

# In ASCII throughout: U+017F in upper case is an S, and there are many digits.
_CODE = re.compile(r"[A-Za-z]{2}")
_AS_NUMBER = re.compile(r"(?:AS)?([0-9]{1,10})", re.IGNORECASE | re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{0,20})?")
_MAIL_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+"
)
_LONGEST_MAIL_ADDRESS = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets
_FLAGS: Mapping[object, bool] = {"true": True, "false": False, "": False}
"""How older databases write flags."""


def text(value: object) -> str | None:
    """Accept text that says something, on one line, bounded, and fit for a terminal.

    What an organisation or a network is called, anybody chooses for himself.
    """
    if not isinstance(value, str):
        return None
    # JSON can carry halves of surrogate pairs, which SQLite refuses.
    whole = value.encode("utf-8", "replace").decode("utf-8")
    return cut(printable(whole.strip()), LONGEST_TEXT) or None


def host_name(value: object) -> str | None:
    """Accept a name that a host could have, in lower case, as from DNS itself.

    Sources pass on what the owner of an address wrote.
    """
    labels = value.removesuffix(".").split(".") if isinstance(value, str) else [""]
    if "" in labels:
        return None
    return reverse_dns.host_name([label.encode("utf-8", "replace") for label in labels])


def country_code(value: object) -> str | None:
    """Accept a two-letter country code in either case."""
    code = value.strip() if isinstance(value, str) else ""
    return code.upper() if _CODE.fullmatch(code) else None


def as_number(value: object) -> int | None:
    """Read `AS123`, `"123"` or the number; AS numbers end at 32 bits."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    match = _AS_NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
    number = int(match[1]) if match else 0
    return number if 0 < number < 1 << 32 else None


def flag(*values: object) -> bool | None:
    """Tell whether any of several flags is set; None when none of them is known."""
    known = [_flag(value) for value in values]
    if any(known):
        return True
    return False if False in known else None


def _flag(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return _FLAGS.get(value.strip().lower()) if isinstance(value, str) else None


def mail_address(value: object) -> str | None:
    """Accept the first of one or several addresses that mail can go to."""
    if not isinstance(value, str):
        return None
    for part in re.split(r"[,;\s]+", value[:4096]):
        if len(part) <= _LONGEST_MAIL_ADDRESS and _MAIL_ADDRESS.fullmatch(part):
            return part
    return None


def mapping(value: object) -> Mapping[str, object]:
    """Accept an object of JSON; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def position(latitude: object, longitude: object) -> tuple[float, float] | None:
    """Read a point on the globe from two numbers or their texts."""
    lat, lon = _number(latitude), _number(longitude)
    if lat is None or lon is None or abs(lat) > 90 or abs(lon) > 180:
        return None
    return lat, lon


def _number(value: object) -> float | None:
    if isinstance(value, str):
        value = value.strip() if _NUMBER.fullmatch(value.strip()) else None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def precision(city: str | None, place: tuple[float, float] | None) -> str | None:
    """Say how far a point can be trusted: to the city, else to the country only."""
    if place is None:
        return None
    return "city" if city else "country"


def as_received(record: Mapping[str, object]) -> Mapping[str, object]:
    """Keep what JSON can hold of an answer.

    Raises:
        ValueError: it holds NaN or an infinity, which are no JSON.
        TypeError: it holds what JSON has no word for.
    """
    kept: Mapping[str, object] = json.loads(json.dumps(record, allow_nan=False))
    return kept


def about(
    asked: IPv4Address | IPv6Address, answer: Mapping[str, object]
) -> Mapping[str, object]:
    """Keep an answer as received when it is about the address that was asked.

    Raises:
        ValueError: it is about another address, or holds what is no JSON.
    """
    raw = as_received(answer)
    if ipaddress.ip_address(str(raw.get("ip"))) != asked:
        raise ValueError("the answer is about another address")
    return raw


def header_text(token: SecretStr) -> str:
    """Reveal a token that can stand in an HTTP header.

    Raises:
        ConfigError: it cannot; the libraries' own errors would show it.
    """
    bare = token.get_secret_value()
    if not bare or not bare.isascii() or not bare.isprintable() or " " in bare:
        raise ConfigError(("the IPinfo token is not one word of printable ASCII",))
    return bare
