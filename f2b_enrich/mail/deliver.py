"""How a mail leaves: by SMTP, or by the local `sendmail`.

What the server says about this mail decides: 4xx is tried again, 5xx is not. Trouble
before the server saw the mail (connection, certificate, log-in) is always tried again,
for it says nothing about the mail.
"""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol, TypeVar

import aiosmtplib

from f2b_enrich import inert
from f2b_enrich.errors import AddressError, DeliveryError
from f2b_enrich.mail import addresses
from f2b_enrich.mail.sendmail import SendmailCourier
from f2b_enrich.mail.wire_form import content_of, words_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from email.message import EmailMessage
    from pathlib import Path

    from f2b_enrich.config import Settings, SmtpSettings
    from f2b_enrich.credentials import Secrets

T = TypeVar("T")

STEPS = 4
"""All of one delivery takes at most this many times the limit of one step."""

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_LOG_IN_REPLIES = frozenset({530, 534, 535, 538})
"""Replies that ask for another log-in, or for TLS first (RFC 4954, RFC 3207)."""

_ABOUT_THE_MAIL = frozenset({"MAIL FROM", "RCPT TO", "DATA"})
_CLOSING = 421


class Courier(Protocol):
    """A way for mails to leave."""

    async def send(self, message: EmailMessage, *, sender: str, recipient: str) -> str:
        """Hand one mail over; give the last words of whoever took it.

        Raises:
            DeliveryError: it was not taken, or nobody knows whether it was.
        """

    async def reach(self) -> None:
        """See that somebody is there, before a mail is written that takes long.

        Raises:
            DeliveryError: nobody is.
        """

    async def aclose(self) -> None:
        """Let go of what is kept between two mails."""


def build(settings: Settings, secrets: Secrets) -> Courier:
    """Choose the transport that the configuration names."""
    mail = settings.mail
    limit = mail.smtp.timeout_seconds
    if mail.transport == "sendmail":
        return SendmailCourier(mail.sendmail, timeout_seconds=limit)
    password = secrets.smtp_password
    return SmtpCourier(
        mail.smtp,
        password=password.get_secret_value() if password else None,
        host=settings.host_name,
    )


class SmtpCourier:
    """Speaks SMTP, and keeps its connection from one mail to the next."""

    def __init__(
        self, settings: SmtpSettings, *, password: str | None, host: str
    ) -> None:
        self._settings = settings
        self._password = password
        self._host = host
        self._smtp: aiosmtplib.SMTP | None = None
        self._transport: asyncio.BaseTransport | None = None
        self._one_at_a_time = asyncio.Lock()

    async def send(self, message: EmailMessage, *, sender: str, recipient: str) -> str:
        """Hand one mail to the server; give its last reply.

        Raises:
            DeliveryError: it was not taken, or nobody knows whether it was.
        """
        content = content_of(message, linesep="\r\n")
        path = self._qualified(sender), self._qualified(recipient)
        return await self._talk(lambda to: self._hand_over(to, *path, content))

    async def reach(self) -> None:
        """Connect, or see that the connection still answers.

        Raises:
            DeliveryError: there is no server to hand a mail to.
        """
        await self._talk(self._ready)

    async def _talk(self, say: Callable[[_Delivery], Awaitable[T]]) -> T:
        limit = self._settings.timeout_seconds * STEPS
        async with self._one_at_a_time:
            delivery = _Delivery(self._settings.host, self._settings.port)
            try:
                with delivery.translated(self._secrets()):
                    async with asyncio.timeout(limit):
                        return await say(delivery)
            except BaseException:
                # Cancelled in the middle of a command, too: what the server answers
                # to it would be taken for the answer to the next.
                if not delivery.may_go_on:
                    self._drop()
                raise

    async def aclose(self) -> None:
        """Take leave of the server, but never wait long for its answer."""
        async with self._one_at_a_time:
            try:
                if self._smtp is not None:
                    with suppress(aiosmtplib.SMTPException, OSError):
                        limit = self._settings.timeout_seconds
                        await self._smtp.quit(timeout=min(limit, 5))
            finally:
                self._drop()

    async def _hand_over(
        self, delivery: _Delivery, sender: str, recipient: str, content: bytes
    ) -> str:
        smtp = await self._ready(delivery)
        delivery.step = "MAIL FROM"
        await smtp.mail(sender)
        delivery.step = "RCPT TO"
        await smtp.rcpt(recipient)
        delivery.step = "DATA"
        reply = await smtp.data(content)
        return words_of(reply.message)

    async def _ready(self, delivery: _Delivery) -> aiosmtplib.SMTP:
        """Use the connection that is open if it still answers, else a new one."""
        delivery.step = "connection"
        if self._smtp is not None and self._smtp.is_connected:
            with suppress(aiosmtplib.SMTPException, OSError):
                await self._smtp.rset()
                return self._smtp
        self._drop()
        return await self._connect(delivery)

    async def _connect(self, delivery: _Delivery) -> aiosmtplib.SMTP:
        settings = self._settings
        context = None
        if settings.security != "plain":
            context = await asyncio.to_thread(_trust, settings.ca_file)
        # STARTTLS and the log-in are steps of our own, to say which one failed.
        smtp = self._smtp = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            timeout=settings.timeout_seconds,
            use_tls=settings.security == "tls",
            start_tls=False,
            tls_context=context,
            local_hostname=self._own_name(),
        )
        await smtp.connect()
        self._transport = smtp.transport
        if settings.security == "starttls":
            delivery.step = "STARTTLS"
            await smtp.starttls()
            self._transport = smtp.transport
        if settings.user:
            delivery.step = "log-in"
            if self._password is None:
                raise aiosmtplib.SMTPException("smtp.user is set, a password is not")
            await smtp.login(settings.user, self._password)
        delivery.step = "EHLO"
        await _greet(smtp)
        return smtp

    def _drop(self) -> None:
        """Close the socket now; TLS would wait for the other side's farewell."""
        smtp, transport = self._smtp, self._transport
        self._smtp = self._transport = None
        if smtp is not None:
            smtp.close()
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()

    def _own_name(self) -> str | None:
        """Name ourselves in EHLO; for a server elsewhere the library finds out more."""
        name = addresses.domain_of(self._host)
        return name if "." in name or self._settings.host in _LOCAL else None

    def _qualified(self, address: str) -> str:
        """Give `root` a domain: of this machine's server, or of this machine."""
        host = "localhost" if self._settings.host in _LOCAL else self._host
        try:
            return addresses.qualified(address, host)
        except AddressError as exc:
            shown = inert.cut(inert.printable(address), 100)
            raise DeliveryError(f"{shown}: {exc}", permanent=True) from exc

    def _secrets(self) -> tuple[str, ...]:
        """List what a server may say back to us of a log-in that it did not like."""
        if not self._password:
            return ()
        user = self._settings.user or ""
        forms = (self._password, f"\0{user}\0{self._password}")
        return (self._password, *(b64encode(form.encode()).decode() for form in forms))


