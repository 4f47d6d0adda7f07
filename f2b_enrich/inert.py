"""Text that came from an attacker, made harmless for people's eyes and programs."""

from __future__ import annotations

import re

CONTROL_PICTURES = 0x2400
"""U+2400 shows NUL, U+241B shows ESC, and so on (Unicode, Control Pictures)."""

# No word boundary before them: mail readers find the link in `_http://` as well.
_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]{1,15})://", re.IGNORECASE)
_LINK = re.compile(_SCHEME.pattern + r"[^\s<>\"']*", re.IGNORECASE)
_HTTP = re.compile(r"tt(?=ps?$)", re.IGNORECASE)
_WWW = re.compile(r"www\.(?=\S)", re.IGNORECASE)
_MAIL = re.compile(r"(?<=[^\s@])@(?=[^\W_][\w-]{0,62}\.\w)")

# Neither part goes past the next slash, so one `://` never reads what another did.
_LOG_IN = re.compile(r"(?P<user>://[^\s/?#@:]*:)[^\s/?#]+@")
_LETS_IN = "token|password|passwd|passphrase|pwd|secret|api_?key|key|signature"
_SECRET = re.compile(
    rf"(?P<name>(?:[?&;][\w.\[\]-]{{0,40}}(?:{_LETS_IN}|pass|auth|sig)"
    r"|(?<![a-z0-9])(?:api[_-]?key|password|passwd|access_token|client_secret))=)"
    r"[^\s&;#\"'<>]+",
    re.IGNORECASE,
)


def without_nul(text: str) -> str:
    """Show U+0000 as U+2400: SQLite's tools cut text at the first NUL."""
    return text.replace("\0", "\u2400")


def printable(text: str) -> str:
    """Put text on one line that moves no cursor, turns no direction, hides nothing.

    White space becomes a space, control characters their picture, and everything else
    that Unicode calls unprintable (directional marks, surrogates) U+FFFD.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _picture(char) for char in text)


def _picture(char: str) -> str:
    code = ord(char)
    if char == "\t" or (code > 0x1F and char.isspace()):
        return " "
    if code < 0x20:
        return chr(CONTROL_PICTURES + code)
    if code == 0x7F:
        return "\u2421"
    return "\ufffd"


def defang(text: str) -> str:
    """Break links and mail addresses: to be read, clickable in no mail reader."""
    text = _WWW.sub("www[.]", _LINK.sub(_broken_link, text))
    return _MAIL.sub("[@]", text)


def without_secrets(text: str) -> str:
    """Mask what lets somebody in: `user:password@` in links, `?token=` and the like.

    To be called before text is cut: what remained of a secret could not be told.
    """
    return _SECRET.sub(r"\g<name>***", _LOG_IN.sub(r"\g<user>***@", text))


def _broken_link(match: re.Match[str]) -> str:
    return _SCHEME.sub(_broken_scheme, match[0]).replace(".", "[.]")


def _broken_scheme(match: re.Match[str]) -> str:
    broken, changes = _HTTP.subn("xx", match["scheme"])
    return f"{broken}://" if changes else f"{broken}[:]//"


def cut(text: str, limit: int) -> str:
    """Shorten text to `limit` characters, ending in U+2026 where it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "\u2026"
