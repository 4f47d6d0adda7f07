"""What can be configured: sections and keys, each key with a default."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from f2b_enrich.attacks import OTHER, REPEAT_OFFENDER, known
from f2b_enrich.config_alerts import AlertSettings, DigestSettings
from f2b_enrich.config_channels import BounceSettings, MailboxSettings, NotifySettings
from f2b_enrich.config_report import ReportSettings
from f2b_enrich.config_types import (
    TOGETHER,
    Aliases,
    FilePath,
    HostName,
    Name,
    Network,
    Number,
    PathOrNone,
    Section,
    Whole,
)
from f2b_enrich.model import Service


class StoreSettings(Section):
    """Where bans are kept."""

    path: FilePath = Field(
        Path("/var/lib/f2b-enrich/bans.db"), description="the SQLite file"
    )


class DaemonSettings(Section):
    """What the daemon listens to."""

    socket: FilePath = Field(
        Path("/run/f2b-enrich/f2b-enrich.sock"),
        description="the Unix socket, unless systemd hands one over; "
        "its folder also holds `slow`, `lost` and the second spool",
    )
    spool: FilePath = Field(
        Path("/var/spool/f2b-enrich"),
        description="where the client leaves bans while no daemon answers",
    )
    users: tuple[Name, ...] = Field(
        (), description="users beside root, by name or number, who may report bans"
    )
    max_connections: Whole = Field(
        256, ge=1, le=10_000, description="connections served at once"
    )
    read_timeout_seconds: Number = Field(
        5.0, gt=0, le=600, description="how long one request may take to arrive"
    )


class EnrichSettings(Section):
    """How addresses are looked up."""

    cache_days: Whole = Field(
        30, ge=0, le=3650, description="how long one look-up of an address serves"
    )
    deadline_seconds: Number = Field(
        5.0, gt=0, le=60, description="wall-clock limit of one look-up at one source"
    )
    reserved_networks: tuple[Network, ...] = Field(
        (),
        description="private or reserved networks that are looked up all the same, "
        "for whoever has a database of his own for them",
    )
    scanners: FilePath = Field(
        Path("/etc/f2b-enrich/scanners.toml"),
        description="a list of internet scanners, in the form of the shipped one, that "
        "adds to it",
    )


class DnsSettings(Section):
    """Host names, asked of the system's resolvers."""

    reverse: bool = Field(
        default=True,
        description="ask for the name of each banned address; whoever runs the name "
        "servers of its network can see the question",
    )
    timeout_seconds: Number = Field(
        2.0, gt=0, le=30, description="wall-clock limit of all questions about one"
    )


class OwnSettings(Section):
    """What is yours: the alert about a ban of it speaks of a possible lock-out."""

    networks: tuple[Network, ...] = Field(
        (), description="addresses and networks; the machine's own are known anyway"
    )
    ignoreip: tuple[Name, ...] = Field(
        (), description="the words of fail2ban's own `ignoreip`"
    )
    fail2ban: PathOrNone = Field(
        Path("/etc/fail2ban"),
        description="fail2ban's folder, whose `ignoreip` is read at start and reload; "
        'empty ("") for none',
    )


class GeoSettings(Section):
    """The local database."""

    database: PathOrNone = Field(
        Path("/var/lib/f2b-enrich/geo/ipinfo_lite.mmdb"),
        description="an MMDB file; `f2b-enrich geo update` keeps the default one; "
        'empty ("") for none',
    )


class IpinfoSettings(Section):
    """IPinfo's API: asked only when a token is set or `keyless` is true."""

    keyless: bool = Field(
        default=False, description="ask without a token: 1,000 addresses a day"
    )
    token_file: FilePath | None = Field(
        None, description="a file of root's that holds the token"
    )
    plan: Literal["auto", "legacy", "lite", "core", "plus", "business"] = Field(
        "auto",
        description="which of IPinfo's answers the token is for; `auto` tries the "
        "richest first and keeps to the first that is not refused; `plus` is for Max "
        "too; without a token it is always `legacy`",
    )
    base_url: str = Field(
        "",
        pattern=r"^https?://\S+$",
        validate_default=True,
        description="where the API answers, with `/lite` and `/lookup` below it; "
        'empty ("") for IPinfo\'s own hosts',
    )
    proxy: str = Field(
        "",
        description="URL of an HTTP proxy on the way to IPinfo's API, "
        'without user and password; empty ("") for none',
    )
    timeout_seconds: Number = Field(
        4.0, gt=0, le=60, description="limit of one HTTP request"
    )
    imported_until: int = Field(
        500,
        ge=0,
        le=100_000_000,
        description="addresses of imported bans are asked about (`--enrich full`) "
        "until so many look-ups were made that day (UTC), those for live bans counted: "
        "the rest of a day's quota is kept for live bans; 0 for never",
    )

    @field_validator("base_url", mode="before")
    @classmethod
    def _empty_is_ipinfo(cls, value: object) -> object:
        # Whoever fetches the database needs an address, too.
        return "https://ipinfo.io" if value == "" else value

    @field_validator("proxy")
    @classmethod
    def _proxy_without_secrets(cls, value: str) -> str:
        if not value:
            return value
        try:
            url = urlsplit(value)
            usable = url.scheme == "http" and bool(url.hostname) and url.port != 0
        except ValueError:
            usable = False
        # Neither message shows the value, which may hold a password.
        if not usable or not value.isprintable() or " " in value:
            raise ValueError("not a URL like http://proxy.example.org:3128")
        if "@" in value:
            raise ValueError("holds a user or password, which stays out of this file")
        return value