class _Delivery:
    """Knows how far one delivery came, and so what its failure means."""

    def __init__(self, host: str, port: int) -> None:
        self.step = "connection"
        self.may_go_on = False
        self._server = f"{host}:{port}"
        self._said_anyway = f"Error connecting to {host} on port {port}: "

    @contextmanager
    def translated(self, secrets: tuple[str, ...]) -> Iterator[None]:
        """Turn what the library raises into a DeliveryError."""
        try:
            yield
        except aiosmtplib.SMTPResponseException as exc:
            permanent, unreachable = self._judge(exc.code)
            text = f"{exc.code} {exc.message}"
        except (aiosmtplib.SMTPException, OSError, ValueError) as exc:
            permanent, unreachable = False, self.step not in _ABOUT_THE_MAIL
            text = self._trouble(exc)
        else:
            return
        for secret in secrets:
            text = text.replace(secret, "***")
        words = words_of(f"{self._server}: {self.step}: {text}")
        # Not `from` the library's error, which may hold those secrets.
        raise DeliveryError(words, permanent=permanent, unreachable=unreachable)

    def _judge(self, code: int) -> tuple[bool, bool]:
        if self.step not in _ABOUT_THE_MAIL or code in _LOG_IN_REPLIES:
            return False, True
        self.may_go_on = 400 <= code < 600 and code != _CLOSING
        return 500 <= code < 600, False

    def _trouble(self, error: Exception) -> str:
        text = str(error).removeprefix(self._said_anyway) or "took too long"
        if self.step == "DATA":
            return f"{text}; whether the server has the mail is unknown"
        return text


async def _greet(smtp: aiosmtplib.SMTP) -> None:
    """Say EHLO, unless STARTTLS or the log-in has; HELO to those who know no other."""
    if not smtp.is_ehlo_or_helo_needed:
        return
    try:
        await smtp.ehlo()
    except aiosmtplib.SMTPHeloError:
        if not smtp.is_connected:
            raise
        await smtp.helo()


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    """Read the certificates to trust, each time anew: they get renewed."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else exc
        raise aiosmtplib.SMTPException(f"smtp.ca_file {ca_file}: {reason}") from exc
