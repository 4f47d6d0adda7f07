from __future__ import annotations

import asyncio
import os
import socket
import ssl
import stat
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING

import pytest
import trustme

from f2b_enrich.config import MailSettings, Settings, SmtpSettings
from f2b_enrich.credentials import Secrets
from f2b_enrich.errors import DeliveryError
from f2b_enrich.mail.deliver import Courier, SmtpCourier, build
from f2b_enrich.mail.sendmail import SendmailCourier
from tests.loop_time import LoopTime
from tests.smtp_server import DROP, HANG, SmtpServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SENDER = "root@web1.example.org"
RECIPIENT = "noc@example.org"
PASSWORD = "correct horse"
LIMIT = 30.0
"""Of one step, in seconds: long, for a busy machine may stand still at any of them."""


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return file


@pytest.fixture
def certificate(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> LoopTime:
    return LoopTime(asyncio.get_running_loop(), monkeypatch)


def a_mail(text: str = "hello\n") -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = SENDER, RECIPIENT, "a ban"
    message["Message-ID"] = "<alert.0.1@web1.example.org>"
    message.set_content(text)
    return message


def courier_to(
    port: int,
    *,
    password: str | None = None,
    own_name: str = "web1.example.org",
    **smtp: object,
) -> SmtpCourier:
    chosen = {"host": "localhost", "timeout_seconds": LIMIT, "port": port} | smtp
    settings = SmtpSettings.model_validate(chosen)
    return SmtpCourier(settings, password=password, host=own_name)


async def send(courier: Courier, message: EmailMessage | None = None) -> str:
    return await courier.send(message or a_mail(), sender=SENDER, recipient=RECIPIENT)


async def failure(courier: Courier) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await send(courier)
    await courier.aclose()
    return caught.value


async def until(server: SmtpServer, is_so: Callable[[], bool]) -> None:
    await asyncio.to_thread(server.wait_until, is_so, seconds=60)


async def until_waiting(courier: SmtpCourier, server: SmtpServer, verb: str) -> None:
    """Wait until the courier waits for the answer to a verb, or to the message."""
    await until(server, lambda: verb in server.verbs or bool(server.received))
    # The server knows of a connection before the one who made it.
    async with asyncio.timeout(60):
        while not (courier._smtp and courier._smtp.is_connected):  # noqa: ASYNC110
            await asyncio.sleep(0)


async def failure_at(
    verb: str, courier: SmtpCourier, server: SmtpServer, clock: LoopTime
) -> DeliveryError:
    """Let the limit of a step pass while the courier waits for that answer."""
    failing = asyncio.create_task(failure(courier))
    await until_waiting(courier, server, verb)
    clock.move(LIMIT + 1)
    return await failing


async def test_a_mail_arrives_as_it_was_written() -> None:
    message = a_mail(".\n.. two dots\nFrom the start\n\u00e9\n")

    with SmtpServer() as server:
        courier = courier_to(server.port)
        reply = await send(courier, message)
        await courier.aclose()

    (received,) = server.received
    assert reply == "2.0.0 Ok: queued as 4F2B"
    assert (received.sender, received.recipients) == (SENDER, (RECIPIENT,))
    assert received.helo == "web1.example.org"
    assert received.content == message.as_bytes(policy=SMTP.clone(cte_type="7bit"))
    assert received.content.isascii()
    assert server.verbs[-1] == "QUIT"


async def test_a_connection_serves_several_mails_and_senders_wait_their_turn() -> None:
    with SmtpServer() as server:
        courier = courier_to(server.port)
        await asyncio.gather(*(send(courier) for _ in range(5)))
        await courier.aclose()

    assert len(server.received) == 5
    assert server.verbs.count("CONNECT") == 1


async def test_a_server_is_reached_before_there_is_a_mail() -> None:
    with SmtpServer() as server:
        courier = courier_to(server.port)
        await courier.reach()
        assert server.open_connections == 1
        await send(courier)
        await courier.reach()
        assert server.open_connections == 1
        await courier.aclose()
        server.replies["CONNECT"] = DROP
        with pytest.raises(DeliveryError) as caught:
            await courier.reach()
    assert caught.value.unreachable


async def test_a_dropped_connection_is_made_anew() -> None:
    with SmtpServer() as server:
        courier = courier_to(server.port)
        await send(courier)
        server.drop_connections()
        await send(courier)
        server.replies["RSET"] = DROP
        await send(courier)
        server.replies["RSET"] = "451 4.3.0 not now"
        await send(courier)
        await courier.aclose()
        await send(courier)
        await courier.aclose()

    assert len(server.received) == 5
    assert server.verbs.count("CONNECT") == 5


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "END"])
@pytest.mark.parametrize(
    ("reply", "permanent"),
    [
        ("451 4.7.1 greylisted,\x1b[31m come back", False),
        ("421 4.3.2 closing", False),
        ("550 5.1.1 nobody of that name", True),
        ("554 5.7.1 no", True),
        ("530 5.7.0 must issue STARTTLS first", False),
        ("535 5.7.8 log in first", False),
        ("252 perhaps", False),
        ("999 what", False),
        ("garbage", False),
    ],
)
async def test_what_the_server_says_of_the_mail_decides(
    verb: str, reply: str, *, permanent: bool
) -> None:
    with SmtpServer(replies={verb: reply}) as server:
        courier = courier_to(server.port)
        error = await failure(courier)
        server.replies.clear()
        await send(courier)
        await courier.aclose()

    assert error.permanent is permanent
    assert error.unreachable is reply.startswith("53")
    assert reply.partition("\x1b")[0] in str(error)
    assert str(error).isprintable()
    assert str(error).startswith(f"localhost:{server.port}: ")


