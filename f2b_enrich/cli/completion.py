"""Completion for bash, zsh and fish, written to files when a release is made.

Click offers to evaluate `_F2B_ENRICH_COMPLETE=bash_source f2b-enrich` in ~/.bashrc,
which starts Python with every shell. A file is loaded at the first Tab after the
command, if ever. Run as `python -m f2b_enrich.cli.completion completions`.
"""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import (
    BashComplete,
    FishComplete,
    ShellComplete,
    ZshComplete,
)

from f2b_enrich.cli.main import cli

_PROGRAM = "f2b-enrich"
_VARIABLE = "_F2B_ENRICH_COMPLETE"
"""The name that click looks for, made of the program's."""


class _Zsh(ZshComplete):
    """Click's, that also answers the second Tab.

    What zsh autoloaded stays a function of the file's name with the file as its body.
    Called again it finds itself not being loaded any more, and only registers the
    function that it was to call (seen with click 8.5.1 and zsh 5.9).
    """

    source_template = ZshComplete.source_template.replace(
        '    %(complete_func)s "$@"\n',
        '    compdef %(complete_func)s %(prog_name)s\n    %(complete_func)s "$@"\n',
    )


FILES: dict[str, type[ShellComplete]] = {
    "f2b-enrich.bash": BashComplete,
    "_f2b-enrich": _Zsh,
    "f2b-enrich.fish": FishComplete,
}


def script(shell: type[ShellComplete]) -> str:
    """Write what a shell loads."""
    # Not the shell's own `source`: bash's starts the bash of this machine and warns
    # of its version, which is not the one that will load the file.
    text = ShellComplete.source(shell(cli, {}, _PROGRAM, _VARIABLE))
    return text.strip("\n") + "\n"


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def write(folder: Path) -> None:
    """Write the files of all three shells into FOLDER."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, shell in FILES.items():
        (folder / name).write_text(script(shell), "utf-8")


if __name__ == "__main__":
    write()
