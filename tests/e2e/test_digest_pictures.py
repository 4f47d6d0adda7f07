"""Digests and the mails about floods, in a browser, as text, and before a filter.

With `--basetemp FOLDER -o tmp_path_retention_policy=all` the mails, and pictures of
them in a browser, stay there.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.mail import digest_sample, flood_sample
from tests.browser import Browser
from tests.digest_mail import body, sent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from f2b_enrich.mail.digest import Digest
    from f2b_enrich.mail.flood import Flood

MAILS: dict[str, Digest | Flood] = {
    "digest": digest_sample.known(),
    "empty digest": digest_sample.empty(),
    "digest of many": digest_sample.many(),
    "flood began": flood_sample.began(),
    "flood ended": flood_sample.ended(),
}


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("album")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


@pytest.mark.parametrize("kind", MAILS)
def test_a_mail_reads_well_in_a_browser(
    kind: str, browser: Browser, album: Path
) -> None:
    message = sent(MAILS[kind])
    (album / f"{kind}.eml").write_bytes(message.as_bytes())

    for width in (900, 360):
        for dark in (False, True):
            picture = album / f"{kind}-{width}-{'dark' if dark else 'light'}.png"
            seen = browser.look(
                body(message, "html"), width=width, dark=dark, picture=picture
            )

            assert seen.requests == ()
            assert seen.wide <= seen.room == width
            assert seen.contrast >= 4.5, seen.faintest
            assert seen.smallest >= 13
            assert seen.background == (
                "rgb(20, 24, 29)" if dark else "rgb(241, 243, 245)"
            )
            assert "f2b-enrich bans list --since" in seen.text


@pytest.mark.parametrize("kind", MAILS)
def test_a_mail_reads_well_without_pictures_and_styles(kind: str) -> None:
    done = subprocess.run(
        [
            *("w3m", "-dump", "-cols", "80", "-T", "text/html"),
            *("-I", "utf-8", "-O", "utf-8"),
        ],
        input=body(sent(MAILS[kind]), "html").encode(),
        capture_output=True,
        check=True,
    )
    shown = " ".join(done.stdout.decode().split())

    assert "f2b-enrich bans list --since 2026-11-20" in shown
    if kind == "digest":
        assert (
            "Service Bans Addresses Failures ssh 771 402 6,012 most hit: web1 96"
            in shown
        )


@pytest.mark.parametrize("kind", MAILS)
def test_a_filter_finds_no_fault_in_the_form(kind: str) -> None:
    message = sent(MAILS[kind])
    received = (
        b"Received: from web1.example.org (web1.example.org [198.51.100.200])\r\n"
        b"\tby mx.alerts.example (Postfix) with ESMTPS id 4XyZ1\r\n"
        b"\tfor <noc@alerts.example>; " + str(message["Date"]).encode()
    )
    done = subprocess.run(
        [
            *("spamassassin", "--local", "--test-mode"),
            *("--cf=score HTML_MESSAGE 0", "--cf=score RCVD_ILLEGAL_IP 0"),
        ],
        input=received + b"\r\n" + message.as_bytes(),
        capture_output=True,
        check=True,
    )
    report = done.stdout.decode("utf-8", "replace")
    assert "Content analysis details" in report
    rules = report.rpartition("rule name")[2]
    assert re.findall(r"^ *-?[0-9.]+ +([A-Z0-9_]+) ", rules, re.MULTILINE) == []
