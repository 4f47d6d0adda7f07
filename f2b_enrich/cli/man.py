"""The manual pages, from the commands' own help and the settings' own descriptions.

Run as `python -m f2b_enrich.cli.man docs/man`.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING

import click

from f2b_enrich import __version__
from f2b_enrich.cli import man_parts, roff, toml_text
from f2b_enrich.cli.described import sections
from f2b_enrich.cli.main import cli
from f2b_enrich.cli.reference import CONFIG_INTRODUCTION, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from f2b_enrich.cli.described import Key, Section

_DATE = "2026-11-22"
"""When the parts by hand last changed: a page must not depend on the day it is made."""

_EVERYWHERE = frozenset({"--config", "--db", "--help"})
"""Options that are described once, not with each command."""

_PRE = "\b"
"""Before a paragraph whose lines stay, as click has it."""


def f2b_enrich_1() -> str:
    """Write f2b-enrich(1): the commands."""
    contexts = [each for each in walk(cli, "f2b-enrich") if _is_leaf(each)]
    calls = ("COMMAND [OPTIONS] [ARGS]...", "[COMMAND] --help", "--version")
    return "".join(
        (
            _head("f2b-enrich", 1, "tell who attacks a server guarded by Fail2Ban"),
            roff.section(
                "synopsis",
                ".br\n".join(_synopsis("f2b-enrich", each) for each in calls),
            ),
            _paragraphs("description", man_parts.INTRODUCTION),
            roff.section(
                "options of every command", _options(contexts[0], shared=True)
            ),
            roff.section("commands", *map(_command, contexts)),
            _list("files", man_parts.FILES),
            _list("environment", man_parts.ENVIRONMENT),
            _list("exit status", man_parts.EXIT_STATUS),
            roff.paragraph(man_parts.CHECK_EXIT),
            _see_also("f2b-enrich.toml(5)", "f2b-enrich-daemon(8)"),
        )
    )


def f2b_enrich_toml_5() -> str:
    """Write f2b-enrich.toml(5): the configuration."""
    introduction = CONFIG_INTRODUCTION.split("\n\n")
    places = ("/etc/f2b-enrich/config.toml", "/etc/f2b-enrich/config.d/*.toml")
    return "".join(
        (
            _head("f2b-enrich.toml", 5, "configuration of f2b-enrich"),
            roff.section(
                "synopsis", ".br\n".join(f"{roff.bold(each)}\n" for each in places)
            ),
            _paragraphs("description", (*introduction, man_parts.CONFIGURATION)),
            roff.section("keys", *map(_section, sections())),
            _list("environment", man_parts.ENVIRONMENT),
            _see_also("f2b-enrich(1)", "f2b-enrich-daemon(8)"),
        )
    )


def f2b_enrich_daemon_8() -> str:
    """Write f2b-enrich-daemon(8): the daemon."""
    contexts = {each.command_path: each for each in walk(cli, "f2b-enrich")}
    daemon = contexts["f2b-enrich daemon"]
    environment = (*man_parts.ENVIRONMENT, *man_parts.DAEMON_ENVIRONMENT)
    return "".join(
        (
            _head("f2b-enrich-daemon", 8, "take bans, look addresses up, send mail"),
            roff.section("synopsis", _synopsis(*_call(daemon))),
            _paragraphs("description", man_parts.DAEMON),
            roff.section(
                "options", _options(daemon, shared=False), _options(daemon, shared=True)
            ),
            _list("signals", man_parts.SIGNALS),
            _list("files", (*man_parts.FILES, *man_parts.DAEMON_FILES)),
            _list("environment", environment),
            _list("exit status", man_parts.DAEMON_EXIT),
            roff.section("example", *_literals(daemon.command.epilog or "")),
            _see_also("f2b-enrich(1)", "f2b-enrich.toml(5)", "fail2ban(1)"),
        )
    )


def _head(name: str, number: int, what: str) -> str:
    words = " ".join(
        (
            roff.argument(name.upper()),
            f'{number} {_DATE} "f2b\\-enrich {__version__}"',
        )
    )
    return f".TH {words}\n.SH NAME\n{roff.escape(name)} \\- {roff.escape(what)}\n"


def _synopsis(program: str, rest: str) -> str:
    return f"{roff.bold(program)} {roff.escape(rest)}\n"


def _see_also(*pages: str) -> str:
    names = (page.partition("(") for page in pages)
    listed = ", ".join(f"`{name}`({number}" for name, _, number in names)
    return _paragraphs("see also", (listed, man_parts.SEE_ALSO))


def _paragraphs(title: str, texts: Iterable[str]) -> str:
    return roff.section(title, *map(roff.paragraph, texts))


def _list(title: str, entries: Iterable[tuple[str, str]]) -> str:
    items = (roff.item(roff.bold(name), what) for name, what in entries)
    return roff.section(title, *items)


def _is_leaf(context: click.Context) -> bool:
    return not isinstance(context.command, click.Group)


def _call(context: click.Context) -> tuple[str, str]:
    """Give a command's words and what it takes."""
    pieces = context.command.collect_usage_pieces(context)
    return context.command_path, " ".join(pieces)


def _command(context: click.Context) -> str:
    command = context.command
    return roff.subsection(
        context.command_path,
        _synopsis(*_call(context)),
        *_prose(inspect.cleandoc(command.help or "")),
        _options(context, shared=False),
        *_prose(command.epilog or ""),
    )


def _prose(text: str) -> Iterator[str]:
    """Write click's paragraphs; those after a mark keep their lines."""
    for each in filter(None, text.split("\n\n")):
        if each.startswith(_PRE):
            title, body = _titled(each)
            yield roff.paragraph(title) + body
        else:
            yield roff.paragraph(each)


def _literals(text: str) -> Iterator[str]:
    """Write those that keep their lines, without what stands above them."""
    for each in text.split("\n\n"):
        yield _titled(each)[1]


def _titled(text: str) -> tuple[str, str]:
    title, *lines = text.removeprefix(_PRE).strip("\n").splitlines()
    return title, roff.literal(line.removeprefix("  ") for line in lines)


def _options(context: click.Context, *, shared: bool) -> str:
    """Write the options that are every command's, or those that are its own."""
    params = context.command.get_params(context)
    records = (
        param.get_help_record(context)
        for param in params
        if shared is not _EVERYWHERE.isdisjoint(param.opts)
    )
    return "".join(
        roff.item(roff.bold(record[0]), record[1])
        for record in records
        if record is not None and record[1]
    )


def _section(section: Section) -> str:
    texts = []
    if section.description:
        texts.append(section.description)
    if section.free_key is not None:
        texts.append(f"Each key: {section.free_key.description}.")
    return roff.subsection(
        f"[{section.name}]" if section.name else "Before any section",
        *map(roff.paragraph, texts),
        *map(_key, section.keys or section.entry),
    )


def _key(key: Key) -> str:
    if key.default is None:
        default = f"No default; an example: `{toml_text.value(key.example)}`"
    else:
        default = f"Default: `{toml_text.value(key.default)}`"
    tag = f"{roff.bold(key.name)} ({roff.escape(key.takes)})"
    return roff.item(tag, f"{_capital(key.description)}. {default}")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


PAGES = {
    "f2b-enrich.1": f2b_enrich_1,
    "f2b-enrich.toml.5": f2b_enrich_toml_5,
    "f2b-enrich-daemon.8": f2b_enrich_daemon_8,
}


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def write(folder: Path) -> None:
    """Write the manual pages into FOLDER."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_text(page(), "utf-8")


if __name__ == "__main__":
    write()
