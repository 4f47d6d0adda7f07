"""What comes in over the socket, well formed or not, hostile or merely odd."""

from __future__ import annotations

import random
import unicodedata
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.store.lines import MAX_LINES
from f2b_enrich.wire import MAX_REQUEST
from tests.daemons import TIME, living, request
from tests.mmdb import write_lite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.daemons import Daemon

HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07 $(touch /run/f2b-owned) `id` ; \u202e\u2066\x7f\x9b"
    "\r\nBcc: victim@alerts.example\r\n\r\n=?utf-8?q?x?= <script>alert(1)</script>"
    "\r.\r\n' OR 1=1; DROP TABLE bans;-- {{ 7 * 7 }} %s %n http://evil.example/x"
)

REFUSED = {
    "cut-in-the-middle": (request()[:40], "request was cut off"),
    "cut-by-a-byte": (request()[:-1], "request was cut off"),
    "one-nul": (b"\0", "request was cut off"),
    "only-the-end": (b"\0\0", "field 1 is b'', expected KEY=value"),
    "http": (b"GET / HTTP/1.1\r\n\r\n", "request was cut off"),
    "too-long": (
        request(MATCHES="x" * MAX_REQUEST),
        f"request is over {MAX_REQUEST} bytes",
    ),
    "endless": (b"x" * (MAX_REQUEST + 1), f"request is over {MAX_REQUEST} bytes"),
    "no-version": (request()[4:], "V is missing, this daemon speaks 1"),
    "other-version": (request(V="2"), "V is '2', this daemon speaks 1"),
    "odd-version": (request(V="1\x1b[31m"), "V is '1\\x1b[31m', this daemon speaks 1"),
    "nul-in-a-value": (
        request(JAIL="ss\0hd"),
        "field 4 is b'hd', expected KEY=value",
    ),
    "nul-at-the-start": (
        b"\0" + request(),
        "field 1 is b'', expected KEY=value",
    ),
    "no-key": (request()[:-1] + b"=x\0\0", "expected KEY=value"),
    "key-twice": (request()[:-1] + b"IP=192.0.2.8\0\0", "IP is given twice"),
    "other-event": (
        request(EVENT="flush"),
        "EVENT is 'flush', expected ban, unban or prolong",
    ),
    "no-event": (request(EVENT=""), "EVENT is missing"),
    "no-jail": (request(JAIL=""), "JAIL is missing"),
    "no-ip": (request(IP=""), "IP is missing"),
    "no-time": (request(TIME=""), "TIME is missing"),
    "odd-time": (request(TIME="noon"), "TIME is 'noon', expected Unix time"),
    "nan-time": (request(TIME="nan"), "TIME is nan, expected Unix time from 0"),
    "early-time": (request(TIME="-1"), "TIME is -1, expected Unix time from 0"),
    "late-time": (request(TIME="1e300"), "TIME is 1e300, expected Unix time from 0"),
    "odd-clock": (request(AT="x"), "AT is 'x', expected Unix time"),
    "odd-bantime": (
        request(BANTIME="1h"),
        "BANTIME is '1h', expected a whole number",
    ),
    "negative-bantime": (request(BANTIME="-2"), "BANTIME is -2, expected -1 to"),
    "huge-failures": (
        request(FAILURES="9" * 30),
        "FAILURES is 999999999999999999999999999999, expected 0 to",
    ),
    "many-digits": (request(FAILURES="9" * 1025), "FAILURES is 1025 bytes"),
    "long-ip": (request(IP="x" * 1025), "IP is 1025 bytes, the limit is 1024"),
}


@pytest.fixture
async def daemon(short_folder: Path) -> AsyncIterator[Daemon]:
    async with living(short_folder) as daemon:
        daemon.configure(alerts={"burst": 300, "per_day": 300})
        await daemon.start()
        yield daemon


@pytest.mark.parametrize("name", REFUSED)
async def test_a_request_that_cannot_be_read_is_refused_with_the_reason(
    daemon: Daemon, name: str
) -> None:
    sent, reason = REFUSED[name]

    answer = await daemon.say(sent)

    assert answer.startswith("error ")
    assert reason in answer
    assert answer.endswith("\n")
    assert answer.count("\n") == 1
    assert answer[:-1].isprintable()
    assert daemon.logged("request refused")
    assert await daemon.ban("192.0.2.9") == daemon.bans()[0]["id"]
    await daemon.until_sent(1)
    assert len(daemon.bans()) == 1
    assert daemon.rows("SELECT * FROM waiting_events") == []


async def test_after_a_bad_request_nothing_more_is_read_of_a_connection(
    daemon: Daemon,
) -> None:
    good, bad = request(), request(V="9")
    answers = await daemon.say(good + bad + request(IP="192.0.2.8"))
    first, second, *rest = answers.splitlines()
    assert first == f"ok {daemon.bans()[0]['id']}"
    assert second.startswith("error V is '9'")
    assert rest == []
    assert len(daemon.bans()) == 1


