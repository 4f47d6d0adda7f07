"""What can be configured, as the model itself describes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from f2b_enrich.config import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PLAIN = {"boolean": "true or false", "integer": "whole number", "number": "number"}
_FORMATS = {"path": "path", "ipv4network": "network", "ipv6network": "network"}

EXAMPLES: Mapping[str, object] = {
    "host": "web1.example.org",
    "ipinfo.token_file": "/etc/f2b-enrich/ipinfo-token",
    "ipinfo.proxy": "http://proxy.example.org:3128",
    "own.networks": ["192.0.2.0/24"],
    "own.ignoreip": ["127.0.0.1/8", "192.0.2.7"],
    "alerts.rules": {"shop": {"policy": "none", "jails": ["my-shop"]}},
    "digest.recipient": "noc@your.domain",
    "report.recipient": "noc@your.domain",
    "bounces.maildir": "/var/mail/f2b-enrich/Maildir",
    "bounces.mbox": "/var/mail/f2b-enrich",
    "mailbox.maildir": "/var/mail/abuse/Maildir",
    "mailbox.host": "web1.example.org",
    "notify.command": ["/usr/local/bin/f2b-webhook", "https://hooks.example.org/f2b"],
    "mail.sender": "f2b-enrich@web1.example.org",
    "mail.smtp.user": "f2b-enrich",
    "mail.smtp.password_file": "/etc/f2b-enrich/smtp-password",
    "mail.smtp.ca_file": "/etc/ssl/certs/own-ca.pem",
    "hosts.aliases": {"web1.old.example.org": "web1.example.org"},
    "jails.aliases": {"ssh-iptables": "sshd"},
    "report.notes": {"ssh": "listens on port 2222 elsewhere"},
    "jails.own": {"my-shop": {"service": "web", "attack": "web-login-guessing"}},
}
"""Values for the keys that have no default to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key; `takes` says in words which values it may have."""

    name: str
    description: str
    takes: str
    default: object
    example: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One table of the file; the one without a name is what comes before all.

    `free_key` is set where the administrator chooses the keys, as in a table of
    aliases. `entry` holds the keys of a table behind each of them, if that is one.
    """

    name: str
    description: str
    keys: tuple[Key, ...]
    free_key: Key | None = None
    entry: tuple[Key, ...] = ()

    def value_of(self, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take this section out of all settings."""
        for part in filter(None, self.name.split(".")):
            settings = settings[part]
        return settings


def sections() -> tuple[Section, ...]:
    """Describe all sections, in the order of the model."""
    schema = Settings.model_json_schema()
    return tuple(_sections("", schema, schema["$defs"]))


def _sections(
    name: str, schema: Mapping[str, Any], definitions: Mapping[str, Any]
) -> Iterator[Section]:
    description = "" if not name else schema["description"]
    keys: list[Key] = []
    inner: list[Section] = []
    for key, field in schema["properties"].items():
        path = f"{name}.{key}" if name else key
        if "$ref" in field:
            definition = definitions[field["$ref"].rpartition("/")[2]]
            inner += _sections(path, definition, definitions)
        elif field.get("type") == "object":
            entry = _entry(path, field["additionalProperties"], definitions)
            inner.append(
                Section(
                    name=path,
                    description=description,
                    keys=(),
                    free_key=_key(path, field),
                    entry=entry,
                )
            )
        else:
            keys.append(_key(path, field))
    if keys:
        yield Section(name=name, description=description, keys=tuple(keys))
    yield from inner


def _entry(
    path: str, values: Mapping[str, Any], definitions: Mapping[str, Any]
) -> tuple[Key, ...]:
    """Describe the keys of the tables in a table; texts in it have none."""
    if "$ref" not in values:
        return ()
    definition = definitions[values["$ref"].rpartition("/")[2]]
    return tuple(
        _key(f"{path}.{key}", field) for key, field in definition["properties"].items()
    )


def _key(path: str, field: Mapping[str, Any]) -> Key:
    default = field.get("default")
    return Key(
        name=path.rpartition(".")[2],
        description=field["description"],
        takes=_takes(field),
        default=default,
        example=EXAMPLES[path] if default is None else default,
    )


def _takes(field: Mapping[str, Any]) -> str:
    if "anyOf" in field:
        kinds = [_takes(kind) for kind in field["anyOf"] if kind.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in field:
        return ", ".join(f'"{value}"' for value in field["enum"])
    if "const" in field:
        return f'"{field["const"]}"'
    if field["type"] == "array":
        return f"list, each: {_takes(field['items'])}"
    if field["type"] == "object":
        return "names and texts"
    kind = _PLAIN.get(field["type"]) or _FORMATS.get(field.get("format", ""), "text")
    return kind + _bounds(field)


def _bounds(field: Mapping[str, Any]) -> str:
    if "minimum" in field:
        return f", {field['minimum']} to {field['maximum']}"
    if "exclusiveMinimum" in field:
        return f" above {field['exclusiveMinimum']}, at most {field['maximum']}"
    return ""
