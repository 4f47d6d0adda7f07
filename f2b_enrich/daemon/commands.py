"""Running a program of the administrator's: no shell, a time limit, bounded words."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from f2b_enrich import inert
from f2b_enrich.errors import F2bEnrichError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_WORDS = 500
_MAX_KEPT = 4 * MAX_WORDS
_CHUNK = 64 * 1024

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}
"""All that it finds: the daemon's own holds secrets, and systemd's sockets."""


class CommandError(F2bEnrichError):
    """A program could not be run, took too long, or says that it failed."""


async def run(command: Sequence[str], given: bytes, *, seconds: float) -> str:
    """Run a program with this on its standard input; give the first of its words.

    Nothing that it starts outlives it, unless it leaves its process group.

    Raises:
        CommandError: it failed in any way.
    """
    words = _Words()
    name = command[0]
    try:
        status = await _status(command, given, words, seconds=seconds)
    except TimeoutError as exc:
        raise CommandError(_said(f"{name}: over {seconds:g} s", words)) from exc
    except (OSError, ValueError) as exc:
        text = getattr(exc, "strerror", None) or str(exc)
        raise CommandError(f"{name}: {text}") from exc
    if status < 0:
        raise CommandError(_said(f"{name}: ended by signal {-status}", words))
    if status:
        raise CommandError(_said(f"{name}: exit status {status}", words))
    return words.text


def _said(what: str, words: _Words) -> str:
    return f"{what}: {words.text}" if words.text else what


async def _status(
    command: Sequence[str], given: bytes, words: _Words, *, seconds: float
) -> int:
    with tempfile.TemporaryFile() as event, words.heard() as output:
        event.write(given)
        event.seek(0)
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=event,
            stdout=output,
            stderr=output,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(seconds):
                return await process.wait()
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


@dataclass(slots=True)
class _Words:
    """What it says; of more than is kept, all is read, so that it never waits.

    A pipe of our own: asyncio's would wait for whoever else holds its other end.
    """

    kept: bytearray = field(default_factory=bytearray)

    @property
    def text(self) -> str:
        words = " ".join(self.kept.decode("utf-8", "replace").split())
        return inert.cut(inert.without_secrets(inert.printable(words)), MAX_WORDS)

    @contextmanager
    def heard(self) -> Iterator[int]:
        """Give the end to write to, and read from the other for the time being."""
        reading, writing = os.pipe()
        loop = asyncio.get_running_loop()
        os.set_blocking(reading, False)
        loop.add_reader(reading, self._read, reading)
        try:
            yield writing
        finally:
            loop.remove_reader(reading)
            self._read(reading)
            os.close(writing)
            os.close(reading)

    def _read(self, reading: int) -> None:
        with suppress(BlockingIOError):
            chunk = os.read(reading, _CHUNK)
            self.kept += chunk[: _MAX_KEPT - len(self.kept)]