async def test_a_connection_outlives_a_refused_recipient() -> None:
    with SmtpServer(replies={"RCPT": "550 5.1.1 nobody"}) as server:
        courier = courier_to(server.port)
        with pytest.raises(DeliveryError):
            await send(courier)
        server.replies.clear()
        await send(courier)
        await courier.aclose()

    assert server.verbs.count("CONNECT") == 1


async def test_long_words_of_a_server_are_cut() -> None:
    with SmtpServer(replies={"RCPT": "550 " + "no " * 300}) as server:
        error = await failure(courier_to(server.port))

    assert len(str(error)) == 500


@pytest.mark.parametrize(
    "replies",
    [
        {"CONNECT": "554 5.3.2 not today"},
        {"CONNECT": "421 too many connections"},
        {"CONNECT": DROP},
        {"CONNECT": "HTTP/1.1 400 Bad Request"},
        {"EHLO": "550 no", "HELO": "550 no"},
        {"EHLO": "421 no"},
        {"EHLO": DROP},
        {"MAIL": DROP},
        {"RCPT": DROP},
    ],
)
async def test_trouble_before_the_mail_is_tried_again(replies: dict[str, str]) -> None:
    with SmtpServer(replies=replies) as server:
        error = await failure(courier_to(server.port))

    assert not error.permanent
    assert error.unreachable is ("CONNECT" in replies or "EHLO" in replies)
    assert "unknown" not in str(error)
    assert not server.received


async def test_a_server_that_knows_only_helo_is_served() -> None:
    with SmtpServer(replies={"EHLO": "502 5.5.1 what?"}) as server:
        courier = courier_to(server.port)
        await send(courier)
        await courier.aclose()

    assert len(server.received) == 1


async def test_a_refused_connection_is_tried_again() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # it keeps the port from others, and never listens
        port = deaf.getsockname()[1]
        error = await failure(courier_to(port))

    assert not error.permanent
    assert f"localhost:{port}: connection: " in str(error)


@pytest.mark.parametrize("host", ["nowhere.invalid", "two words", "nul\0", "a\nb"])
async def test_a_server_name_that_leads_nowhere_is_tried_again(host: str) -> None:
    # Of all steps together: name servers that cannot be reached are left, too.
    error = await failure(courier_to(25, host=host, timeout_seconds=2.5))

    assert not error.permanent
    assert str(error).isprintable()


async def test_a_lost_reply_to_the_message_is_said_to_be_unknown() -> None:
    with SmtpServer(replies={"END": DROP}) as server:
        error = await failure(courier_to(server.port))

    assert not error.permanent
    assert "unknown" in str(error)
    assert len(server.received) == 1


@pytest.mark.parametrize("verb", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "END"])
async def test_a_server_that_hangs_is_left(verb: str, clock: LoopTime) -> None:
    with SmtpServer(replies={verb: HANG}) as server:
        error = await failure_at(verb, courier_to(server.port), server, clock)
        await until(server, lambda: server.open_connections == 0)

    assert not error.permanent
    assert "imed out" in str(error)
    assert ("unknown" in str(error)) is (verb in {"DATA", "END"})
    assert len(server.received) == (verb == "END")


async def test_a_server_that_drips_its_greeting_is_left() -> None:
    endless = {"CONNECT": "220 " + "x" * 100_000}
    with SmtpServer(replies=endless, drip=0.02) as server:
        error = await failure(courier_to(server.port, timeout_seconds=0.1))

    assert not error.permanent


async def test_all_steps_together_are_bounded(clock: LoopTime) -> None:
    class Slow(SmtpServer):
        def note(self, verb: str) -> None:
            clock.move(560)
            super().note(verb)

    with Slow(replies={"DATA": HANG}) as server:
        error = await failure(courier_to(server.port, timeout_seconds=600))

    assert server.verbs == ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"]
    assert "DATA: took too long" in str(error)


