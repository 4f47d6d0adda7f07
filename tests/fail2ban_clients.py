"""Programs that answer like fail2ban-client, in ways that the real one seldom does."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REFUSED = 255


def client(folder: Path, answers: Mapping[str, str | tuple[str, ...]]) -> Path:
    """Write a program that prints what `answers` has for its words.

    Several answers are given in turn, the last one again and again. One that begins
    with "!" goes to standard error with exit code 255, as does what is not known.
    Each call is noted in the file `asked`.
    """
    cases = "\n".join(
        f"{shlex.quote(words)}) set -- {shlex.join(_several(answer))} ;;"
        for words, answer in answers.items()
    )
    program = folder / "fail2ban-client"
    program.write_text(
        f"""#!/bin/sh
if [ "$1" = -i ]; then
    while read -r line && [ "$line" != quit ]; do
        eval "set -- $line"
        "$0" "$@"
    done
    exit 0
fi
asked={shlex.quote(str(folder / "asked"))}
touch "$asked"
before=$(grep -cxF -- "$*" "$asked")
printf '%s\\n' "$*" >> "$asked"
case "$*" in
{cases}
*) set -- '!not known' ;;
esac
while [ "$before" -gt 0 ] && [ "$#" -gt 1 ]; do shift; before=$((before - 1)); done
case "$1" in
!*) printf '%s\\n' "${{1#!}}" >&2; exit {REFUSED} ;;
esac
printf '%s\\n' "$1"
"""
    )
    program.chmod(0o755)
    return program


def asked(folder: Path) -> list[str]:
    """Give the words of each call so far."""
    file = folder / "asked"
    return file.read_text().splitlines() if file.exists() else []


def _several(answer: str | tuple[str, ...]) -> tuple[str, ...]:
    return (answer,) if isinstance(answer, str) else answer
