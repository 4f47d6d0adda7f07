"""The lines of real logs that people labelled with the class of attack they show."""

from __future__ import annotations

import csv
import os
import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.attacks import CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

BENIGN = "benign"
NUMBER = "number"
"""A line that alone shows nothing: only how many there are is an attack."""

DATA = Path(__file__).parent / "data"
BENIGN_LOG = DATA / "benign.log"
LABELS = DATA / "labelled-lines.csv"

ATTACK_LINES = "attack-lines"
FILTER_LOGS = "filter-logs"
FOLDERS = {ATTACK_LINES: "attack-lines", FILTER_LOGS: "fail2ban-filter-logs"}
"""Each corpus's folder below F2B_ENRICH_EXTRA_DATA."""

UNHEARD_OF = "unheard-of"
"""A jail that nobody knows, so that lines must tell for themselves."""

_NO_LOGS = {"zzz-generic-example"}
"""The lines of a filter that only fail2ban's own tests have."""

_FAILURE = re.compile(r'# ?failJSON:.*"host": *"([^"]*)"')
_ADDRESS = re.compile(
    r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\w)"
    r"|(?<![\w:])[0-9a-fA-F]*:[0-9a-fA-F:]*:"
    r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]*)(?![\w:])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a log, from which address, and what a human saw in it, best first."""

    corpus: str
    file: str
    number: int
    text: str
    address: str
    labels: tuple[str, ...]

    @property
    def label(self) -> str:
        return self.labels[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """What would have been one ban: the lines of one address in one log."""

    jail: str
    lines: tuple[Line, ...]


def what_is_missing() -> str | None:
    """Say which corpus is not there; None when all are."""
    extra = os.environ.get("F2B_ENRICH_EXTRA_DATA")
    for folder in FOLDERS.values():
        if not extra or not (Path(extra) / folder).is_dir():
            return f"F2B_ENRICH_EXTRA_DATA has no folder {folder}"
    return None


def labelled_lines(labels: Path = LABELS) -> tuple[Line, ...]:
    """Read both corpora with their labels, in the order of corpus, file and line.

    Raises:
        ValueError: when a line has no label or two, or a label no line.
    """
    extra = Path(os.environ["F2B_ENRICH_EXTRA_DATA"])
    given = read_labels(labels.read_text("utf-8"))
    found: list[Line] = []
    for corpus, folder in FOLDERS.items():
        sources = _sources(extra / folder / "labels.csv")
        for file in _logs(extra / folder):
            found += _lines(corpus, file, given, sources.get(file.name, ()))
    read = {(line.corpus, line.file) for line in found}
    if unread := given.keys() - read:
        raise ValueError(f"{min(unread)} has labels and no lines")
    return tuple(found)


def benign_lines() -> tuple[Line, ...]:
    """Read the ordinary lines that this project wrote itself."""
    lines = BENIGN_LOG.read_text("utf-8").split("\n")
    return tuple(
        Line(
            corpus=BENIGN,
            file=BENIGN_LOG.name,
            number=number,
            text=text,
            address=address(text),
            labels=(BENIGN,),
        )
        for number, text in enumerate(lines, 1)
        if text
    )


def bans(lines: Iterable[Line]) -> tuple[Ban, ...]:
    """Put together what one address did in one log, in the order of the first line."""
    found: dict[tuple[str, str, str], list[Line]] = {}
    for line in lines:
        found.setdefault((line.corpus, line.file, line.address), []).append(line)
    return tuple(
        Ban(jail=file if corpus == FILTER_LOGS else UNHEARD_OF, lines=tuple(ban))
        for (corpus, file, _), ban in found.items()
    )


def read_labels(
    text: str,
) -> Mapping[tuple[str, str], Mapping[range, tuple[str, ...]]]:
    """Read the labels of each file, by the lines that they are for.

    Raises:
        ValueError: when a label is no class, or two are for the same line.
    """
    found: dict[tuple[str, str], dict[range, tuple[str, ...]]] = {}
    for row in csv.DictReader(text.splitlines()):
        where = (row["corpus"], row["file"])
        labels = tuple(row["labels"].split("|"))
        for label in labels:
            if label not in {*CLASSES, BENIGN, NUMBER}:
                raise ValueError(f"{where}: {label!r} is no class of attack")
        span = range(int(row["first"]), int(row["last"]) + 1)
        spans = found.setdefault(where, {})
        last = max((other.stop for other in spans), default=1)
        if not last <= span.start < span.stop:
            raise ValueError(f"{where}: line {span.start} is not after the line before")
        spans[span] = labels
    return found


def address(text: str, sources: Iterable[str] = ()) -> str:
    """Find whose line it is: a known source, else the first address that it has."""
    there = [word for word in _ADDRESS.findall(text) if _is_address(word)]
    known = (word for word in there if word in set(sources))
    return next(known, there[0] if there else "")


def _is_address(word: str) -> bool:
    try:
        ip_address(word)
    except ValueError:
        return False
    return True


def _logs(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.suffix != ".csv" and file.name not in _NO_LOGS:
            yield file


def _sources(labels: Path) -> Mapping[str, tuple[str, ...]]:
    if not labels.is_file():
        return {}
    with labels.open(encoding="utf-8", newline="") as rows:
        return {
            row["file"]: tuple(row["source_ips"].split())
            for row in csv.DictReader(rows)
        }


def _lines(
    corpus: str,
    file: Path,
    labels: Mapping[tuple[str, str], Mapping[range, tuple[str, ...]]],
    sources: tuple[str, ...],
) -> Iterator[Line]:
    """Read a log; in fail2ban's a comment names the address of the next line."""
    spans = labels.get((corpus, file.name), {})
    host = None
    for number, text in enumerate(file.read_text("utf-8", "replace").split("\n"), 1):
        if corpus == FILTER_LOGS and text.startswith("#"):
            stated = _FAILURE.match(text)
            host = stated[1] if stated is not None else host
        elif text.strip():
            given = next((spans[span] for span in spans if number in span), None)
            if given is None:
                raise ValueError(f"{file.name}: line {number} has no label")
            yield Line(
                corpus=corpus,
                file=file.name,
                number=number,
                text=text.rstrip("\r"),
                address=host or address(text, sources),
                labels=given,
            )
            host = None