class SmtpSettings(Section):
    """The mail server that takes our mail."""

    host: Name = Field("localhost", description="its name or address")
    port: Whole = Field(25, ge=1, le=65535, description="its port")
    security: Literal["plain", "starttls", "tls"] = Field(
        "plain", description="`starttls` and `tls` check the certificate"
    )
    user: str | None = Field(None, description="log in with this name")
    password_file: FilePath | None = Field(
        None, description="a file of root's that holds the password"
    )
    ca_file: FilePath | None = Field(
        None, description="certificates to trust instead of the system's"
    )
    timeout_seconds: Number = Field(
        30.0, gt=0, le=600, description="limit of each step of a delivery"
    )


class MailSettings(Section):
    """Who is told, and how mail leaves."""

    recipient: Name = Field(
        "root", description="where alerts go when a jail has no `destemail` of its own"
    )
    sender: Name | None = Field(
        None, description="envelope sender and From; default root@ this host"
    )
    allow_domains: tuple[Name, ...] = Field(
        (), description="sample domains that are accepted all the same, for tests"
    )
    format: Literal["both", "text"] = Field(
        "both", description="text and HTML in one mail, or text alone"
    )
    templates: FilePath = Field(
        Path("/etc/f2b-enrich/templates"),
        description="a folder whose `alert.txt.jinja` and `alert.html.jinja` are used "
        "instead of the shipped ones",
    )
    transport: Literal["smtp", "sendmail"] = Field(
        "smtp", description="`sendmail` needs the unit's drop-in (docs/how-to)"
    )
    sendmail: FilePath = Field(
        Path("/usr/sbin/sendmail"), description="the program for that transport"
    )
    wait_seconds: Number = Field(
        10.0, ge=0, le=600, description="how long an alert waits for the look-up"
    )
    prolong_wait_seconds: Number = Field(
        11.0,
        ge=0,
        le=600,
        description="how long the alert of a repeat offender waits for the ban time "
        "that bantime.increment gives it",
    )
    smtp: SmtpSettings = SmtpSettings()

    @field_validator("recipient")
    @classmethod
    def _somebody(cls, value: str) -> str:
        if not value.strip(" \t,"):
            raise ValueError("names nobody")
        return value

    @model_validator(mode="after")
    def _one_way_to_log_in(self) -> Self:
        if self.smtp.user and self.smtp.security == "plain":
            local = self.smtp.host in {"localhost", "127.0.0.1", "::1"}
            if not local:
                raise PydanticCustomError(
                    TOGETHER,
                    "smtp.user needs smtp.security starttls or tls: "
                    "the password would cross the network to {host} in clear",
                    {"host": self.smtp.host},
                )
        return self


class NameSettings(Section):
    """Names folded into one before a ban gets its id."""

    aliases: Aliases = Field(
        default_factory=dict, description='"other name" = "name that is kept"'
    )


class OwnJail(Section):
    """A jail that fail2ban does not ship."""

    service: Service = Field("other", description="what it guards")
    attack: Annotated[str, AfterValidator(known)] = Field(
        OTHER,
        description="the class of attack of a ban whose lines tell none "
        f"(docs/reference/classes.md); `{REPEAT_OFFENDER}` for a jail that watches "
        "fail2ban's own log",
    )


class JailSettings(NameSettings):
    """Names of jails folded into one before a ban gets its id, and yours."""

    own: dict[Name, OwnJail] = Field(
        default_factory=dict,
        description="a table for each jail that fail2ban does not ship, such as "
        '`[jails.own.my-shop]` with `service = "web"`; one that it does ship is '
        "taken by its older names, too",
    )


class ClassifySettings(Section):
    """How the lines of a ban are read."""

    rules: FilePath = Field(
        Path("/etc/f2b-enrich/rules.d"),
        description="a folder of rules, `*.toml` in the form of the shipped ones, "
        "which come before them",
    )


class RetentionSettings(Section):
    """How long what is stored is kept; `f2b-enrich purge` removes what is older."""

    lines_days: Whole = Field(
        180, ge=0, le=36_500, description="lines, values and names in them; 0 for ever"
    )
    bans_days: Whole = Field(
        0, ge=0, le=36_500, description="bans with all that is theirs; 0 for ever"
    )


class Settings(Section):
    """Everything that can be set, each with a default."""

    host: HostName | None = Field(
        None, description="this server's name in the store; default its host name"
    )
    store: StoreSettings = StoreSettings()
    daemon: DaemonSettings = DaemonSettings()
    enrich: EnrichSettings = EnrichSettings()
    dns: DnsSettings = DnsSettings()
    geo: GeoSettings = GeoSettings()
    ipinfo: IpinfoSettings = IpinfoSettings()
    mail: MailSettings = MailSettings()
    alerts: AlertSettings = AlertSettings()
    digest: DigestSettings = DigestSettings()
    bounces: BounceSettings = BounceSettings()
    mailbox: MailboxSettings = MailboxSettings()
    notify: NotifySettings = NotifySettings()
    own: OwnSettings = OwnSettings()
    hosts: NameSettings = NameSettings()
    jails: JailSettings = JailSettings()
    classify: ClassifySettings = ClassifySettings()
    retention: RetentionSettings = RetentionSettings()
    report: ReportSettings = ReportSettings()

    @property
    def host_name(self) -> str:
        """This server's name, as written or as the kernel has it."""
        return self.host or socket.gethostname()
