"""What log lines show: each for itself, and all together as one ban."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.attacks import CLASSES, OTHER
from f2b_enrich.cli.tables import json_text
from f2b_enrich.inert import listed, printable
from f2b_enrich.mail.wording import counted
from f2b_enrich.store.lines import MAX_BYTES, MAX_LINES
from f2b_enrich.tables import Column, fit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from f2b_enrich.classify.classifier import Told
    from f2b_enrich.daemon.analysis import Analysis, Shown

_CLASS_WIDTH = max(map(len, CLASSES))
_NUMBER_WIDTH = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLine:
    """One line by its number in its file, from 1, and what it shows."""

    number: int
    told: Told
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the first `counted` of `read` lines show as one ban of a jail."""

    jail: str | None
    read: int
    counted: int
    shown: Shown


class LineReader:
    """Read lines one after another; the first, as many as a ban keeps, are held."""

    def __init__(self, analysis: Analysis, *, jail: str | None) -> None:
        self._analysis = analysis
        self._jail = jail
        self._read = 0
        self._room = MAX_BYTES
        self._held: list[str] = []

    def read(self, lines: Sequence[str], *, after: int) -> Iterator[ReadLine]:
        """Tell what lines show that come behind number `after` in their file."""
        for line in lines:
            self._hold(line)
        matched = tuple(self._analysis.matcher.match(lines))
        told = self._analysis.classifier.tell(matched, jail=self._jail or "")
        both = zip(told, matched, strict=True)
        for number, (each, match) in enumerate(both, after + 1):
            yield ReadLine(
                number=number, told=each, values=self._analysis.observer.of(match)
            )

    def _hold(self, line: str) -> None:
        # A ban has the last lines as well; of an endless input there are none.
        is_whole = len(self._held) == self._read
        self._read += 1
        size = len(line.encode())
        if is_whole and size <= self._room and len(self._held) < MAX_LINES:
            self._room -= size
            self._held.append(line)

    def verdict(self) -> Verdict:
        """Tell what a ban with these lines would show."""
        return Verdict(
            jail=self._jail,
            read=self._read,
            counted=len(self._held),
            shown=self._analysis.show(self._held, jail=self._jail or ""),
        )


class LineTable:
    """Rows for people; their widths are fixed, for who knows what is still to come."""

    def __init__(self, analysis: Analysis) -> None:
        names = (len(rule.name) for rule in analysis.matcher.rules if rule.attack)
        self._rule_width = max(names, default=0)

    def heading(self) -> str:
        """Name the columns."""
        return self._row("line", "class", "rule", "captures")

    def line(self, line: ReadLine) -> str:
        """Show one line."""
        told = line.told
        shows = [f"{kind}={listed(printable(text))}" for kind, text in line.values]
        captures = " ".join(filter(None, (told.cve, *shows)))
        return self._row(
            f"{line.number}", told.attack or "-", told.rule or "-", captures or "-"
        )

    def _row(self, number: str, attack: str, rule: str, captures: str) -> str:
        return (
            f"{number:>{_NUMBER_WIDTH}}  {attack:<{_CLASS_WIDTH}}  "
            f"{rule:<{self._rule_width}}  {captures}"
        )


def verdict_table(verdict: Verdict) -> Iterator[str]:
    """Show what all lines together come to, the leading class first."""
    columns = (
        Column("class"),
        Column("lines", right=True),
        Column("what it is"),
        Column("CVE"),
        Column("rules", limit=2_000),
    )
    is_by_jail = verdict.jail is not None and verdict.shown.attacks[0].attack != OTHER
    none = "no line tells: by its jail" if is_by_jail else "no line tells"
    rows = [
        (
            each.attack,
            f"{each.lines:,}",
            CLASSES[each.attack],
            ", ".join(each.cves),
            ", ".join(each.rules) or none,
        )
        for each in verdict.shown.attacks
    ]
    yield _heading(verdict)
    yield from fit(columns, rows)


def _heading(verdict: Verdict) -> str:
    lines = counted(verdict.read, "line")
    if verdict.counted < verdict.read:
        lines = f"the first {verdict.counted:,} of {lines}, as many as a ban keeps,"
    of_jail = f" of {printable(verdict.jail)}" if verdict.jail else ""
    return f"{lines} as one ban{of_jail}:"


def line_json(file: str, line: ReadLine) -> str:
    """Write one line's object."""
    return json_text(
        {
            "file": file,
            "line": line.number,
            "attack": line.told.attack,
            "rule": line.told.rule,
            "cve": line.told.cve,
            "observed": dict(line.values),
        }
    )


def verdict_json(verdict: Verdict) -> str:
    """Write the last object, the only one with a key `verdict`."""
    return json_text(
        {
            "verdict": verdict.shown.attacks[0].attack,
            "jail": verdict.jail,
            "lines_read": verdict.read,
            "lines_counted": verdict.counted,
            "attacks": verdict.shown.attacks,
            "observed": verdict.shown.observed,
        }
    )