async def test_somebody_who_only_connects_is_told_nothing(daemon: Daemon) -> None:
    assert await daemon.say(b"") == ""
    await daemon.ban()


async def test_keys_that_nobody_knows_are_passed_over(daemon: Daemon) -> None:
    extra = {f"X_{number}": "y" * 5000 for number in range(100)}
    odd = request(F_USER="root")[:-1] + b"\xff\xfe=\xff\0?=a\0\0"
    assert (await daemon.report(IP="192.0.2.1", **extra)).startswith("ok ")
    assert (await daemon.say(odd)).startswith("ok ")
    await daemon.until_sent(2)


async def test_bytes_that_are_no_utf8_show_as_such(daemon: Daemon) -> None:
    await daemon.ban(JAIL=b"ss\xffhd", MATCHES=b"\xe9t\xe9 \xed\xa0\x80\nline \xff")
    (ban,) = daemon.bans()
    assert ban["jail"] == "ss\ufffdhd"
    assert ban["lines"] == "\ufffdt\ufffd \ufffd\ufffd\ufffd\nline \ufffd"
    (mail,) = await daemon.mails(1)
    assert "\ufffdt\ufffd" in mail.get_content()


ODD_ADDRESSES = (
    *("198.51.100.0/24", "2001:db8::/33", "host.example.net", "notanip!"),
    *("::ffff:192.0.2.1", "2001:DB8::0:7", "fe80::1%eth0", "1.2.3", "0x7f.1"),
    *("-", "=", "a b", "x" * 1024, "\u202e7.2.0.291", "--config=/etc/passwd"),
)


@pytest.mark.parametrize("ip", ODD_ADDRESSES)
async def test_whatever_stands_for_an_address_ends_in_a_row_and_a_mail(
    daemon: Daemon, ip: str
) -> None:
    await daemon.ban(ip)
    (mail,) = await daemon.mails(1)
    (ban,) = daemon.bans()
    known = {"::ffff:192.0.2.1": "192.0.2.1", "2001:DB8::0:7": "2001:db8::7"}
    assert ban["ip"] == known.get(ip, ip)
    assert_harmless(daemon)
    assert mail["Subject"].startswith("[fail2ban] web1 sshd: banned ")
    await daemon.until_sent(1)


async def test_a_ban_by_hand_says_so(daemon: Daemon) -> None:
    by_hand = {"FAILURES": "0", "MATCHES": "", "TIME": f"{TIME:.3f}123456789012345"}
    await daemon.ban(**by_hand)
    (mail,) = await daemon.mails(1)
    (ban,) = daemon.bans()
    assert (ban["failures"], ban["lines"]) == (0, None)
    assert ban["banned_at"] == "2026-11-21T11:55:00Z"
    assert "no log lines: banned by hand" in mail.get_content()


async def test_the_same_ban_twice_is_one_row_and_one_mail(daemon: Daemon) -> None:
    one = await daemon.ban(AT=f"{TIME + 1}")
    two = await daemon.ban(AT=f"{TIME + 1.5}")
    other = await daemon.ban("192.0.2.8")
    assert one == two != other
    await daemon.until_sent(2)
    assert len(await daemon.mails(2)) == len(daemon.bans()) == 2


async def test_a_time_that_rounds_to_another_second_is_another_ban(
    daemon: Daemon,
) -> None:
    assert await daemon.ban(TIME="1795262100.4") == await daemon.ban(TIME="1795262100")
    assert await daemon.ban(TIME="1795262100.6") != await daemon.ban(TIME="1795262100")
    await daemon.until_sent(2)


async def test_of_130_kb_of_lines_64_are_kept(daemon: Daemon) -> None:
    lines = [f"{number} {'x' * 1000}" for number in range(130)]
    await daemon.ban(MATCHES="\n".join(lines))
    (ban,) = daemon.bans()
    assert ban["lines_received"] == 130
    kept = ban["lines"].split("\n")
    assert (kept[0], kept[-1]) == (lines[0], lines[-1])
    assert 60_000 < len(ban["lines"]) <= 64 * 1024
    (mail,) = await daemon.mails(1)
    assert "of 130 lines" in mail.get_content()
    assert len(daemon.smtp.received[0].content) < 32 * 1024


async def test_four_megabytes_of_line_ends_are_kept_within_the_limit(
    daemon: Daemon,
) -> None:
    await daemon.ban(MATCHES="\n" * (MAX_REQUEST - 1000))
    count = daemon.rows("SELECT count(*) AS lines FROM log_lines")[0]["lines"]
    assert count == MAX_LINES
    assert daemon.bans()[0]["lines_received"] == MAX_REQUEST - 999
    await daemon.mails(1)