async def test_a_slow_greeting_within_the_limit_is_waited_for() -> None:
    with SmtpServer(greeting_delay=0.05) as server:
        courier = courier_to(server.port)
        await send(courier)
        await courier.aclose()

    assert len(server.received) == 1


@pytest.mark.parametrize("verb", ["CONNECT", "EHLO", "MAIL", "DATA", "END"])
async def test_a_cancelled_send_leaves_no_connection(verb: str) -> None:
    with SmtpServer(replies={verb: HANG}) as server:
        courier = courier_to(server.port)
        sending = asyncio.create_task(send(courier))
        await until_waiting(courier, server, verb)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await until(server, lambda: server.open_connections == 0)
        server.replies.clear()
        await send(courier)
        await courier.aclose()


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_cancelled_send_over_tls_leaves_no_connection(
    security: str, certificate: ssl.SSLContext, ca_file: Path
) -> None:
    with _encrypted(security, certificate) as server:
        server.replies["MAIL"] = HANG
        courier = courier_to(server.port, security=security, ca_file=ca_file)
        sending = asyncio.create_task(send(courier))
        await until(server, lambda: "MAIL" in server.verbs)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await until(server, lambda: server.open_connections == 0)


async def test_a_farewell_that_is_not_answered_is_not_waited_for(
    clock: LoopTime,
) -> None:
    with SmtpServer(replies={"QUIT": HANG}) as server:
        courier = courier_to(server.port)
        await send(courier)
        leaving = asyncio.create_task(courier.aclose())
        await until(server, lambda: "QUIT" in server.verbs)
        clock.move(6)
        await leaving
        await until(server, lambda: server.open_connections == 0)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_mail_goes_encrypted_and_after_a_log_in(
    security: str, certificate: ssl.SSLContext, ca_file: Path
) -> None:
    users = {"alerts": PASSWORD}
    with _encrypted(security, certificate, users) as server:
        courier = courier_to(
            server.port,
            security=security,
            ca_file=ca_file,
            user="alerts",
            password=PASSWORD,
        )
        await send(courier)
        await send(courier)
        await courier.aclose()

    assert server.verbs.count("CONNECT") == 1
    assert [mail.is_encrypted for mail in server.received] == [True, True]
    assert [mail.user for mail in server.received] == ["alerts", "alerts"]


def _encrypted(
    security: str, certificate: ssl.SSLContext, users: dict[str, str] | None = None
) -> SmtpServer:
    if security == "tls":
        return SmtpServer(tls=certificate, users=users or {})
    return SmtpServer(starttls=certificate, users=users or {})


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_certificate_that_is_not_trusted_or_not_the_servers_is_refused(
    security: str, host: str, certificate: ssl.SSLContext, ca_file: Path
) -> None:
    trusted = ca_file if host == "127.0.0.1" else None
    with _encrypted(security, certificate) as server:
        courier = courier_to(server.port, host=host, security=security, ca_file=trusted)
        error = await failure(courier)

    assert not error.permanent
    assert "certificate" in str(error).lower()
    assert "MAIL" not in server.verbs


async def test_a_missing_certificate_file_is_named(tmp_path: Path) -> None:
    ca_file = tmp_path / "none.pem"

    error = await failure(courier_to(25, security="tls", ca_file=ca_file))

    assert str(error).endswith(f"smtp.ca_file {ca_file}: No such file or directory")
    assert not error.permanent


async def test_a_server_without_starttls_gets_no_mail() -> None:
    with SmtpServer() as server:
        error = await failure(courier_to(server.port, security="starttls"))

    assert "STARTTLS" in str(error)
    assert not error.permanent
    assert "MAIL" not in server.verbs


async def test_a_refused_starttls_is_tried_again(certificate: ssl.SSLContext) -> None:
    replies = {"STARTTLS": "554 5.7.3 no"}
    with SmtpServer(starttls=certificate, replies=replies) as server:
        error = await failure(courier_to(server.port, security="starttls"))

    assert not error.permanent
    assert "STARTTLS: 554 5.7.3 no" in str(error)


async def test_a_refused_log_in_is_tried_again_and_keeps_its_secret() -> None:
    with SmtpServer(users={"alerts": "other"}) as server:
        server.replies["AUTH"] = f"535 5.7.8 you said {PASSWORD}"
        error = await failure(courier_to(server.port, user="alerts", password=PASSWORD))

    assert not error.permanent
    assert "log-in: 535 5.7.8 you said ***" in str(error)


async def test_a_wrong_password_is_tried_again(
    certificate: ssl.SSLContext, ca_file: Path
) -> None:
    with SmtpServer(tls=certificate, users={"alerts": "other"}) as server:
        courier = courier_to(
            server.port, security="tls", ca_file=ca_file, user="alerts", password="x"
        )
        error = await failure(courier)

    assert not error.permanent
    assert "log-in: 535" in str(error)


