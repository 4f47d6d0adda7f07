"""Whether fail2ban answers, and which of its jails have our action."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from f2b_enrich.health.configured import Configured, configured, is_our_name
from f2b_enrich.health.fail2ban import (
    DeniedError,
    DownError,
    Fail2BanError,
    MissingError,
    RefusedError,
    SilentError,
)
from f2b_enrich.health.handing import handing_of
from f2b_enrich.health.links import crit, ok, unknown, warn
from f2b_enrich.health.running import running_ours
from f2b_enrich.inert import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from f2b_enrich.health.fail2ban import Fail2Ban
    from f2b_enrich.health.handing import Handing
    from f2b_enrich.health.links import Link

_NO_LOG = re.compile(r"not found any log file for (?P<jail>\S+) jail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail2BanFacts:
    """What fail2ban said; `trouble` is why its server said nothing.

    `running` has the actions of each jail that runs, `renamed` what ours is called in
    one where its name does not tell. `configured` names the jails that
    the configuration gives our action, None where it cannot be read. `handings` is
    what each jail with our action runs, `logs` which files each one reads that reads
    files, `mistake` what fail2ban finds wrong with its configuration.
    """

    version: str | None = None
    trouble: Fail2BanError | None = None
    running: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    configured: frozenset[str] | None = None
    handings: Mapping[str, Handing] = field(default_factory=dict)
    logs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mistake: str | None = None

    @property
    def reporting(self) -> tuple[str, ...]:
        """Name the running jails that have our action."""
        return tuple(sorted(jail for jail in self.running if self.ours_in(jail)))

    @property
    def inside_only(self) -> bool:
        """Tell that jails report, but all from inside fail2ban, without a client."""
        return bool(self.reporting) and not self.handings

    def ours_in(self, jail: str) -> str | None:
        """Give what our action is called in a running jail; None if it is not there."""
        by_name = next(filter(is_our_name, self.running[jail]), None)
        return by_name or self.renamed.get(jail)


def look(fail2ban: Fail2Ban) -> Fail2BanFacts:
    """Ask the server, and read its configuration as it would."""
    with ThreadPoolExecutor(2) as pool:
        reading = pool.submit(_configuration, fail2ban)
        mistake = pool.submit(_mistake, fail2ban)
        asked = ask(fail2ban)
        meant, facts = reading.result(), replace(asked, mistake=mistake.result())
    if meant is None:
        return facts
    ours = {jail.name: jail.our_action for jail in meant.jails if jail.our_action}
    if facts.trouble is not None:
        commands = {
            jail: dict(action.settings).get("actionban", "")
            for jail, action in ours.items()
        }
        facts = replace(facts, handings=_handings(commands))
    logs = {jail.name: jail.logs for jail in meant.jails if jail.logs}
    return replace(facts, configured=frozenset(ours), logs=logs)


def ask(fail2ban: Fail2Ban) -> Fail2BanFacts:
    """Ask the server which jails run, and what they do for a ban.

    Each start of its client takes a tenth of a second, so one is for all jails.
    """
    try:
        version = fail2ban.server_version()
        jails = fail2ban.jails()
        answers = answers_to(fail2ban, [("get", jail, "actions") for jail in jails])
        running = dict(zip(jails, map(_names, answers), strict=True))
        renamed = _renamed(fail2ban, running)
        facts = Fail2BanFacts(version=version, running=running, renamed=renamed)
        # One that runs inside fail2ban has no command, and says so.
        questions = [
            ("get", jail, "action", facts.ours_in(jail) or "", "actionban")
            for jail in facts.reporting
        ]
        commands = answers_to(fail2ban, questions)
    except Fail2BanError as exc:
        return Fail2BanFacts(trouble=exc)
    told = dict(zip(facts.reporting, commands, strict=True))
    return replace(facts, handings=_handings(told))


def _renamed(
    fail2ban: Fail2Ban, running: Mapping[str, tuple[str, ...]]
) -> dict[str, str]:
    """Find our action by what it runs, in jails where no name is ours."""
    others = [
        (jail, name)
        for jail, names in running.items()
        for name in names
        if not any(map(is_our_name, names))
    ]
    asked = [("get", jail, "action", name, "actionban") for jail, name in others]
    commands = answers_to(fail2ban, asked)
    suspects = {
        jail
        for (jail, _), command in zip(others, commands, strict=True)
        if handing_of(command) is not None
    }
    found = {jail: running_ours(fail2ban, jail) for jail in sorted(suspects)}
    return {jail: ours[0].name for jail, ours in found.items() if ours}


def answers_to(
    fail2ban: Fail2Ban, questions: Sequence[tuple[str, ...]]
) -> tuple[str, ...]:
    """Ask by one program, or by one each where that does not do: it needs readline."""
    try:
        return fail2ban.answers(questions)
    except RefusedError:
        return tuple(_answer(fail2ban, question) for question in questions)


def _answer(fail2ban: Fail2Ban, question: tuple[str, ...]) -> str:
    try:
        return fail2ban.send(*question)
    except RefusedError as exc:
        return exc.reason


def _names(answer: str) -> tuple[str, ...]:
    """Read the answer to `get JAIL actions`: a line, and behind it the names if any."""
    _, _, names = answer.partition("\n")
    return tuple(filter(None, names.strip().split(", ")))


def _handings(commands: Mapping[str, str]) -> dict[str, Handing]:
    found = ((jail, handing_of(command)) for jail, command in commands.items())
    return {jail: handing for jail, handing in found if handing is not None}


def _configuration(fail2ban: Fail2Ban) -> Configured | None:
    """Read the jails as fail2ban would start them; None where it does not say."""
    try:
        return configured(fail2ban.dump())
    except Fail2BanError:
        return None


def _mistake(fail2ban: Fail2Ban) -> str | None:
    try:
        fail2ban.check_configuration()
    except RefusedError as exc:
        return exc.reason
    except Fail2BanError:
        return None  # the other questions tell why
    return None


def links(facts: Fail2BanFacts) -> Iterator[Link]:
    """Say whether fail2ban works, and would after its next start."""
    if facts.trouble is not None:
        yield _silence(facts.trouble, facts.mistake)
        return
    version = printable(facts.version or "")
    if facts.mistake is None:
        yield ok("fail2ban", f"{version} answers")
    else:
        yield warn(
            "fail2ban",
            f"{version} answers, but would not start again: {facts.mistake}",
            _remedy(facts.mistake),
        )


def _silence(trouble: Fail2BanError, mistake: str | None) -> Link:
    match trouble:
        case DeniedError():
            return unknown("fail2ban", str(trouble))
        case MissingError():
            return crit("fail2ban", str(trouble), "install it: apt install fail2ban")
        case DownError() if mistake is not None:
            return crit("fail2ban", f"{trouble}: {mistake}", _remedy(mistake))
        case DownError():
            return crit("fail2ban", str(trouble), "systemctl start fail2ban")
        case SilentError():
            cure = "see what it does in its log, then systemctl restart fail2ban"
            return crit("fail2ban", str(trouble), cure)
        case _:
            return crit("fail2ban", str(trouble), "fail2ban-client -t tells more")


def _remedy(mistake: str) -> str:
    if found := _NO_LOG.search(mistake):
        jail = printable(found["jail"])
        return (
            "the log may have gone with rsyslog; where there is only the journal write "
            f'"backend = systemd" into [{jail}] of jail.local (needs python3-systemd)'
        )
    return "mend the file it names; fail2ban-client -t tells when it is right"
