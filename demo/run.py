"""The main job, once, before your eyes: an attack, a ban, a row and a mail."""

from __future__ import annotations

import asyncio
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aiosmtpd.smtp import SMTP

from demo.lab import PROJECT, Lab, LabError, until

if TYPE_CHECKING:
    from email.message import EmailMessage

    from aiosmtpd.smtp import Envelope, Session

RECIPIENT = "admin@demo.example"
QUERY = (
    "select banned_at, jail, ip, country_code as cc, as_name, failures, mail_state "
    "from ban_log"
)

STORY = """\
1. {lines} failed log-ins from {ip} reached a log; Fail2Ban {version} banned it
   at the third, as its jail sshd is set up here (maxretry = 3).
2. Fail2Ban ran our action; its client handed the ban to the daemon and was gone.
3. The daemon wrote the ban to SQLite before it said "ok": nothing is lost after that.
4. It found the address in the local IPinfo Lite database: no account, no network.
5. It mailed the alert above, here to a mail server of the demonstration itself.
   All of it lies in {folder}: delete it as you like.
"""


class Mailbox:
    """Takes the mail that would have left, on a port of its own."""

    def __init__(self) -> None:
        self.content: bytes | None = None
        self.arrived = threading.Event()
        self._loop = asyncio.new_event_loop()
        serving = self._loop.create_server(lambda: SMTP(self), "127.0.0.1", 0)
        self._server = self._loop.run_until_complete(serving)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._server.close()
        self._loop.close()

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
    ) -> str:
        """Keep the message."""
        content = envelope.content
        self.content = content if isinstance(content, bytes) else None
        self.arrived.set()
        return "250 OK"


def main() -> int:
    """Run the demonstration; 0 when the ban became a row and a mail."""
    folder = Path(tempfile.mkdtemp(prefix="f2b-enrich-demo."))
    say(f"Everything happens in {folder}: no firewall rule is set, no mail leaves.")
    try:
        with Mailbox() as mailbox, Lab(folder) as lab:
            attack(lab, mailbox)
    except LabError as exc:
        print(f"f2b-enrich demo: {exc}", file=sys.stderr)
        return 1
    return 0


def attack(lab: Lab, mailbox: Mailbox) -> None:
    """Let fail2ban see an attack, and show what comes of it."""
    lab.write_fail2ban()
    lab.write_config(
        mail={"recipient": RECIPIENT, "allow_domains": ["example", "example.org"]},
        mail__smtp={"host": "127.0.0.1", "port": mailbox.port},
    )
    say("Fetching the local IPinfo Lite database ...")
    run("f2b_enrich", "geo", "update", "--config", str(lab.config))
    say("Starting the daemon and Fail2Ban ...")
    lab.start_daemon()
    lab.start_fail2ban()
    say("Attacking: replaying demo/auth.log with today's time ...")
    lines = replay(lab)
    if not mailbox.arrived.wait(30) or mailbox.content is None:
        raise LabError(f"no mail within 30 s, see {lab.root}/daemon.log")
    until(lambda: "sent" in rows(lab), seconds=5)
    show(lab, mailbox.content, lines)


def replay(lab: Lab) -> list[str]:
    """Append the shipped lines to the log as if web1 wrote them now."""
    stamp = time.strftime("%b %e %H:%M:%S")
    shipped = (PROJECT / "demo" / "auth.log").read_text().splitlines()
    lines = [f"{stamp} web1 {line.split(maxsplit=4)[4]}" for line in shipped]
    with lab.log.open("a") as log:
        log.write("\n".join(lines) + "\n")
    return lines


def part(message: EmailMessage, subtype: str) -> str:
    """Give one of the two forms of a mail."""
    found = message.get_body((subtype,))
    if found is None:
        raise LabError(f"the mail has no {subtype} part")
    content: str = found.get_content()
    return content.replace("\r\n", "\n")


def show(lab: Lab, content: bytes, lines: list[str]) -> None:
    """Print the mail, the row and the story."""
    message = message_from_bytes(content, policy=policy.default)
    say("\n=== The mail " + "=" * 67 + "\n")
    for name in ("From", "To", "Subject", "Date"):
        say(f"{name}: {message[name]}")
    say("\n" + part(message, "plain").rstrip())
    page = lab.root / "alert.html"
    page.write_text(part(message, "html"), "utf-8")
    say(f"\nA mail reader that knows HTML shows {page} instead.")
    say("\n=== The row " + "=" * 68 + "\n")
    program = Path(sys.executable).with_name("sqlite-utils")
    say(f"$ {program} {lab.store} \\\n    {shlex.quote(QUERY)} --table\n")
    say(rows(lab).rstrip())
    say("\n=== What happened " + "=" * 62 + "\n")
    words = lines[0].split()
    version = lab.fail2ban("version").strip()
    ip = words[words.index("from") + 1]
    say(STORY.format(lines=len(lines), ip=ip, version=version, folder=lab.root))


def rows(lab: Lab) -> str:
    """Ask the store as its owner would."""
    return run("sqlite_utils", str(lab.store), QUERY, "--table")


def run(module: str, *words: str) -> str:
    """Run a command of the environment; give its output."""
    command = [sys.executable, "-m", module, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"{module} {words[0]}: {done.stderr.strip()}")
    return done.stdout


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
