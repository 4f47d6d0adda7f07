"""The mails of fail2ban's own actions, as a real fail2ban sends them, are read."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from demo.lab import Lab, until
from f2b_enrich.importing.mail_reading import Reading, read
from f2b_enrich.importing.mail_thorough import thorough
from tests.smtp_server import SmtpServer

pytestmark = pytest.mark.skipif(
    shutil.which("fail2ban-server") is None, reason="NOT tested: fail2ban is missing"
)

ADDRESSES = ("192.0.2.7", "2001:db8::7")
WITH_LINES = {
    *("sendmail-whois-lines", "sendmail-whois-ipjailmatches", "sendmail-geoip-lines"),
    *("sendmail-whois-ipmatches", "sendmail-whois-matches"),
}
ACTIONS = {"sendmail", "sendmail-whois", "sendmail-buffered"} | WITH_LINES
JAIL = """
[j-{name}]
enabled = true
filter = sshd
backend = polling
logpath = {root}/auth.log
maxretry = 3
action = {action}
"""
BY_PROGRAM = (
    '{name}[mailcmd="cat > {root}/mails/$$.{name}", sender="fail2ban@site.example", '
    'logpath="{root}/auth.log", lines=2, tmpfile="{root}/waiting", _whois="echo none"]'
)
IN_PROCESS = 'smtp.py[host="127.0.0.1:{port}", matches="matches"]'


def test_every_action_of_fail2bans_own_is_understood() -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    with tempfile.TemporaryDirectory(prefix="f2b-") as folder, SmtpServer() as server:
        root = Path(folder)
        mails = root / "mails"
        mails.mkdir()
        with Lab(root) as lab:
            lab.write_fail2ban(jails(root, server.port))
            lab.attack(ADDRESSES[0])
            # Of one sshd process the filter takes all lines for one client's.
            lines = lab.log.read_text().replace("[4021]", "[4022]")
            with lab.log.open("a") as log:
                log.write(lines.replace(*ADDRESSES))
            lab.start_fail2ban()
            # One at the start, one for each address; the buffered one's come together.
            awaited = len(ACTIONS) * 3 - 1
            assert until(lambda: len(list(mails.iterdir())) >= awaited, seconds=60)
            assert until(lambda: len(server.received) >= 3, seconds=30)
        found = {
            name: [understood(path.read_bytes()) for path in mails.glob(f"*.{name}")]
            for name in ACTIONS
        }
        found["smtp"] = [understood(mail.content) for mail in server.received]

    for name, readings in found.items():
        said = Counter(reading.what for reading in readings)
        bans = [ban for reading in readings for ban in reading.bans]
        assert (said["start"], said["stop"], len(bans)) == (1, 1, 2), name
        assert said.total() == 2 + said["bans"]
        assert {ban.ip for ban in bans} == set(ADDRESSES)
        assert {(ban.jail, ban.failures) for ban in bans} == {(f"j-{name}", 3)}
        assert all(ban.at and before < ban.at < datetime.now(UTC) for ban in bans)
        for ban in bans:
            has_lines = name in WITH_LINES or name == "smtp"
            assert len(ban.lines) >= 3 * has_lines
            assert all(ban.ip.encode() in line for line in ban.lines)
            assert ban.bantime_seconds == (600 if name == "smtp" else None)


def jails(root: Path, port: int) -> str:
    shown = {name: BY_PROGRAM.format(name=name, root=root) for name in sorted(ACTIONS)}
    shown["smtp"] = IN_PROCESS.format(port=port)
    return "".join(
        JAIL.format(name=name, root=root, action=action)
        for name, action in shown.items()
    )


def understood(mail: bytes) -> Reading:
    now = datetime.now(UTC)
    found = read(mail, now=now)
    assert read(mail, now=now, parse=thorough) == found
    return found
