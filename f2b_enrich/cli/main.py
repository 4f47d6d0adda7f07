"""The command `f2b-enrich`."""

from __future__ import annotations

import sys

import click

from f2b_enrich import __version__
from f2b_enrich.cli.daemon import daemon
from f2b_enrich.cli.geo import geo
from f2b_enrich.errors import ConfigError, F2bEnrichError
from f2b_enrich.inert import printable


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="f2b-enrich")
def cli() -> None:
    """Tell a server's administrator who attacks it.

    Example: f2b-enrich show 192.0.2.7
    """


cli.add_command(daemon)
cli.add_command(geo)


def main() -> None:
    """Run one command; an error is one line and exit code 1, wrong usage 2."""
    try:
        cli()
    except ConfigError as exc:
        for problem in exc.problems:
            click.echo(f"f2b-enrich: {printable(problem)}", err=True)
    except F2bEnrichError as exc:
        click.echo(f"f2b-enrich: {printable(str(exc))}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