@pytest.mark.parametrize(
    "key", ["MATCHES", "JAIL", "IP", "HOST", "F_USER", "F_USER_AGENT", "DEST", "SENDER"]
)
async def test_hostile_text_is_inert_wherever_it_stands(
    daemon: Daemon, key: str
) -> None:
    ban_id = (await daemon.report(**{key: HOSTILE})).removeprefix("ok ")
    await daemon.ban("192.0.2.99")

    state = "dead" if key in {"DEST", "SENDER"} else "sent"
    await daemon.until(lambda: set(daemon.states()) == {state, "sent"})
    ban = next(ban for ban in daemon.bans() if ban["id"] == ban_id)
    if key in {"JAIL", "IP", "HOST"}:
        assert ban[key.lower()] == HOSTILE.strip()
    if key == "MATCHES":
        assert ban["lines"] == HOSTILE
    assert_harmless(daemon)
    reasons = [row["last_error"] or "" for row in daemon.outbox()]
    assert all(reason.isprintable() for reason in reasons)
    assert all(row["recipient"].isprintable() for row in daemon.outbox())


async def test_hostile_facts_about_an_address_are_inert(short_folder: Path) -> None:
    async with living(short_folder) as daemon:
        record = {
            "country_code": "DE",
            "asn": "AS64496",
            "as_name": HOSTILE.replace("\n", "\r\n"),
            "as_domain": f"{HOSTILE}.example",
        }
        database = write_lite(daemon.lab.root / "geo.mmdb", {"192.0.2.0/24": record})
        daemon.configure(geo={"database": str(database)})
        await daemon.start()
        await daemon.ban("192.0.2.7")
        await daemon.mails(1)
        assert_harmless(daemon)
        await daemon.until_sent(1)


def assert_harmless(daemon: Daemon) -> None:
    """Look for what could act on a terminal or a mail reader in all mails."""
    always = {
        *("from", "to", "subject", "date", "message-id", "auto-submitted"),
        *("mime-version", "content-type", "content-transfer-encoding"),
        *("references", "in-reply-to", "list-id", "x-f2b-host", "x-f2b-jail"),
        *("x-f2b-address", "x-f2b-ban"),
    }
    sometimes = {"x-f2b-country", "x-f2b-asn", "x-f2b-attack"}
    for received in daemon.smtp.received:
        raw = received.content.replace(b"\r\n", b"\n")
        assert all(byte == 10 or 32 <= byte < 127 for byte in raw), raw
        assert received.recipients == ("noc@alerts.example",)
        mail = message_from_bytes(raw, policy=policy.default)
        names = [name.lower() for name in mail]
        assert len(names) == len(set(names))
        assert always <= set(names) <= always | sometimes
        texts = (mail.get_content(), str(mail["Subject"]))
        for char in "".join(texts).replace("\n", ""):
            assert unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        assert "http://evil" not in texts[0]
        assert "DROP TABLE" not in received.sender


PIECES = (
    *("", "\n", "\r", "\x1b[0m", "\u2028", "\U0001f600", "\ud800", "=?", "?=", "%s"),
    *("a", "192.0.2.1", "2001:db8::1", "/24", "@", ".", "<", ">", '"', ",", " ", "%"),
    *("alerts.example", "root", "localhost", "xn--", "\u00df", "\u200d", "[", "]"),
    *("1e9", "-1", "0", "9" * 19, "x" * 300, "\u0660", "_", "nan", "<fq-hostname>"),
)
KEYS = (
    *("JAIL", "IP", "TIME", "AT", "BANTIME", "FAILURES", "BANCOUNT", "MATCHES"),
    *("DEST", "SENDER", "HOST", "F_USER"),
)


async def test_any_request_is_answered_and_any_ban_comes_to_an_end(
    daemon: Daemon,
) -> None:
    chance = random.Random(5)
    taken = 0
    for number in range(250):
        fields = {"IP": f"192.0.2.{number % 250}", "TIME": f"{TIME + number}"}
        for key in chance.sample(KEYS, chance.randint(1, 3)):
            fields[key] = "".join(chance.choices(PIECES, k=chance.randint(1, 5)))
        encoded = {
            key: value.encode("utf-8", "surrogatepass") for key, value in fields.items()
        }
        answer = await daemon.report(**encoded)
        assert answer.startswith(("ok ", "error ")), (answer, encoded)
        taken += answer.startswith("ok ")
    assert taken > 50

    daemon.clock.move(seconds=11)  # for those that wait for a longer ban time
    await daemon.nudge()
    await daemon.until(lambda: set(daemon.states()) <= {"sent", "dead", "held"})
    assert daemon.states().count("sent") > 20
    assert daemon.logged("event not recorded") == []
    assert daemon.logged("loop failed") == []
