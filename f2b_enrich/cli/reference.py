"""The pages of docs/reference that are written from the program itself.

Run as `python -m f2b_enrich.cli.reference docs/reference`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from f2b_enrich.cli import toml_text
from f2b_enrich.cli.described import sections
from f2b_enrich.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.cli.described import Key, Section

_WIDTH = 80
CONFIG_INTRODUCTION = """\
`/etc/f2b-enrich/config.toml`, then `config.d/*.toml` beside it in the order of their
names.
Every key has a default, so an empty file works.
Unknown keys and bad values are reported all at once.
`f2b-enrich config init` writes a commented sample, `config check` reads a file as the
daemon would, `config show` prints what is in effect.

Secrets are no keys.
The IPinfo token and the SMTP password come from the file that a key names, else from a
systemd credential (`ipinfo-token`, `smtp-password`), else from the environment
(`F2B_ENRICH_IPINFO_TOKEN`, `F2B_ENRICH_SMTP_PASSWORD`).
A file that everyone may read is refused.
"""
"""What is said of the configuration here and in its manual page; paragraphs."""

_CLI_HEAD = """\
# Commands

Exit codes: 0 done, 1 failed, 2 wrong usage.
Data goes to standard output, messages to standard error.
"""


def config_page() -> str:
    """Write the reference of the configuration."""
    parts = (f"\n{_section(section)}" for section in sections())
    return f"# Configuration\n\n{CONFIG_INTRODUCTION}{''.join(parts)}"


def _section(section: Section) -> str:
    heading = f"`[{section.name}]`" if section.name else "Before any section"
    lines = [f"## {heading}", ""]
    if section.description:
        lines += [section.description, ""]
    if section.free_key is not None:
        lines.append(f"Each key: {_sentence(section.free_key.description)}")
    if section.entry:
        lines.append("")
    keys = section.keys or section.entry
    if keys:
        lines += ["| key | takes | default | what it is |", "| --- | --- | --- | --- |"]
        lines += map(_row, keys)
    return "\n".join(lines) + "\n"


def _row(key: Key) -> str:
    default = "none" if key.default is None else f"`{toml_text.value(key.default)}`"
    cells = (f"`{key.name}`", key.takes, default, key.description)
    escaped = (cell.replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def _sentence(text: str) -> str:
    return f"{text}."


def cli_page() -> str:
    """Write the reference of the commands from their own help."""
    parts = [_CLI_HEAD]
    for context in walk(cli, "f2b-enrich"):
        text = context.command.get_help(context)
        parts.append(f"\n## {context.command_path}\n\n```text\n{text}\n```\n")
    return "".join(parts)


def walk(
    command: click.Command, name: str, parent: click.Context | None = None
) -> Iterator[click.Context]:
    """Give a command and all below it, each as it would be called."""
    context = click.Context(
        command,
        info_name=name,
        parent=parent,
        terminal_width=_WIDTH,
        **command.context_settings,
    )
    yield context
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            inner = command.get_command(context, each)
            if inner is not None:
                yield from walk(inner, each, context)


PAGES = {"config.md": config_page, "cli.md": cli_page}


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def write(folder: Path) -> None:
    """Write the generated pages of the reference into FOLDER."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_text(page(), "utf-8")


if __name__ == "__main__":
    write()
