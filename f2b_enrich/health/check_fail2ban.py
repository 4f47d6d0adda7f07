"""Whether fail2ban answers, and which of its jails have our action."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from f2b_enrich.health.configured import configured, is_our_name
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
from f2b_enrich.inert import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from f2b_enrich.health.fail2ban import Fail2Ban
    from f2b_enrich.health.handing import Handing
    from f2b_enrich.health.links import Link

_AT_ONCE = 4
_NO_LOG = re.compile(r"not found any log file for (?P<jail>\S+) jail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail2BanFacts:
    """What fail2ban said; `trouble` is why its server said nothing.

    `running` has the actions of each jail that runs. `configured` names the jails that
    the configuration gives our action, None where it cannot be read. `handings` is
    what each jail with our action runs, `mistake` what fail2ban finds wrong with its
    configuration.
    """

    version: str | None = None
    trouble: Fail2BanError | None = None
    running: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    configured: frozenset[str] | None = None
    handings: Mapping[str, Handing] = field(default_factory=dict)
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
        return next(filter(is_our_name, self.running[jail]), None)


def look(fail2ban: Fail2Ban) -> Fail2BanFacts:
    """Ask the server, and read its configuration as it would."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        dump = pool.submit(_configuration, fail2ban)
        mistake = pool.submit(_mistake, fail2ban)
        try:
            version = fail2ban.server_version()
            jails = fail2ban.jails()
            running = dict(zip(jails, pool.map(fail2ban.actions, jails), strict=True))
        except Fail2BanError as exc:
            named, commands = dump.result()
            return Fail2BanFacts(
                trouble=exc,
                configured=named,
                handings=_handings(commands),
                mistake=mistake.result(),
            )
        facts = Fail2BanFacts(version=version, running=running)
        commands = dict(pool.map(partial(_command, fail2ban, facts), facts.reporting))
        return replace(
            facts,
            configured=dump.result()[0],
            handings=_handings(commands),
            mistake=mistake.result(),
        )


def _command(fail2ban: Fail2Ban, facts: Fail2BanFacts, jail: str) -> tuple[str, str]:
    """Ask what a running jail does for a ban; one that runs inside has no command."""
    try:
        name = facts.ours_in(jail) or ""
        return jail, fail2ban.send("get", jail, "action", name, "actionban")
    except Fail2BanError:
        return jail, ""


def _handings(commands: Mapping[str, str]) -> dict[str, Handing]:
    found = ((jail, handing_of(command)) for jail, command in commands.items())
    return {jail: handing for jail, handing in found if handing is not None}


def _configuration(
    fail2ban: Fail2Ban,
) -> tuple[frozenset[str] | None, dict[str, str]]:
    """Name the jails that would have our action, with what it would do for a ban."""
    try:
        meant = configured(fail2ban.dump())
    except Fail2BanError:
        return None, {}
    commands = {
        jail.name: dict(action.settings).get("actionban", "")
        for jail in meant.jails
        if (action := jail.our_action) is not None
    }
    return frozenset(commands), commands


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
