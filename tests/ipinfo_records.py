"""What the stand-in for IPinfo knows, and the words in which it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = "application/json; charset=utf-8"  # as the real one says it, with the charset
HTML = "text/html; charset=UTF-8"

BERLIN: dict[str, object] = {
    "ip": "192.0.2.1",
    "hostname": "host.hosting.example",
    "city": "Berlin",
    "region": "State of Berlin",
    "country": "DE",
    "loc": "52.5244,13.4105",
    "org": "AS64496 Example Hosting GmbH",
    "postal": "10178",
    "timezone": "Europe/Berlin",
}
RECORDS: Mapping[str, Mapping[str, object]] = {
    "192.0.2.1": BERLIN,
    "192.0.2.2": {"ip": "192.0.2.2", "country": "NL"},
    "192.0.2.3": {"ip": "192.0.2.3", "bogon": True},
    "192.0.2.4": {
        **BERLIN,
        "ip": "192.0.2.4",
        "city": "São Paulo",
        "region": "São Paulo",
        "country": "BR",
        "loc": "-23.5475,-46.6361",
    },
    "192.0.2.5": {**BERLIN, "ip": "192.0.2.5", "org": "AS64497 </script>|\x1b[31m x"},
    "192.0.2.6": {"ip": "192.0.2.6", "country": "XX"},
    "192.0.2.7": {"ip": "192.0.2.7", "country": None},
    "192.0.2.8": {
        "ip": "192.0.2.8",
        "country": "CZ",
        "asn": {"asn": "AS64498", "name": "Firma s.r.o.", "domain": "firma.example"},
        "privacy": {"vpn": True, "service": "HideMe"},
    },
    "2001:db8::1": {**BERLIN, "ip": "2001:db8::1"},
}

UNKNOWN_TOKEN = {
    "status": 403,
    "error": {
        "title": "Unknown token",
        "message": "Please ensure you've entered your token correctly.",
    },
}
DAILY_CAP = {
    "status": 429,
    "error": {
        "title": "Rate limit exceeded",
        "message": "You've hit the daily limit for the unauthenticated API.",
    },
}
TOKEN_QUOTA = {
    "title": "Rate limit exceeded",
    "message": "Upgrade to increase your usage limits",
}
BAD_IP = {"error": "Please provide a valid IP address"}
WRONG_IP = {
    "status": 404,
    "error": {"title": "Wrong ip", "message": "Please provide a valid IP address"},
}
