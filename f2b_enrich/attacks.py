"""The classes of attack, by name, and how an administrator reads them."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

REPEAT_OFFENDER = "repeat-offender"
OTHER = "other"

CLASSES = MappingProxyType(
    {
        "ssh-password-guessing": "SSH password guessing",
        "ssh-protocol-abuse": "SSH protocol abuse",
        "user-name-enumeration": "user-name enumeration",
        "login-guessing": "log-in guessing",
        "mail-password-guessing": "IMAP, POP3 or SMTP password guessing",
        "spam-relay-attempt": "spam relay attempt",
        "spam-delivery": "spam, or a sender on a block list",
        "smtp-protocol-abuse": "SMTP pipelining or syntax abuse",
        "address-shell-injection": "shell injection in a mail address",
        "wrong-protocol": "wrong protocol on a port",
        "tls-failure": "TLS failure",
        "wordpress-probe": "WordPress probe",
        "wordpress-login": "WordPress log-in guessing",
        "web-application-probe": "probe for web applications",
        "repository-probe": "probe for .git or CI files",
        "credentials-probe": "probe for cloud credentials (.aws, .env)",
        "sensitive-file-probe": "probe for sensitive files",
        "phpunit-probe": "PHPUnit probe",
        "phpmyadmin-probe": "phpMyAdmin probe",
        "known-exploit": "web shell or known exploit",
        "path-traversal": "path traversal",
        "sql-injection": "SQL injection",
        "cross-site-scripting": "cross-site scripting",
        "web-login-guessing": "web log-in guessing",
        "web-filter-refusal": "requests that a web filter refused",
        "unwanted-robot": "unwanted web robot",
        "request-flood": "request flood",
        "malformed-request": "malformed request",
        "open-proxy-probe": "open-proxy probe",
        "ftp-abuse": "FTP abuse",
        "database-abuse": "database abuse",
        "voip-abuse": "VoIP abuse",
        "vpn-abuse": "VPN abuse",
        "dns-abuse": "DNS abuse",
        "port-scan": "port scan",
        REPEAT_OFFENDER: "repeat offender",
        OTHER: "other",
    }
)
"""Each class's name, which is stored and does not change, and its plain wording."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """A class of attack, how many lines show it, and by which rules.

    No lines and no rules: the jail says so, no line does.
    """

    attack: str
    lines: int = 0
    rules: tuple[str, ...] = ()
    cves: tuple[str, ...] = ()


def known(name: str) -> str:
    """Give the name of a class back.

    Raises:
        ValueError: when there is no such class.
    """
    if name not in CLASSES:
        raise ValueError(f"{name!r} is no class of attack, such as {OTHER!r}")
    return name
