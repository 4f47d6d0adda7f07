"""What can be configured of alerts and digests: who is told of which ban, and when."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from f2b_enrich.alerts.brake import Limits
from f2b_enrich.alerts.policy import Policy, PolicyName, QuietHours, Rule
from f2b_enrich.alerts.schedule import Schedule
from f2b_enrich.config_types import Name, Network, Section, Whole
from f2b_enrich.model import Service

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_WEEKLY = re.compile(rf"({'|'.join(DAYS)}) (\d\d:\d\d)")


def clock_time(text: str) -> time:
    """Read a time of day such as 07:00.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(r"\d\d:\d\d", text):
        raise ValueError(f"{text!r} is no time of day like 07:00")
    hour, minute = map(int, text.split(":"))
    if hour > 23 or minute > 59:
        raise ValueError(f"{text!r} is no time of day like 07:00")
    return time(hour, minute)


def _clock(text: str) -> str:
    if text:
        clock_time(text)
    return text


def _span(text: str) -> str:
    if not text:
        return text
    if _SPAN.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no span like 22:00-07:00")
    begin, end = text.split("-")
    if clock_time(begin) == clock_time(end):
        raise ValueError(f"{text!r} is a span of no time; for all day: policy digest")
    return text


def _weekly(text: str) -> str:
    found = _WEEKLY.fullmatch(text)
    if text and found is None:
        raise ValueError(f"{text!r} is no day and time like mon 07:00")
    if found is not None:
        clock_time(found[2])
    return text


def _country(code: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", code):
        raise ValueError(f"{code!r} is no country code of two letters like NL")
    return code.upper()


_Clock = Annotated[str, AfterValidator(_clock)]
_Span = Annotated[str, AfterValidator(_span)]
_Weekly = Annotated[str, AfterValidator(_weekly)]
_Country = Annotated[str, AfterValidator(_country)]


class AlertRule(Section):
    """Bans that are told of in a way of their own."""

    policy: PolicyName = Field("digest", description="as `alerts.policy`")
    min_ban_count: Whole = Field(
        1, ge=1, le=1_000_000, description="as `alerts.min_ban_count`"
    )
    jails: tuple[Name, ...] = Field((), description="only bans by these jails")
    services: tuple[Service, ...] = Field(
        (), description="only bans of jails that guard these"
    )
    countries: tuple[_Country, ...] = Field(
        (), description="only of addresses in these, by codes of two letters"
    )
    networks: tuple[Network, ...] = Field((), description="only of addresses in these")


class AlertSettings(Section):
    """Which bans are mailed one by one; the others are in a digest, but for `none`."""

    policy: PolicyName = Field(
        "all",
        description="`all` bans; the `first` of an address (of IPv6, its /64) in "
        "`first_days`; `digest`: none of them singly; `none`: not in a digest either",
    )
    first_days: Whole = Field(
        30, ge=1, le=3650, description="how far back `first` looks for an earlier ban"
    )
    min_ban_count: Whole = Field(
        1,
        ge=1,
        le=1_000_000,
        description="mail singly from this ban of an address by a jail on, as "
        "fail2ban counts them",
    )
    quiet_hours: _Span = Field(
        "",
        description='local time without single mails, such as "22:00-07:00"; '
        'empty ("") for none',
    )
    merge_seconds: Whole = Field(
        60,
        ge=0,
        le=3600,
        description="bans of one address by several jails within so long are one mail",
    )
    late_minutes: Whole = Field(
        15,
        ge=1,
        le=10_080,
        description="a ban that is told of later than this, out of the spool or an "
        "import, is only in a digest",
    )
    burst: Whole = Field(
        20, ge=1, le=10_000, description="mails to one recipient in `burst_minutes`"
    )
    burst_minutes: Whole = Field(
        10, ge=1, le=1440, description="after so long what was too much is in a digest"
    )
    per_day: Whole = Field(
        100,
        ge=2,
        le=100_000,
        description="mails to one recipient on one local day, the daily digest beside",
    )
    rules: dict[Name, AlertRule] = Field(
        default_factory=dict,
        description="a table for each rule, such as `[alerts.rules.shop]` with "
        '`jails = ["my-shop"]` and `policy = "none"`; the first one decides all of '
        "whose conditions are met",
    )

    def chosen(self) -> Policy:
        """Give the rules as they are applied."""
        return Policy(
            rules=tuple(map(_rule, self.rules.values())),
            otherwise=Rule(policy=self.policy, min_ban_count=self.min_ban_count),
            quiet=_quiet(self.quiet_hours),
        )

    def late(self) -> timedelta:
        """Tell how old a ban is, once we are told of it, that is only in a digest."""
        return timedelta(minutes=self.late_minutes)

    def limits(self) -> Limits:
        """Give the brake's limits."""
        window = timedelta(minutes=self.burst_minutes)
        return Limits(burst=self.burst, window=window, per_day=self.per_day)


class DigestSettings(Section):
    """Mails about many bans at once; one without bans is not sent."""

    daily: _Clock = Field(
        "07:00", description='local time of the daily one; empty ("") for none'
    )
    hourly: bool = Field(default=False, description="one at every full hour, too")
    weekly: _Weekly = Field(
        "",
        description='day and local time of one about the week, such as "mon 07:00"; '
        'empty ("") for none',
    )
    recipient: Name | None = Field(
        None, description="who gets them; default whoever gets the alerts"
    )

    def schedule(self) -> Schedule:
        """Give the times as they are gone by."""
        return Schedule(
            daily=clock_time(self.daily) if self.daily else None,
            hourly=self.hourly,
            weekly=_day_and_time(self.weekly),
        )


def _rule(rule: AlertRule) -> Rule:
    return Rule(
        policy=rule.policy,
        min_ban_count=rule.min_ban_count,
        jails=frozenset(rule.jails),
        services=frozenset(rule.services),
        countries=frozenset(rule.countries),
        networks=rule.networks,
    )


def _day_and_time(text: str) -> tuple[int, time] | None:
    if not text:
        return None
    day, clock = text.split()
    return DAYS.index(day), clock_time(clock)


def _quiet(text: str) -> QuietHours | None:
    if not text:
        return None
    begin, end = map(clock_time, text.split("-"))
    return QuietHours(begin=begin, end=end)
