"""A report as a mail: all of it as text, what matters most as HTML with pictures."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich import __version__
from f2b_enrich.inert import cut, defang, printable, without_secrets
from f2b_enrich.mail.letter import Letter, LetterView
from f2b_enrich.mail.subject import first_label, short
from f2b_enrich.report import as_text, mail_tables
from f2b_enrich.report import text_words as words
from f2b_enrich.report.text_layout import few
from f2b_enrich.report.text_summary import filter_told
from f2b_enrich.report.text_zone import by_clocks_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from f2b_enrich.mail.letter import Picture
    from f2b_enrich.report.figures import Figures, Filter

WIDTH = 80
"""Columns of the text part."""

_GAP = re.compile(r"( {2,})")
"""What stands between the columns of a table."""

_PIECE = 120
"""Characters of a finding in one piece of the HTML."""

_VALUES = 3
"""Names of a filter that the subject has room for."""

_LONGEST_TIME = 100
"""Characters of the subject that say what the report is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Who sends a mail to whom, from which host, and what names it for ever."""

    host: str
    recipient: str
    sender: str
    message_id: str


def letter(
    figures: Figures,
    envelope: Envelope,
    *,
    zone: tzinfo,
    pictures: Sequence[Picture],
    remark: str = "",
) -> Letter:
    """Choose the words of a report's mail; the `remark` says why it has no pictures."""
    local = by_clocks_of(zone, figures)
    return Letter(
        host=envelope.host,
        recipient=envelope.recipient,
        sender=envelope.sender,
        message_id=envelope.message_id,
        timezone=zone,
        label=figures.period.label,
        text=_text(figures, zone, remark),
        shown=LetterView(
            subject=subject(figures, envelope.host),
            title=f"Addresses that Fail2Ban banned: {local.period.label}",
            span=_span(local),
            confined=tuple(filter_told(each, most=_VALUES) for each in local.filters),
            findings=tuple(_pieces(each.text) for each in local.findings),
            first_tables=mail_tables.first(local),
            tables=mail_tables.others(local),
            without_pictures=remark,
            attribution=mail_tables.attribution(local),
            host=envelope.host,
            version=__version__,
        ),
        pictures=tuple(pictures),
    )


def subject(figures: Figures, host: str) -> str:
    """Say it in one line: when, how many, and where."""
    period = ", ".join((figures.period.label, *map(_briefly, figures.filters)))
    period = cut(defang(without_secrets(printable(period))), _LONGEST_TIME)
    measure = figures.totals.measure
    if not measure.bans:
        is_known = figures.totals.days_covered == figures.totals.days
        return f"[fail2ban] {period}: no bans" + ("" if is_known else " on record")
    bans = words.counted(measure.bans, "ban")
    addresses = words.counted(measure.addresses, "address")
    return f"[fail2ban] {period}: {bans} of {addresses} on {_where(figures, host)}"


def _where(figures: Figures, host: str) -> str:
    if figures.totals.hosts != 1:
        return words.counted(figures.totals.hosts, "host")
    known = [each.host for each in figures.hosts.hosts]
    return short(first_label(known[0] if known else host), "host")


def _briefly(each: Filter) -> str:
    kind = f"{'without' if each.leaves_out else 'only'} {each.what}"
    return f"{kind} {few(each.values, _VALUES)}".rstrip()


def _span(figures: Figures) -> str:
    period = figures.period
    return (
        f"{words.minute(period.since)} to {words.minute(period.until)}, "
        f"{period.zone}; made {words.minute(figures.made_at)}"
    )


def _pieces(text: str) -> tuple[str, ...]:
    return tuple(textwrap.wrap(text, _PIECE, break_on_hyphens=False))


def _text(figures: Figures, zone: tzinfo, remark: str) -> str:
    """Give the text of the terminal, in which no mail reader finds a link."""
    told = "\n".join(map(_safe, as_text.lines(figures, zone=zone, width=WIDTH)))
    return f"{told}\n\n{remark}\n" if remark else f"{told}\n"


def _safe(line: str) -> str:
    """Break the links of a line, and leave its columns where they are."""
    told, grown = "", 0
    for piece in _GAP.split(line):
        if piece.startswith("  "):
            gap = max(len(piece) - grown, 2)
            told, grown = told + " " * gap, grown - (len(piece) - gap)
        else:
            safe = defang(without_secrets(piece))
            told, grown = told + safe, grown + len(safe) - len(piece)
    return told.rstrip()
