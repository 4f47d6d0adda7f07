"""Whether alerts have somebody to go to, and a server that takes them."""

from __future__ import annotations

import asyncio
import os
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.errors import DeliveryError
from f2b_enrich.health.links import crit, ok, warn
from f2b_enrich.health.probing import until_done
from f2b_enrich.mail.addresses import route
from f2b_enrich.mail.deliver import SmtpCourier
from f2b_enrich.mail.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import SecretStr

    from f2b_enrich.config import MailSettings, Settings
    from f2b_enrich.health.figures import Figures
    from f2b_enrich.health.links import Link
    from f2b_enrich.mail.addresses import Route
    from f2b_enrich.mail.deliver import _Delivery


LATE_SECONDS = 900
"""A mail server that greylists takes a mail within some ten minutes."""

_NEEDS_NO_RIGHTS = frozenset({"msmtp"})


class Rehearsal(SmtpCourier):
    """Goes the whole way of a delivery but for the message: nothing is sent."""

    async def _hand_over(
        self, delivery: _Delivery, sender: str, recipient: str, content: bytes
    ) -> str:
        del content
        smtp = await self._ready(delivery)
        delivery.step = "MAIL FROM"
        await smtp.mail(sender)
        delivery.step = "RCPT TO"
        reply = await smtp.rcpt(recipient)
        await smtp.rset()
        return reply.message


def links(
    settings: Settings,
    password: SecretStr | None,
    *,
    seconds: float,
    offline: bool,
    gains: bool = True,
) -> Iterator[Link]:
    """Say whether an alert would be taken: connect, name sender and recipients, leave.

    At most so many seconds for all; with `offline` no server is asked. `gains` says
    that what the daemon starts may have more rights than it has itself.
    """
    mail = settings.mail
    chosen = route(None, None, settings=mail, host=settings.host_name)
    for address, reason in chosen.refused:
        yield crit(
            "mail",
            f"{address} is refused: {reason}",
            "set mail.recipient and mail.sender to addresses of yours",
        )
    if not chosen.sender or not chosen.recipients:
        return
    who = f"{chosen.sender} -> {', '.join(chosen.recipients)}"
    if mail.transport == "sendmail":
        yield _program(mail, who, gains=gains)
    elif offline:
        yield ok("mail", f"{who}; no server asked (--offline)")
    else:
        yield from until_done(_rehearse(settings, password, chosen, who, seconds))


def waiting(known: Figures) -> Iterator[Link]:
    """Say which mails do not get away."""
    if known.dead:
        yield warn(
            "outbox",
            f"{counted(known.dead, 'mail')} given up",
            "f2b-enrich outbox list --state dead tells why; outbox retry --all-dead",
        )
    if known.oldest_due_s is not None and known.oldest_due_s > LATE_SECONDS:
        yield warn(
            "outbox",
            f"{counted(known.due or 0, 'mail')} not taken yet, the oldest after "
            f"{known.oldest_due_s} s",
            "f2b-enrich outbox list --state due tells why",
        )


def _program(mail: MailSettings, who: str, *, gains: bool) -> Link:
    program = mail.sendmail
    if os.access(program, os.X_OK):
        if not gains and Path(program).resolve().name not in _NEEDS_NO_RIGHTS:
            text = f"{who} by {program}: it gets no rights of its own under this unit"
            cure = "the drop-in of docs/how-to/sendmail.md, or mail.transport"
            return warn("mail", f"{text} (NoNewPrivs)", f'{cure} = "smtp"')
        return ok("mail", f"{who} by {program} (not tried)")
    cure = 'install a mail server, or set mail.transport = "smtp"'
    return crit("mail", f"{program} is not there to be run", cure)


async def _rehearse(
    settings: Settings,
    password: SecretStr | None,
    chosen: Route,
    who: str,
    seconds: float,
) -> list[Link]:
    smtp = settings.mail.smtp
    limit = min(smtp.timeout_seconds, seconds)
    courier = Rehearsal(
        smtp.model_copy(update={"timeout_seconds": limit}),
        password=password.get_secret_value() if password else None,
        host=settings.host_name,
    )
    server = f"{smtp.host}:{smtp.port}"
    try:
        async with asyncio.timeout(seconds):
            for recipient in chosen.recipients:
                await courier.send(
                    EmailMessage(), sender=chosen.sender, recipient=recipient
                )
    except TimeoutError:
        return [_late(server, seconds)]
    except DeliveryError as exc:
        return [_refusal(exc, server)]
    finally:
        await courier.aclose()
    return [ok("mail", f"{who}; {server} accepts them (nothing sent)")]


def _late(server: str, seconds: float) -> Link:
    text = f"{server} did not finish within {seconds:g} s"
    return warn("mail", text, "see whether it answers so slowly to others, too")


def _refusal(error: DeliveryError, server: str) -> Link:
    if error.unreachable:
        cure = f"see whether a mail server listens on {server} (mail.smtp)"
        return crit("mail", str(error), cure)
    if error.permanent:
        cure = "set mail.recipient and mail.sender to addresses that it takes"
        return crit("mail", str(error), cure)
    cure = "mails wait and are tried again; ask who runs that server"
    return warn("mail", str(error), cure)
