"""Make docs/images/alert.png and alert-dark.png: an alert as a mail reader shows it.

    .venv/bin/python docs/images/make_alert.py

It needs Debian's `chromium`, `fonts-dejavu-core` and `pngquant`. The addresses are
documentation addresses, so the answers of IPinfo are made up; all the rest is the
program's own work.
"""

from __future__ import annotations

import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from f2b_enrich import __version__
from f2b_enrich.enrich.legacy import facts_from
from f2b_enrich.enrich.merge import Answer, merge
from f2b_enrich.enrich.provider import Facts
from f2b_enrich.mail.compose import Alert, Composer
from f2b_enrich.model import Ban, History, LogLine, Neighbours, Tally, ban_id
from f2b_enrich.outbox import message_id

if TYPE_CHECKING:
    from f2b_enrich.model import Enrichment

IMAGE = Path(__file__).with_name("alert.png")
DARK_IMAGE = Path(__file__).with_name("alert-dark.png")
DARK = "(prefers-color-scheme: dark)"
WIDTH, HEIGHT = 900, 1130
SCALE = 2

HOST, JAIL, IP = "web1.example.org", "sshd", "192.0.2.7"
ZONE = ZoneInfo("Europe/Berlin")
BANNED_AT = datetime(2026, 11, 21, 19, 14, 3, tzinfo=UTC)
ATTEMPTS = (
    "20:13:22 web1 sshd[4021]: Failed password for root from {ip} port 50291 ssh2",
    "20:13:31 web1 sshd[4025]: Failed password for invalid user admin from {ip} "
    "port 50735 ssh2",
    "20:13:40 web1 sshd[4028]: Invalid user http://198.51.100.4/x from {ip} port 51022",
    "20:13:52 web1 sshd[4031]: Failed password for invalid user oracle from {ip} "
    "port 51377 ssh2",
    "20:14:03 web1 sshd[4033]: Failed password for root from {ip} port 51802 ssh2",
)


def main() -> None:
    """Compose the alert and take its picture, light and dark."""
    mail = Composer().compose(
        alert(), now=BANNED_AT + timedelta(seconds=2), form="both"
    )
    light = next(
        part.get_content()
        for part in mail.iter_parts()
        if part.get_content_subtype() == "html"
    )
    dark = light.replace(DARK, "all")
    with tempfile.TemporaryDirectory() as folder:
        for image, text in ((IMAGE, light), (DARK_IMAGE, dark)):
            file = Path(folder) / "alert.html"
            file.write_text(text, "utf-8")
            photograph(file, Path(folder) / "profile", image)
            shrink(image)
            print(f"{image}: {image.stat().st_size} bytes")  # noqa: T201 - a script


def alert() -> Alert:
    """Make what the daemon would tell about a seventh ban."""
    stamp = BANNED_AT.astimezone(ZONE).date().isoformat()
    lines = tuple(
        LogLine(position=position, line=f"{stamp}T{line.format(ip=IP)}")
        for position, line in enumerate(ATTEMPTS)
    )
    ban = Ban(
        id=ban_id(HOST, JAIL, IP, BANNED_AT.timestamp()),
        host=HOST,
        jail=JAIL,
        ip=IP,
        ip_version=4,
        subnet="192.0.2.0/24",
        banned_at=BANNED_AT,
        banned_at_source="failure",
        bantime_seconds=86_400,
        expires_at=BANNED_AT + timedelta(days=1),
        unbanned_at=None,
        failures=len(lines),
        ban_count=1,
        received_at=BANNED_AT,
        lines_received=len(lines),
    )
    return Alert(
        ban=ban,
        enrichment=looked_up(),
        lines=lines,
        recipient="noc@example.org",
        sender=f"root@{HOST}",
        message_id=message_id(ban.id, "alert", 0, HOST),
        nth=7,
        bantime_known=True,
        version=__version__,
        timezone=ZONE,
        history=history(),
    )


def history() -> History:
    """Make what the store would know of the address."""
    ago = timedelta(days=1)
    return History(
        nth=7,
        records_since=datetime(2024, 3, 2, tzinfo=UTC),
        jails=(
            Tally(name="sshd", bans=6, first_at=BANNED_AT - 20 * ago),
            Tally(name="postfix-sasl", bans=1, first_at=BANNED_AT - 20 * ago),
        ),
        first_at=BANNED_AT - 52 * ago,
        previous_at=BANNED_AT - 2 * ago,
        imported=1,
        other_hosts=(
            Tally(name="mail1", bans=3, first_at=BANNED_AT - 48 * ago),
            Tally(name="web2", bans=1, first_at=BANNED_AT - 9 * ago),
        ),
        neighbours=Neighbours(
            subnet="192.0.2.0/24",
            days=30,
            addresses=3,
            bans=15,
            most=(
                Tally(name="192.0.2.9", bans=8, first_at=BANNED_AT - 20 * ago),
                Tally(name="192.0.2.13", bans=5, first_at=BANNED_AT - 20 * ago),
                Tally(name="192.0.2.40", bans=2, first_at=BANNED_AT - 20 * ago),
            ),
        ),
        thread_at=BANNED_AT - 2 * ago,
    )


def looked_up() -> Enrichment:
    """Merge what IPinfo's API and the local database would say."""
    answer = {
        "ip": IP,
        "hostname": "vps7.example.net",
        "city": "Amsterdam",
        "region": "North Holland",
        "country": "NL",
        "loc": "52.3740,4.8897",
        "org": "AS64500 Example Hosting",
    }
    local = Facts(
        country_code="NL", asn=64500, as_name="Example Hosting", as_domain="example.net"
    )
    answers = (
        Answer("IPinfo", facts_from(answer, ip_address(IP))),
        Answer("IPinfo Lite database of 2026-10-26", local),
    )
    return merge(IP, answers, looked_up_at=BANNED_AT + timedelta(seconds=1))


def photograph(page: Path, profile: Path, image: Path) -> None:
    """Let Chromium draw the page into the image."""
    subprocess.run(  # noqa: S603 - the words are ours
        [
            *("chromium", "--headless", "--no-sandbox", "--disable-gpu"),
            *("--hide-scrollbars", "--disable-lcd-text", "--disable-sync"),
            *("--disable-background-networking", "--disable-component-update"),
            f"--user-data-dir={profile}",
            f"--force-device-scale-factor={SCALE}",
            f"--window-size={WIDTH},{HEIGHT}",
            f"--screenshot={image}",
            page.as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )


def shrink(image: Path) -> None:
    """Keep the few colours that there are: a third of the size."""
    command = ["pngquant", "--force", "--nofs", "--output", str(image), "24"]
    subprocess.run([*command, str(image)], check=True)  # noqa: S603


if __name__ == "__main__":
    main()
