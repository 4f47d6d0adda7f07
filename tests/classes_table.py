"""Measure the classes of attack on labelled lines, and write docs/reference/classes.md.

Run as `python -m tests.classes_table`, with F2B_ENRICH_EXTRA_DATA set.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.attacks import CLASSES, OTHER, REPEAT_OFFENDER
from f2b_enrich.classify.classifier import Classifier
from f2b_enrich.classify.jails import shipped_jails
from f2b_enrich.classify.matching import Matcher
from f2b_enrich.classify.rules import shipped
from tests.labelled import (
    BENIGN,
    LABELS,
    NUMBER,
    bans,
    benign_lines,
    labelled_lines,
    what_is_missing,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.labelled import Line

PAGE = Path(__file__).parents[1] / "docs/reference/classes.md"

COVERS = {
    "ssh-password-guessing": "failed log-ins over SSH, for names that exist or not",
    "ssh-protocol-abuse": "SSH clients that hang, break off before they log in, offer "
    "nothing the server takes, or are refused before they may speak",
    "user-name-enumeration": "asking which accounts exist: by VRFY or EXPN, by pages "
    "of authors, by one name after another",
    "login-guessing": "failed log-ins to what has no class of its own, such as a "
    "remote desktop, a file server or PAM",
    "mail-password-guessing": "failed log-ins to read mail or to hand it in",
    "spam-relay-attempt": "mail for somebody else's domain, which the server does not "
    "pass on",
    "spam-delivery": "mail refused for its content, its sender, its unknown recipient "
    "or a block list",
    "smtp-protocol-abuse": "mail clients that speak too early, greet wrongly, or "
    "break off without mail",
    "address-shell-injection": "commands in a recipient's address, in the hope that a "
    "shell expands it",
    "wrong-protocol": "a client that speaks something else than the port does, such "
    "as HTTP or TLS to an SSH server",
    "tls-failure": "TLS handshakes that came to nothing",
    "wordpress-probe": "asking for WordPress, its plugins, its settings or copies of "
    "them",
    "wordpress-login": "failed log-ins to WordPress, by its page or by XML-RPC",
    "web-application-probe": "asking for applications, administration pages and "
    "scripts that are not there",
    "repository-probe": "asking for a repository, or for what builds from it",
    "credentials-probe": "asking for files with keys and passwords of programs",
    "sensitive-file-probe": "asking for other files that are nobody's business: "
    "histories, dumps, back-ups, `/etc/passwd`",
    "phpunit-probe": "asking for PHPUnit's `eval-stdin.php`, which runs what it is "
    "sent",
    "phpmyadmin-probe": "asking for phpMyAdmin under its many names",
    "known-exploit": "what is made for one known hole, often with its CVE, or asks "
    "for a web shell that somebody else may have left",
    "path-traversal": "a path that climbs out of its folder",
    "sql-injection": "parts of SQL where a value belongs",
    "cross-site-scripting": "parts of scripts where a value belongs",
    "web-login-guessing": "failed log-ins to a web application, a panel, or by HTTP",
    "web-filter-refusal": "what ModSecurity, Suhosin or a rule of the web server "
    "refused",
    "unwanted-robot": "scanners and robots by the name that they give themselves",
    "request-flood": "more requests or connections than a limit allows, or so many "
    "ordinary ones that their number tells",
    "malformed-request": "bytes that are no HTTP request",
    "open-proxy-probe": "using the server, or trying to, to reach somebody else's",
    "ftp-abuse": "failed log-ins to an FTP server",
    "database-abuse": "failed log-ins to a database server",
    "voip-abuse": "failed registrations with a telephone server, and calls through it",
    "vpn-abuse": "failed log-ins to a VPN, or packets that do not belong to it",
    "dns-abuse": "queries and zone transfers that the name server refuses",
    "port-scan": "packets to ports where nothing is, as a firewall or a detector saw",
    REPEAT_OFFENDER: "bans by a jail that watches fail2ban itself; no line is read",
    OTHER: "what neither a line nor the jail tells",
}
"""What each class covers, in words that a table has room for."""

HEAD = """\
# Classes of attack

Written by `python -m tests.classes_table`.

A class says what an attacker was after, in words that need no knowledge of the log.
Each ban has one leading class, and keeps every class that its lines show.

1. A log line has the class of the first rule with a class that matches it: your own
   rules ([how to write one](../how-to/rules.md)), then those of
   `f2b_enrich/classify/rules.toml`, each in their order.
2. Of the lines that no rule tells, many web requests in little time are a
   `request-flood`.
3. The class of most lines leads; of equally many, the one whose rule comes first.
   Names that were tried in the order of the alphabet add `user-name-enumeration`.
4. Where no line tells, the class is that of the jail
   (`f2b_enrich/classify/jails.toml`, or [`[jails.own]`](config.md)), and `other` where
   nobody knows the jail.
5. A jail that watches fail2ban itself, such as `recidive`, is always `repeat-offender`:
   its lines only repeat what other jails saw.

The name is what is stored, and does not change; the wording is what people read.

