"""What an import came to, as the terminal and JSON tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.cli.import_progress import amount
from f2b_enrich.gaps import gaps, usual_gap
from f2b_enrich.intake.tallies import MOST_GAPS
from f2b_enrich.mail.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from f2b_enrich.intake.tallies import Tally
    from f2b_enrich.store.intake import LookUp

_WIDTH = 10
_LINES = {
    "found": "found",
    "already-banned": "already banned",
    "ignored": "ignored",
    "started": "started",
    "stopped": "stopped",
    "error": "errors",
    "foreign": "of other programs",
    "overlong": "too long",
}
_LOOK_UPS = (
    "in the background; they tell where an address is today, not where it was then"
)
_MAILS = {"start": "started", "stop": "stopped", "other": "other mail"}


def tally_text(kind: str, tally: Tally, *, look_up: LookUp) -> Iterator[str]:
    """Word it, a fact a line, those first that one looks for."""
    counts = tally.counts
    yield _line("read", _read(kind, tally))
    yield _line("bans", _bans(tally))
    unbans, longer = counts["records-unban"], counts["records-prolong"]
    ends = [counted(unbans, "unban")] if unbans else []
    ends += [counted(longer, "longer ban")] if longer else []
    if ends:
        yield _line("ends", ", ".join(ends))
    besides = ", ".join(f"{count:,} {what}" for what, count in _besides(kind, tally))
    if besides:
        yield _line("besides", besides)
    yield _line("unparsed", f"{_unparsed(kind, tally):,}")
    yield from _doubts(tally)
    yield from _gaps(tally)
    if counts["new"] and look_up != "none":
        yield _line("look-ups", _LOOK_UPS)


def _line(what: str, text: str) -> str:
    return f"{what:<{_WIDTH}}{text}"


def _read(kind: str, tally: Tally) -> str:
    noun = {"log": "line", "database": "row", "mailbox": "mail"}[kind]
    files = counted(tally.counts["files"], "file")
    text = f"{counted(_all(kind, tally), noun)} of {files}"
    before = tally.counts["bytes-before"]
    return f"{text}; {amount(before)} were read before" if before else text


def _all(kind: str, tally: Tally) -> int:
    if kind == "database":
        return tally.counts["rows"]
    return tally.sum_of("lines-" if kind == "log" else "mails-")


def _bans(tally: Tally) -> str:
    if not tally.of_bans:
        return "none"
    first, last = min(tally.days), max(tally.days)
    when = f"{first}" if first == last else f"{first} to {last}"
    text = f"{tally.of_bans:,} told of, {when}"
    if tally.dry_run:
        return f"{text}; nothing is stored"
    text += f": {tally.counts['new']:,} new, {tally.known:,} already there"
    refused = tally.counts["refused"]
    return f"{text}, {refused:,} refused, for they were purged" if refused else text


def _besides(kind: str, tally: Tally) -> Iterator[tuple[str, int]]:
    counts = tally.counts
    known = _LINES if kind == "log" else _MAILS
    prefix = "lines-" if kind == "log" else "mails-"
    for name, what in known.items():
        if counts[f"{prefix}{name}"]:
            yield what, counts[f"{prefix}{name}"]
    if counts["bounces"]:
        yield "returned by a server", counts["bounces"]
    if counts["rows-repeated"]:
        yield "repeated", counts["rows-repeated"]
    if counts["rows-without-data"]:
        yield "without log lines", counts["rows-without-data"]
    others = counts["lines-other"] + counts["lines-empty"]
    if others:
        yield "others", others


def _unparsed(kind: str, tally: Tally) -> int:
    counts = tally.counts
    if kind == "log":
        return counts["lines-unread"]
    if kind == "database":
        return counts["rows-unread"]
    return counts["mails-unparsed"] + counts["entries-unparsed"]


def _doubts(tally: Tally) -> Iterator[str]:
    counts = tally.counts
    undated = counts["undated"] + counts["lines-undated"]
    if undated:
        yield _line("undated", f"{undated:,} left out: no time that can be believed")
    if counts["ambiguous"]:
        text = f"{counts['ambiguous']:,} in an hour that the clock showed twice"
        yield _line("clock", f"{text}: the first is taken")
    if counts["missing"]:
        text = f"{counts['missing']:,} in an hour that the clock skipped"
        yield _line("clock", f"{text}: is --timezone right?")


def _gaps(tally: Tally) -> Iterator[str]:
    found = gaps(tally.days)
    longest = sorted(found, key=lambda gap: -gap.days)[:MOST_GAPS]
    for gap in sorted(longest, key=lambda gap: gap.first):
        days = counted(gap.days, "day")
        yield _line("gap", f"{gap.first} to {gap.last}, {days} without a ban")
    if len(found) > len(longest):
        yield _line("gap", f"{len(found) - len(longest):,} shorter ones")


def tally_facts(kind: str, tally: Tally) -> dict[str, Any]:
    """Give the same as values for JSON."""
    counts = tally.counts
    return {
        "kind": kind,
        "dry_run": tally.dry_run,
        "files": counts["files"],
        "bytes": tally.taken,
        "bytes_read_before": counts["bytes-before"],
        "read": _all(kind, tally),
        "ban_records": tally.of_bans,
        "bans_new": counts["new"],
        "bans_already_there": 0 if tally.dry_run else tally.known,
        "bans_refused": counts["refused"],
        "unbans": counts["records-unban"],
        "longer_bans": counts["records-prolong"],
        "besides": dict(_besides(kind, tally)),
        "unparsed": _unparsed(kind, tally),
        "undated": counts["undated"] + counts["lines-undated"],
        "hours_shown_twice": counts["ambiguous"],
        "hours_skipped": counts["missing"],
        "first_day": str(min(tally.days)) if tally.days else None,
        "last_day": str(max(tally.days)) if tally.days else None,
        "usual_gap_days": usual_gap(tally.days),
        "gaps": [
            {"first": str(gap.first), "last": str(gap.last), "days": gap.days}
            for gap in gaps(tally.days)
        ],
        "problems": tally.problems.first,
        "problems_left_out": tally.problems.more,
    }
