"""What fail2ban says in its mails, in the words of every release.

The subject and the first sentences are fail2ban's own. What follows them, answers of
whois and log lines, may be an attacker's, and is searched for lines alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from f2b_enrich import inert

Said: TypeAlias = Literal["ban", "summary", "start", "stop", "other"]

MAX_OWN_WORDS = 4096
"""How far fail2ban's own sentences can lie from the beginning."""

_SUBJECT = re.compile(
    r"(?:\[(?!fail2ban)[^\]]{1,60}\] ?|\*{2,8} ?[A-Z]{1,20} ?\*{2,8} ?){0,3}"
    r"\[fail2ban[^\]]{0,60}\](?:\[(?P<host>[^\]\s]{1,253})\])? ?(?P<rest>.*)",
    re.IGNORECASE,
)
_ANSWER = re.compile(
    r"(?:re|aw|antw|sv|fwd?|wg|tr|rv) ?(?:\[\d{1,3}\])?:", re.IGNORECASE
)
_BANNED = re.compile(
    r"(?:(?P<jail>.{1,100}?) ?: )?banned\b ?(?P<ip>(?!from )\S{1,100})?"
    r"(?: ?from (?P<host>\S{1,253}))?",
    re.IGNORECASE,
)
_STATE = re.compile(
    r"(?P<jail>.{1,100}?) ?: (?P<state>started|stopped)\b(?: on (?P<host>\S{1,253}))?",
    re.IGNORECASE,
)
_SUMMARY = re.compile(
    r"(?:(?P<jail>.{1,100}?) ?: )?(?:summary|report)\b(?: from (?P<host>\S{1,253}))?",
    re.IGNORECASE,
)
_GREETING = rb"\s{0,20}(?:Hi,?(?:<br ?/?>)?\s{1,20})?"
_SENTENCE = re.compile(
    rb"The IP[ \t]*(?P<ip>[^\s<>]{0,100}?)\s{1,8}has just been banned\b"
    rb"(?:\s{1,8}for\s{1,8}(?P<seconds>-?\d{1,10})\s{1,8}seconds)?"
    rb"\s{1,8}by\s{1,8}Fail2Ban\s{1,8}after\s{1,8}(?P<failures>\d{1,9})?\s{0,8}attempts?"
    rb"\s{1,8}against\s{1,8}(?P<jail>[^\n]{1,200}?)\.(?:<br ?/?>)?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_BEGINS = re.compile(_GREETING + rb"The IP\b", re.IGNORECASE)
_STATE_SAID = re.compile(
    _GREETING + rb"The jail [^\n]{1,200}? has been (?P<state>started|stopped)\b",
    re.IGNORECASE,
)
_SUMMED_UP = re.compile(
    _GREETING + rb"These hosts have been banned by Fail2Ban", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one mail says; `ips` are all that it names, each as it stands there.

    `after` is where fail2ban's own sentence ends in the text.
    """

    said: Said
    ips: tuple[str, ...] = ()
    jail: str | None = None
    host: str | None = None
    failures: int | None = None
    bantime_seconds: int | None = None
    after: int = 0


def is_answer(subject: str) -> bool:
    """Tell what people answer or hand on from what a program sent."""
    return _ANSWER.match(subject) is not None


def told(subject: str, text: bytes) -> Told | None:
    """Read a mail for what fail2ban says in it; None when it is not fail2ban's.

    An answer or a forwarded mail is not: its subject begins otherwise.
    """
    titled = _SUBJECT.fullmatch(subject)
    if titled is None:
        return _untitled(subject, text)
    rest = titled["rest"]
    if banned := _BANNED.fullmatch(rest):
        return _ban(text, banned, titled["host"])
    if state := _STATE.match(rest):
        return _state(state)
    if (summary := _SUMMARY.fullmatch(rest)) or _SUMMED_UP.match(text):
        jail, host = (summary["jail"], summary["host"]) if summary else (None, None)
        return Told(said="summary", jail=cleaned(jail), host=host or titled["host"])
    if found := _untitled("", text):
        return found
    return Told(said="ban" if "banned" in rest.lower() else "other")


def _ban(text: bytes, banned: re.Match[str], host: str | None) -> Told:
    sentence = _SENTENCE.search(text, 0, MAX_OWN_WORDS)
    ips = [] if banned["ip"] is None else [banned["ip"]]
    host = banned["host"] or host
    if sentence is None:
        return Told(said="ban", ips=tuple(ips), jail=cleaned(banned["jail"]), host=host)
    return _sentenced(sentence, ips, cleaned(banned["jail"]), host)


def _sentenced(
    sentence: re.Match[bytes], ips: list[str], jail: str | None, host: str | None
) -> Told:
    ip, failures, seconds = sentence["ip"], sentence["failures"], sentence["seconds"]
    if ip and (found := ip.decode("utf-8", "replace")) not in ips:
        ips.append(found)
    return Told(
        said="ban",
        ips=tuple(ips),
        jail=cleaned(sentence["jail"].decode("utf-8", "replace")) or jail,
        host=host,
        failures=None if failures is None else int(failures),
        bantime_seconds=None if seconds is None else int(seconds),
        after=sentence.end(),
    )


def _untitled(subject: str, text: bytes) -> Told | None:
    """Read a mail whose subject an administrator chose, by how it begins."""
    if is_answer(subject):
        return None
    if _BEGINS.match(text):
        sentence = _SENTENCE.search(text, 0, MAX_OWN_WORDS)
        return None if sentence is None else _sentenced(sentence, [], None, None)
    if state := _STATE_SAID.match(text):
        return Told(said="start" if state["state"].lower() == b"started" else "stop")
    return Told(said="summary") if _SUMMED_UP.match(text) else None


def _state(state: re.Match[str]) -> Told:
    said: Said = "start" if state["state"].lower() == "started" else "stop"
    return Told(said=said, jail=cleaned(state["jail"]), host=state["host"])


def cleaned(jail: str | None) -> str | None:
    """Put a jail's name on one line without control characters; None for nothing."""
    return " ".join(inert.printable(jail or "").split()) or None