| class | wording | what it covers |
| --- | --- | --- |
"""

MEASURED = """
## How well the rules do

Measured on {attacks} lines of attacks, {mute} lines that show nothing alone, and
{benign} lines of ordinary life.

- Right: the class that the label names.
  {several} lines have two or more labels, because they show both or because the classes
  fit equally well: they count under the first, and are right with any.
  With the first alone, {first} of all would be right.
- Unclassed: no rule tells, so that only the jail can.

| class | labelled lines | right | wrong | unclassed |
| --- | ---: | ---: | --- | ---: |
"""

NUMBERS = """
Attacks by their number or by the lines before them, which show nothing alone; the rule
that told them: {}.

Lines of ordinary life that have a class: {} of {} (wanted: 0).
"""

TAIL = """
### Where the labels come from

Each kind of line was read and labelled with what a careful person sees in it, with only
the names and wordings of the classes at hand: neither the rules nor what they gave.
They were read once; no second reader has labelled them independently.
No label was changed afterwards.
The labels are in `tests/data/labelled-lines.csv`, by file and line.

The lines are those of two collections, which are not copied here: the tests of
CrowdSec's scenarios, and the logs that fail2ban tests its filters with.
A log is cut into what bans would have been: the lines of one address, in a jail named
like fail2ban's filter, or in a jail that nobody has heard of.
Ordinary life is `tests/data/benign.log`, written for this, and those lines of both
collections that are no attack.

The rules were also tested on these very collections while they were written.
When the labels were first compared with them, 924 of the 1060 lines of attacks were
right (87.2 %) and 31 of 555 lines of ordinary life had a class; rules were then mended.
So the table says how well the rules cover these lines, not how well they do in the
world: of that, the first comparison says more.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A labelled line, the class that the program gave it, and the rule that told."""

    line: Line
    attack: str | None
    rule: str | None

    @property
    def right(self) -> bool:
        return self.attack in self.line.labels


def judge(lines: Iterable[Line]) -> tuple[Judged, ...]:
    """Classify lines as the bans that they would have been."""
    classifier = Classifier(Matcher(shipped()), shipped_jails())
    found = []
    for ban in bans(lines):
        told = classifier.lines([line.text for line in ban.lines], jail=ban.jail)
        for line, what in zip(ban.lines, told, strict=True):
            attack = None if what.attack == OTHER else what.attack
            found.append(Judged(line=line, attack=attack, rule=what.rule))
    return tuple(found)


def attacks(judged: Iterable[Judged]) -> tuple[Judged, ...]:
    """Leave out what is no attack, or one only by its number."""
    return tuple(one for one in judged if one.line.label not in {BENIGN, NUMBER})


def labelled(judged: Iterable[Judged], label: str) -> tuple[Judged, ...]:
    """Take those of one label."""
    return tuple(one for one in judged if one.line.label == label)


def page(judged: Sequence[Judged]) -> str:
    """Write the page of the classes and of what was measured."""
    shown = attacks(judged)
    benign = labelled(judged, BENIGN)
    numbers = labelled(judged, NUMBER)
    classes = [f"| `{name}` | {CLASSES[name]} | {COVERS[name]} |" for name in CLASSES]
    head = MEASURED.format(
        attacks=len(shown),
        mute=len(numbers),
        benign=len(benign),
        first=_share(sum(one.attack == one.line.label for one in shown), len(shown)),
        several=sum(len(one.line.labels) > 1 for one in shown),
    )
    rows = [
        _row(f"`{name}`", labelled(shown, name))
        for name in CLASSES
        if labelled(shown, name)
    ]
    told = Counter(f"`{one.rule}`" if one.rule else "none" for one in numbers)
    classed = sum(one.attack is not None for one in benign)
    return "".join(
        (
            HEAD,
            _lines(classes),
            head,
            _lines([*rows, _sums(shown)]),
            NUMBERS.format(_counts(told), classed, len(benign)),
            TAIL,
        )
    )


def main(to: Path = PAGE, labels: Path = LABELS) -> int:
    """Write the page; 1 without the collections."""
    if missing := what_is_missing():
        sys.stderr.write(f"{missing}\n")
        return 1
    lines = (*labelled_lines(labels), *benign_lines())
    to.write_text(page(judge(lines)), "utf-8")
    return 0


def _row(name: str, judged: Sequence[Judged]) -> str:
    right = sum(one.right for one in judged)
    unclassed = sum(one.attack is None for one in judged)
    wrong = Counter(f"`{one.attack}`" for one in judged if one.attack and not one.right)
    cell = _counts(wrong) if wrong else "0"
    return f"| {name} | {len(judged)} | {right} | {cell} | {unclassed} |"


def _sums(judged: Sequence[Judged]) -> str:
    right = sum(one.right for one in judged)
    unclassed = sum(one.attack is None for one in judged)
    wrong = len(judged) - right - unclassed
    cells = [_share(part, len(judged)) for part in (right, wrong, unclassed)]
    return f"| all | {len(judged)} | {' | '.join(cells)} |"


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / whole:.1f} %)"


def _counts(counts: Counter[str]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{number} {what}" for what, number in ordered)


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
