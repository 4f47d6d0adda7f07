"""How a mail leaves by the local `sendmail`."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING

from f2b_enrich.credentials import environment_of_others
from f2b_enrich.errors import DeliveryError
from f2b_enrich.mail.wire_form import MAX_REPLY, content_of, words_of

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path

_EX_DATAERR = 65
_EX_NOUSER = 67
_REFUSED_BY_SENDMAIL = frozenset({_EX_DATAERR, _EX_NOUSER})
"""Of sysexits.h. EX_UNAVAILABLE is not among them: Postfix leaves with it when the
unit's hardening keeps it from its queue."""


class SendmailCourier:
    """Runs the local `sendmail` once a mail."""

    def __init__(self, program: Path, *, timeout_seconds: float) -> None:
        self._program = program
        self._timeout = timeout_seconds

    async def send(self, message: EmailMessage, *, sender: str, recipient: str) -> str:
        """Hand one mail to the program; give what it said.

        Raises:
            DeliveryError: it did not take the mail; never for good unless it says
                that the mail or the recipient is at fault.
        """
        content = content_of(message, linesep="\n")
        command = ("-i", "-f", sender, "--", recipient)
        try:
            status, words = await self._run(command, content)
        except TimeoutError as exc:
            text = f"{self._program}: took longer than {self._timeout:g} s"
            raise DeliveryError(text, permanent=False) from exc
        except (OSError, ValueError) as exc:
            text = f"{self._program}: {getattr(exc, 'strerror', None) or exc}"
            raise DeliveryError(text, permanent=False, unreachable=True) from exc
        if status != 0:
            text = f"{self._program}: exit status {status}: {words or 'no message'}"
            raise DeliveryError(text, permanent=status in _REFUSED_BY_SENDMAIL)
        return words

    async def reach(self) -> None:
        """Do nothing: the program keeps a mail until there is somebody."""

    async def aclose(self) -> None:
        """Do nothing: nothing is kept between two mails."""

    async def _run(self, command: tuple[str, ...], content: bytes) -> tuple[int, str]:
        # Files instead of pipes: nothing to fill up, and nothing left open when a
        # child of the program lives on.
        with tempfile.TemporaryFile() as mail, tempfile.TemporaryFile() as said:
            mail.write(content)
            mail.seek(0)
            process = await asyncio.create_subprocess_exec(
                self._program,
                *command,
                stdin=mail,
                stdout=said,
                stderr=said,
                env=environment_of_others(os.environ),
                start_new_session=True,
            )
            try:
                async with asyncio.timeout(self._timeout):
                    status = await process.wait()
            finally:
                if process.returncode is None:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                    await process.wait()
            said.seek(0)
            return status, words_of(said.read(4 * MAX_REPLY).decode("utf-8", "replace"))
