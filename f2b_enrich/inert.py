"""Text that came from an attacker, made harmless for people's eyes and programs."""

from __future__ import annotations

import re
import unicodedata

CONTROL_PICTURES = 0x2400
"""U+2400 shows NUL, U+241B shows ESC, and so on (Unicode, Control Pictures)."""

# Letters, symbols and selectors that show nothing, or a blank of some width.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
_MOST_MARKS = 4
"""Accents on one letter in any language; more of them climb over the lines above."""

# No word boundary before them: mail readers find the link in `_http://` as well.
_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]{1,15})://", re.IGNORECASE)
_LINK = re.compile(_SCHEME.pattern + r"[^\s<>\"']*", re.IGNORECASE)
_HTTP = re.compile(r"tt(?=ps?$)", re.IGNORECASE)
_WWW = re.compile(r"www\.(?=\S)[^\s<>\"']*", re.IGNORECASE)
# Some readers make a link of a domain with a path or a port, though it has no scheme.
_BARE = re.compile(
    r"(?:(?<![\w./-])|(?<=//))\.*(?:[\w-]{1,63}\.)+(?:xn--[\w-]+|[^\W\d_]{2,24})"
    r"(?=[/?#]|:\d)"
)
_MAIL = re.compile(r"(?<=[^\s@])@(?=[^\W_][\w-]{0,62}\.\w)")

# Neither part goes past the next slash, so one `://` never reads what another did.
_LOG_IN = re.compile(r"(?P<user>://(?:[^\s/?#@:]*:)?)[^\s/?#]+@")
_LETS_IN = (
    r"token|password|passwd|passphrase|pwd|secret|api_?key|access_?key|signature"
    r"|credentials?|authorization|bearer|jwt|sess(?:ion)?_?id"
)
# Ends of other words too: `monkey`, `bypass`, `classid`. What an attacker sends in
# such fields has to be seen.
_SHORT = r"key|pass|auth|sig|pw|psd|otp|pin|sid|session"
_NAME = r"(?:[\w.\[\]-]|%(?!3F|26)){0,64}"
_SECRET = re.compile(
    rf"(?P<name>(?:(?:[?&;#]|%3F|%26)(?:{_NAME}(?:{_LETS_IN})"
    rf"|(?:{_NAME}(?:[_.\[-]|%5B))?(?:{_SHORT}))"
    r"|(?<![a-z0-9])(?:api[_-]?key|password|passwd|access_token|client_secret))"
    r"(?:\d|[\[\]]|%5B|%5D){0,4}(?:=|%3D)[\"']?"
    r"|(?<![a-z])authorization: ?[a-z]{1,20} +)"
    r"[^\s&;#\"'<>]+",
    re.IGNORECASE,
)


_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What spreadsheets take for the start of a formula (OWASP, CSV injection), and their
full-width forms."""

_CONTROLS = ("\t", "\r", "\n")
"""These alone are a reason as well (OWASP)."""

_SYMBOLS = re.compile(r"[\s\u2400-\u2426\ufffd]+")
"""What `printable` makes of blanks and control characters."""

_ODD_IN_A_LIST = re.compile(r"[\s,;:*\"'()\[\]\\]|^\d+ more|^$")


def without_nul(text: str) -> str:
    """Show U+0000 as U+2400: SQLite's tools cut text at the first NUL."""
    return text.replace("\0", "\u2400")


def printable(text: str) -> str:
    """Put text on one line that moves no cursor, turns no direction, hides nothing.

    White space becomes a space, control characters their picture; what cannot be seen
    (directional marks, surrogates, letters without a shape) and accents piled up
    become U+FFFD. The length stays.
    """
    if text.isascii() and text.isprintable():
        return text
    shown = "".join(char if char.isprintable() else _picture(char) for char in text)
    return _without_piles(_UNSEEN.sub("\ufffd", shown))


def _without_piles(text: str) -> str:
    marks = [unicodedata.category(char) in {"Mn", "Me"} for char in text]
    if not any(marks):
        return text
    shown, height = [], _MOST_MARKS  # none may stand on what is left of the text
    for char, is_mark in zip(text, marks, strict=True):
        height = height + 1 if is_mark else 0
        shown.append("\ufffd" if height > _MOST_MARKS else char)
    return "".join(shown)


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
    text = _LINK.sub(_broken_link, text)
    text = _BARE.sub(_without_dots, _WWW.sub(_without_dots, text))
    return _MAIL.sub("[@]", text)


def without_secrets(text: str) -> str:
    """Mask what lets somebody in: `user:password@` in links, `?token=` and the like.

    To be called before text is cut: what remained of a secret could not be told.
    """
    return _SECRET.sub(r"\g<name>***", _LOG_IN.sub(r"\g<user>***@", text))


def _broken_link(match: re.Match[str]) -> str:
    return _SCHEME.sub(_broken_scheme, match[0]).replace(".", "[.]")


def _without_dots(match: re.Match[str]) -> str:
    return match[0].replace(".", "[.]")


def _broken_scheme(match: re.Match[str]) -> str:
    broken, changes = _HTTP.subn("xx", match["scheme"])
    return f"{broken}://" if changes else f"{broken}[:]//"


def listed(name: str) -> str:
    """Quote a name that, among others with commas between, could be read otherwise."""
    if not _ODD_IN_A_LIST.search(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def cell(value: str) -> str:
    """Put text in a cell of a table that no spreadsheet takes for a formula."""
    text = printable(value)
    # Some programs skip blanks, others what they cannot read, before a formula.
    start = _SYMBOLS.match(text)
    begun = text.startswith(_FORMULA, start.end() if start else 0)
    return f"'{text}" if begun or value.startswith(_CONTROLS) else text


def cut(text: str, limit: int) -> str:
    """Shorten text to `limit` characters, ending in U+2026 where it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "\u2026"
