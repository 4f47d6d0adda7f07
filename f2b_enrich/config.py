"""The configuration: one TOML file, drop-ins beside it, a default for every key."""

from __future__ import annotations

import os
import socket
import tomllib
from fnmatch import fnmatch
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from f2b_enrich.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEFAULT_PATH = Path("/etc/f2b-enrich/config.toml")

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)
]
# TOML tells true from 1.
Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict()]
Aliases = dict[Name, Name]
Network = Annotated[
    IPv4Network | IPv6Network, BeforeValidator(lambda text: ip_network(str(text)))
]

_TOGETHER = "together"
"""The type of a problem that another file may solve."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StoreSettings(_Section):
    """Where bans are kept."""

    path: Path = Field(
        Path("/var/lib/f2b-enrich/bans.db"), description="the SQLite file"
    )


class DaemonSettings(_Section):
    """What the daemon listens to."""

    socket: Path = Field(
        Path("/run/f2b-enrich/f2b-enrich.sock"),
        description="the Unix socket, unless systemd hands one over; "
        "its folder also holds `slow`, `lost` and the second spool",
    )
    spool: Path = Field(
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


class EnrichSettings(_Section):
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
    scanners: Path = Field(
        Path("/etc/f2b-enrich/scanners.toml"),
        description="a list of internet scanners, in the form of the shipped one, that "
        "adds to it",
    )


class DnsSettings(_Section):
    """Host names, asked of the system's resolvers."""

    reverse: bool = Field(
        default=True,
        description="ask for the name of each banned address; whoever runs the name "
        "servers of its network can see the question",
    )
    timeout_seconds: Number = Field(
        2.0, gt=0, le=30, description="wall-clock limit of all questions about one"
    )


class OwnSettings(_Section):
    """What is yours: the alert about a ban of it speaks of a possible lock-out."""

    networks: tuple[Network, ...] = Field(
        (), description="addresses and networks; the machine's own are known anyway"
    )
    ignoreip: tuple[Name, ...] = Field(
        (), description="the words of fail2ban's own `ignoreip`"
    )


class GeoSettings(_Section):
    """The local database."""

    database: Path | None = Field(
        Path("/var/lib/f2b-enrich/geo/ipinfo_lite.mmdb"),
        description="an MMDB file; `f2b-enrich geo update` keeps the default one; "
        'empty ("") for none',
    )

    @field_validator("database", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value  # TOML has no null


class IpinfoSettings(_Section):
    """IPinfo's API: asked only when a token is set or `keyless` is true."""

    keyless: bool = Field(
        default=False, description="ask without a token: 1,000 addresses a day"
    )
    token_file: Path | None = Field(
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


class SmtpSettings(_Section):
    """The mail server that takes our mail."""

    host: Name = Field("localhost", description="its name or address")
    port: Whole = Field(25, ge=1, le=65535, description="its port")
    security: Literal["plain", "starttls", "tls"] = Field(
        "plain", description="`starttls` and `tls` check the certificate"
    )
    user: str | None = Field(None, description="log in with this name")
    password_file: Path | None = Field(
        None, description="a file of root's that holds the password"
    )
    ca_file: Path | None = Field(
        None, description="certificates to trust instead of the system's"
    )
    timeout_seconds: Number = Field(
        30.0, gt=0, le=600, description="limit of each step of a delivery"
    )


class MailSettings(_Section):
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
    templates: Path = Field(
        Path("/etc/f2b-enrich/templates"),
        description="a folder whose `alert.txt.jinja` and `alert.html.jinja` are used "
        "instead of the shipped ones",
    )
    transport: Literal["smtp", "sendmail"] = Field(
        "smtp", description="`sendmail` needs the unit's drop-in (docs/how-to)"
    )
    sendmail: Path = Field(
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

    @model_validator(mode="after")
    def _one_way_to_log_in(self) -> Self:
        if self.smtp.user and self.smtp.security == "plain":
            local = self.smtp.host in {"localhost", "127.0.0.1", "::1"}
            if not local:
                raise PydanticCustomError(
                    _TOGETHER,
                    "smtp.user needs smtp.security starttls or tls: "
                    "the password would cross the network to {host} in clear",
                    {"host": self.smtp.host},
                )
        return self


class NameSettings(_Section):
    """Names folded into one before a ban gets its id."""

    aliases: Aliases = Field(
        default_factory=dict, description='"other name" = "name that is kept"'
    )


class Settings(_Section):
    """Everything that can be set, each with a default."""

    host: Name | None = Field(
        None, description="this server's name in the store; default its host name"
    )
    store: StoreSettings = StoreSettings()
    daemon: DaemonSettings = DaemonSettings()
    enrich: EnrichSettings = EnrichSettings()
    dns: DnsSettings = DnsSettings()
    geo: GeoSettings = GeoSettings()
    ipinfo: IpinfoSettings = IpinfoSettings()
    mail: MailSettings = MailSettings()
    own: OwnSettings = OwnSettings()
    hosts: NameSettings = NameSettings()
    jails: NameSettings = NameSettings()

    @property
    def host_name(self) -> str:
        """This server's name, as written or as the kernel has it."""
        return self.host or socket.gethostname()


def load(path: Path, *, must_exist: bool = True) -> Settings:
    """Read `path` and, in order of their names, `config.d/*.toml` beside it.

    Raises:
        ConfigError: with all problems found, each with its file and key.
    """
    merged: dict[str, Any] = {}
    problems: list[str] = []
    try:
        files = _files(path, must_exist=must_exist)
    except OSError as exc:
        raise ConfigError((f"{exc.filename}: {exc.strerror}",)) from exc
    for file in files:
        try:
            values = tomllib.loads(file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) else exc
            problems.append(f"{file}: {reason}")
            continue
        problems += _problems(values, str(file))
        _merge(merged, values)
    if problems:
        raise ConfigError(tuple(problems))
    try:
        return Settings.model_validate(merged)
    except ValidationError as exc:  # each file is sound, together they are not
        raise ConfigError(tuple(_describe(exc, str(path)))) from exc


def _files(path: Path, *, must_exist: bool) -> list[Path]:
    files = [] if not must_exist and _is_missing(path) else [path]
    folder = path.parent / "config.d"
    if not _is_missing(folder):  # Path.glob would pass over one that is not readable
        names = sorted(os.listdir(folder))  # noqa: PTH208
        files += [folder / name for name in names if fnmatch(name, "[!.]*.toml")]
    return files


def _is_missing(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False  # reading it will tell why
    return False


def _problems(values: Mapping[str, Any], file: str) -> list[str]:
    try:
        Settings.model_validate(values)
    except ValidationError as exc:
        return list(_describe(exc, file, leave_out=_TOGETHER))
    return []


def _describe(
    error: ValidationError, file: str, *, leave_out: str | None = None
) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        key = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == leave_out:
            continue
        if problem["type"] == "extra_forbidden":
            yield f"{file}: {key}: no such key"
            continue
        text = problem["msg"].removeprefix("Value error, ")
        yield f"{file}: {key}: {text[:1].lower()}{text[1:]}"


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value
