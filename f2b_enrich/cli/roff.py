"""Text as manual pages have it: man(7), which groff and mandoc both read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from f2b_enrich.inert import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

_LINE_BYTES = 78
"""A longer line of source is bad style to `mandoc -T lint`."""

# What roff reads as something else, or sets as a typographer would: a hyphen for the
# dash of an option, curly quotes for straight ones.
_ESCAPES = str.maketrans(
    {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}
)
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")
_UNIT = re.compile(r"\\\[u[0-9A-F]+\]|\\\(..|\\f.|\\.|.")
_CODE = re.compile(r"`([^`]+)`")


def escape(text: str) -> str:
    """Write text so that it is printed as it is, whatever it holds; one line."""
    plain = printable(text).translate(_ESCAPES)
    return _NOT_ASCII.sub(lambda found: rf"\[u{ord(found[0]):04X}]", plain)


def filled(text: str) -> str:
    """Write a paragraph, words between backticks in bold, as lines of source."""
    parts = _CODE.split(" ".join(text.split()))
    parts[0::2] = map(escape, parts[0::2])
    parts[1::2] = (" ".join(map(bold, part.split())) for part in parts[1::2])
    lines: list[str] = []
    for word in "".join(parts).split():
        if lines and len(lines[-1]) + 1 + len(word) <= _LINE_BYTES:
            lines[-1] += f" {word}"
        else:
            lines.append(_guarded(word))
    return "".join(f"{_broken(line)}\n" for line in lines)


def literal(lines: Iterable[str]) -> str:
    """Write lines that stay lines, set in from the margin."""
    body = "".join(f"{_broken(_guarded(escape(line)))}\n" for line in lines)
    return f".RS 4\n.nf\n{body}.fi\n.RE\n"


def section(title: str, *parts: str) -> str:
    """Write a section."""
    return f".SH {argument(title.upper())}\n{_begun(parts)}"


def subsection(title: str, *parts: str) -> str:
    """Write a part of a section."""
    return f".SS {argument(title)}\n{_begun(parts)}"


def _begun(parts: Iterable[str]) -> str:
    """Leave out the mark of the first paragraph: a section begins one anyway."""
    return "".join(parts).removeprefix(".PP\n")


def argument(text: str) -> str:
    """Write one argument of a macro."""
    return '"' + escape(text).replace('"', r"\(dq") + '"'


def paragraph(text: str) -> str:
    """Write a paragraph of its own."""
    return f".PP\n{filled(text)}"


def item(tag: str, text: str) -> str:
    """Write what `tag`, as roff has it already, means."""
    return f".TP\n{_guarded(tag)}\n{filled(text)}"


def bold(text: str) -> str:
    """Write text in bold."""
    return rf"\fB{escape(text)}\fR"


def _guarded(line: str) -> str:
    """Keep a line from being read as a request, and an empty one from being lost."""
    return rf"\&{line}" if not line or line[0] in ".' " else line


def _broken(line: str) -> str:
    """Go on in the next line of source where one has become too long."""
    pieces, length = [""], 0
    for unit in _UNIT.findall(line):
        if length + len(unit) > _LINE_BYTES:
            pieces.append("")
            length = 0
        pieces[-1] += unit
        length += len(unit)
    return "\\\n".join(pieces)