async def test_a_log_in_without_a_password_says_what_is_missing() -> None:
    with SmtpServer() as server:
        error = await failure(courier_to(server.port, user="alerts"))

    assert str(error).endswith("smtp.user is set, a password is not")


@pytest.mark.parametrize(
    ("server_host", "expected"),
    [("localhost", "root@localhost"), ("127.1", "root@web1.example.org")],
)
async def test_a_bare_name_gets_the_domain_of_who_takes_it(
    server_host: str, expected: str
) -> None:
    with SmtpServer() as server:
        courier = courier_to(server.port, host=server_host)
        await courier.send(a_mail(), sender="root", recipient="root")
        await courier.aclose()

    (received,) = server.received
    assert (received.sender, received.recipients) == (expected, (expected,))


async def test_a_host_without_a_full_name_still_introduces_itself() -> None:
    with SmtpServer() as server:
        for own_name, host in (("web 1", "localhost"), ("web1", "127.1")):
            courier = courier_to(server.port, own_name=own_name, host=host)
            await send(courier)
            await courier.aclose()

    assert server.received[0].helo == "localhost"
    assert server.received[1].helo


@pytest.mark.parametrize("address", ["", "a\r\nDATA", "b\u00fc@example.org"])
async def test_an_address_that_would_break_the_protocol_is_dead_at_once(
    address: str,
) -> None:
    courier = courier_to(25)

    with pytest.raises(DeliveryError) as caught:
        await courier.send(a_mail(), sender=SENDER, recipient=address)

    assert caught.value.permanent
    assert str(caught.value).isprintable()


def a_program(folder: Path, script: str) -> Path:
    program = folder / "sendmail"
    program.write_text(f"#!/bin/sh\ncd '{folder}'\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


async def test_sendmail_gets_the_mail_and_its_envelope(tmp_path: Path) -> None:
    program = a_program(
        tmp_path, 'printf "%s\\n" "$@" > arguments; cat > mail; echo queued'
    )
    courier = SendmailCourier(program, timeout_seconds=60)

    reply = await courier.send(a_mail(".\n"), sender=SENDER, recipient="root")
    await courier.aclose()

    arguments = (tmp_path / "arguments").read_text().split()
    assert arguments == ["-i", "-f", SENDER, "--", "root"]
    expected = a_mail(".\n").as_bytes(policy=SMTP.clone(linesep="\n"))
    assert (tmp_path / "mail").read_bytes() == expected
    assert reply == "queued"


@pytest.mark.parametrize(
    ("script", "permanent", "words"),
    [
        ("echo 'no such user' >&2; exit 67", True, "status 67: no such user"),
        ("exit 65", True, "status 65: no message"),
        ("printf 'a\\033[1mb\\nc' >&2; exit 69", False, "status 69: a\u241b[1mb c"),
        ("exit 75", False, "status 75"),
        ("exit 1", False, "status 1"),
        ("kill -9 $$", False, "status -9"),
        ("exec sleep 60", False, "took longer than 0.2 s"),
        ("sleep 60 & exec sleep 60", False, "took longer than 0.2 s"),
    ],
)
async def test_what_sendmail_leaves_with_decides(
    tmp_path: Path, script: str, *, permanent: bool, words: str
) -> None:
    courier = SendmailCourier(a_program(tmp_path, script), timeout_seconds=0.2)
    if "sleep" not in script:
        courier = SendmailCourier(a_program(tmp_path, script), timeout_seconds=60)

    error = await failure(courier)

    assert error.permanent is permanent
    assert words in str(error)


async def test_a_sendmail_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    error = await failure(SendmailCourier(tmp_path / "none", timeout_seconds=1))

    assert not error.permanent
    assert error.unreachable
    assert str(error).endswith("none: No such file or directory")


async def test_a_cancelled_sendmail_is_killed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "started")
    program = a_program(tmp_path, "echo > started; exec sleep 60")
    courier = SendmailCourier(program, timeout_seconds=30)
    sending = asyncio.create_task(send(courier))
    await asyncio.to_thread((tmp_path / "started").read_text)
    sending.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(sending, 60)


async def test_the_configuration_chooses_the_transport(tmp_path: Path) -> None:
    program = a_program(tmp_path, "cat > mail")
    mail = MailSettings(transport="sendmail", sendmail=program)
    await send(build(Settings(mail=mail), Secrets()))

    with SmtpServer(users={"alerts": PASSWORD}) as server:
        smtp = SmtpSettings(port=server.port, user="alerts")
        settings = Settings(mail=MailSettings(smtp=smtp))
        secrets = Secrets.model_validate({"smtp_password": PASSWORD})
        courier = build(settings, secrets)
        await send(courier)
        await courier.aclose()

    assert (tmp_path / "mail").exists()
    assert server.received[0].user == "alerts"
