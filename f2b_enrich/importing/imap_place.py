"""Which IMAP folder is meant, and how its server is reached."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal, TypeAlias
from urllib.parse import quote, unquote_to_bytes, urlsplit

Security: TypeAlias = Literal["tls", "starttls", "plain"]
"""`tls` from the first byte on, and `starttls`, check the certificate."""

MAX_URL = 2048
"""Characters of a URL."""

_PORTS = {"imaps": 993, "imap": 143}
_SHAPE = "imaps://user@mail.example/INBOX"
# RFC 3501, 5.1.3: runs of other characters, and the sign that begins them.
_NOT_PLAIN = re.compile(r"&|[^\x20-\x7e]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapPlace:
    """A folder of one user at a server."""

    host: str
    port: int
    user: str
    folder: str
    security: Security

    @property
    def url(self) -> str:
        """The same place as a URL, written in one way only, without a password."""
        scheme = "imaps" if self.security == "tls" else "imap"
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[scheme] else f":{self.port}"
        return f"{scheme}://{quote(self.user, '')}@{host}{port}/{quote(self.folder)}"

    @property
    def folder_name(self) -> str:
        """The name of the folder as the protocol writes it, quoted."""
        name = _NOT_PLAIN.sub(lambda found: _modified_utf7(found[0]), self.folder)
        return quoted(name)


def read_place(url: str, *, allow_plain: bool = False) -> ImapPlace:
    """Read a URL such as `imaps://user@mail.example/INBOX`; no folder is INBOX.

    `imap://` turns to TLS by STARTTLS, but for this machine itself. `allow_plain` does
    without everywhere.

    Raises:
        ValueError: it is no such URL, or holds a password.
    """
    # What is wrong is not shown: it may hold a password.
    if len(url) > MAX_URL:
        raise ValueError(f"the URL has {len(url)} characters, the limit is {MAX_URL}")
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme, parts.hostname
        port = parts.port
        (host or "").encode("idna")
    except ValueError as exc:
        raise ValueError(f"is no URL like {_SHAPE}") from exc
    if scheme not in _PORTS or not host or port == 0 or parts.query or parts.fragment:
        raise ValueError(f"is no URL like {_SHAPE}")
    if parts.password is not None:
        raise ValueError(
            "the URL holds a password, which stays out of the command line"
        )
    if not parts.username:
        raise ValueError(f"the URL names no user; {_SHAPE}")
    return ImapPlace(
        host=_plain(host, "server"),
        port=port or _PORTS[scheme],
        user=_plain(_decoded(parts.username, "user"), "user"),
        folder=_plain(_decoded(parts.path[1:], "folder"), "folder") or "INBOX",
        security=_security(scheme, host, allow_plain=allow_plain),
    )


def quoted(text: str) -> str:
    """Write a quoted string of the protocol."""
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'


def _decoded(text: str, what: str) -> str:
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError as exc:
        raise ValueError(f"the {what} in the URL is not UTF-8") from exc


def _plain(text: str, what: str) -> str:
    # A line break would end a command and begin another.
    if not text.isprintable():
        raise ValueError(f"the {what} in the URL holds a control character")
    return text


def _security(scheme: str, host: str, *, allow_plain: bool) -> Security:
    if scheme == "imaps":
        return "tls"
    return "plain" if allow_plain or _is_this_machine(host) else "starttls"


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _modified_utf7(text: str) -> str:
    if text == "&":
        return "&-"
    encoded = base64.b64encode(text.encode("utf-16-be"), b"+,").decode()
    return f"&{encoded.rstrip('=')}-"
