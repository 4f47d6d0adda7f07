"""The command `f2b-enrich`."""

from __future__ import annotations

import contextlib
import importlib
import io
import keyword
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import click

from f2b_enrich import __version__
from f2b_enrich.errors import ConfigError, F2bEnrichError
from f2b_enrich.inert import printable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

FAILED = 1
_STANDARD_INPUT = 0
_STANDARD_OUTPUT = 1

_CLOSED = "standard input: it is closed"

INTERRUPTED = 130
"""What shells expect of a program that Ctrl-C ended: 128 and the signal's number."""


_COMMANDS = [
    "action",
    "bans",
    "browse",
    "check",
    "classify",
    "config",
    "daemon",
    "export",
    "geo",
    "import",
    "merge",
    "outbox",
    "purge",
    "reconcile",
    "report",
    "search",
    "show",
    "sql",
    "status",
    "test-ban",
]
"""Each is in the module of its name, with a `_` behind a word of Python's own."""


class _Commands(click.Group):
    """The commands, imported when they are asked for.

    All together take most of a second; one takes what it needs.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return _COMMANDS

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        if keyword.iskeyword(name):
            name += "_"
        module = importlib.import_module(f"f2b_enrich.cli.{name}")
        command: click.Command = getattr(module, name)
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample:\n  f2b-enrich show 192.0.2.7",
)
@click.version_option(__version__, prog_name="f2b-enrich")
def cli() -> None:
    """Tell a server's administrator who attacks it."""


class _ClosedInput(io.RawIOBase):
    """What stands where there is no standard input."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:  # noqa: ARG002 - nothing comes
        raise F2bEnrichError(_CLOSED)

    def fileno(self) -> int:
        raise F2bEnrichError(_CLOSED)


def main() -> None:
    """Run one command; an error is one line and exit code 1, wrong usage 2."""
    # In this order: a file takes the lowest number that is free, and the standard
    # input's and output's are not for the others.
    if sys.stdin is None:
        _read_from_nobody()
    if sys.stdout is None:
        _write_to_nobody()
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - until the end
    _survive_odd_locales()
    sys.exit(_run())


def _run() -> int:
    try:
        code = cli(prog_name="f2b-enrich", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as exc:
        _tell_misuse(exc)
        return exc.exit_code
    except click.Abort:
        return INTERRUPTED
    except F2bEnrichError as exc:
        problems = exc.problems if isinstance(exc, ConfigError) else (str(exc),)
        for problem in problems:
            click.echo(f"f2b-enrich: {printable(problem)}", err=True)
        return FAILED
    except MemoryError:
        click.echo("f2b-enrich: out of memory", err=True)
        return FAILED
    except OSError as exc:
        _tell_failure(exc)
        return FAILED
    return code if isinstance(code, int) else 0


def _tell_failure(failure: OSError) -> None:
    """Say in one line what the system refused."""
    text = str(failure)
    if _is_of_output(failure):
        text = f"cannot write the output: {failure.strerror or failure}"
    _forget_output()
    if not isinstance(failure, BrokenPipeError):  # then the reader has seen enough
        click.echo(f"f2b-enrich: {printable(text)}", err=True)


def _tell_misuse(mistake: click.ClickException) -> None:
    """Say in one line what was wrong about a call, which may hold anything."""
    if isinstance(mistake, click.exceptions.NoArgsIsHelpError):
        mistake.show()
        return
    text = printable(" ".join(mistake.format_message().split())).rstrip(".")
    if text[1:2].islower():
        text = f"{text[0].lower()}{text[1:]}"
    context = mistake.ctx if isinstance(mistake, click.UsageError) else None
    if context is not None:
        text += f"; {context.command_path} --help tells more"
    click.echo(f"f2b-enrich: {text}", err=True)


def _read_from_nobody() -> None:
    """Take the place of a standard input that is closed: who reads from it fails.

    Else the next file to be opened, a pipe of our own say, would be what is read.
    """
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        if nowhere != _STANDARD_INPUT:  # it was open, but of no use to Python
            os.close(nowhere)
    sys.stdin = io.TextIOWrapper(io.BufferedReader(_ClosedInput()))


def _write_to_nobody() -> None:
    """Take the place of a standard output that is closed, as if its reader had left.

    Else the next file to be opened, the store say, would be what is written to.
    """
    reading, writing = os.pipe()
    os.close(reading)
    if writing != _STANDARD_OUTPUT:
        os.dup2(writing, _STANDARD_OUTPUT)
        os.close(writing)
    sys.stdout = os.fdopen(_STANDARD_OUTPUT, "w")


def _is_of_output(error: OSError) -> bool:
    """Tell whether it came up in writing the output, which names no file."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_globals["__name__"] in {click.echo.__module__, __name__}


def _forget_output() -> None:
    """Let what is still in the buffer go nowhere: it would fail again at the end."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _survive_odd_locales() -> None:
    """Escape what the terminal's character set lacks instead of failing over it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
