"""The configuration as text: a commented sample, and what is in effect."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from f2b_enrich import inert
from f2b_enrich.cli import toml_text
from f2b_enrich.cli.described import sections

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from f2b_enrich.cli.described import Key, Section
    from f2b_enrich.cli.setting_sources import SecretState
    from f2b_enrich.config import Settings

_WIDTH = 79

# Chats have their secret in the path of the link that is posted to.
_PATH = re.compile(r"(?<=://)(?P<host>[^\s/?#]*)[/?#]\S+")
_HEAD = """\
# f2b-enrich

# Every key has a default, so an empty file works. To change one, take away the # in
# front of it. config.d/*.toml beside this file are read after it, in the order of
# their names. After a change: f2b-enrich config check, then systemctl reload
# f2b-enrich; [store] and [daemon] need a restart.
#
# Secrets do not belong here: name a file of root's, give the unit a credential
# (ipinfo-token, smtp-password), or set F2B_ENRICH_IPINFO_TOKEN and
# F2B_ENRICH_SMTP_PASSWORD in its environment.
"""


def sample() -> str:
    """Write a file with every key, its default and what it is for, all commented out.

    A key is `#key = value`, an explanation `# text`.
    """
    return _HEAD + "".join(_sample_section(section) for section in sections())


def _sample_section(section: Section) -> str:
    lines = [""]
    if section.name:
        lines += ["", *_comment(section.description), f"[{section.name}]"]
    for key in section.keys:
        lines += ["", *_explained(key), f"#{key.name} = {toml_text.value(key.example)}"]
    if section.free_key is not None:
        lines += ["", *_comment(_sentence(section.free_key.description))]
        lines += _comment(" ".join(map(_about, section.entry)))
        lines += [f"#{line}" for line in _entries(section, section.free_key.example)]
    return "\n".join(lines[1:]) + "\n"


def _about(key: Key) -> str:
    """Explain a key of a table in a table, which stands there with the others."""
    return _sentence(f"`{key.name}`: {key.description}{_limits(key)}")


def _limits(key: Key) -> str:
    # What the default shows anyway needs no words.
    return "" if key.takes in {"text", "path", "true or false"} else f" ({key.takes})"


def _explained(key: Key) -> list[str]:
    text = _sentence(f"{key.description}{_limits(key)}")
    return _comment(f"{text} No default; for example:" if key.default is None else text)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _comment(text: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent="# ",
        subsequent_indent="# ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _entries(section: Section, table: object) -> Iterator[str]:
    assert isinstance(table, dict)  # noqa: S101 - a table of names
    for name, kept in table.items():
        if section.entry:
            yield f"[{section.name}.{toml_text.key(name)}]"
            yield from (
                f"{key} = {toml_text.value(each)}" for key, each in kept.items()
            )
        else:
            yield f"{toml_text.key(name)} = {toml_text.value(kept)}"


def effective(
    settings: Settings, *, files: str, secrets: Mapping[str, SecretState]
) -> str:
    """Write what is in effect, defaults included; secrets only whether they are set.

    `secrets` are named by the section they belong to.
    """
    values = settings.model_dump(mode="json")
    values["notify"]["command"] = [
        _PATH.sub(r"\g<host>/***", inert.without_secrets(word))
        for word in settings.notify.command
    ]
    lines = [f"# In effect: {files}"]
    for section in sections():
        if section.name:
            lines += ["", f"[{section.name}]"]
        held = section.value_of(values)
        for key in section.keys:
            lines.append(_line(key, held[key.name]))
        if section.name in secrets:
            state = secrets[section.name]
            lines.append(f"# {state.name}: {state}")
        if section.free_key is not None:
            lines += _entries(section, held)
    return "\n".join(lines) + "\n"


def _line(key: Key, value: object) -> str:
    if value is None and key.default is None:
        return f"# {key.name}: not set"
    # TOML has no null: where a default was taken away, the empty text stands for it.
    return f"{key.name} = {toml_text.value('' if value is None else value)}"
