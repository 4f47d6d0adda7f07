"""The mail of a report in a browser, as text, and before a filter.

With `--basetemp FOLDER -o tmp_path_retention_policy=all` the mails, and pictures of
them in a browser, stay there.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.browser import Browser
from tests.digest_mail import body
from tests.report_events import ReportStore, figures
from tests.report_mails import picture, sent, with_pictures
from tests.report_october import october
from tests.report_sample import empty, hostile, sample, worst

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from f2b_enrich.report.figures import Figures


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("album")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Figures]:
    store = ReportStore(tmp_path_factory.mktemp("october") / "bans.db")
    month = october()
    store.add(month.told, month.known)
    return {
        "october": figures(store),
        "sample": sample(),
        "empty": empty(),
        "hostile": hostile(),
        "worst": worst(),
    }


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


@pytest.mark.parametrize("kind", ["october", "sample", "empty", "hostile", "worst"])
def test_a_report_reads_well_in_a_browser(
    kind: str, reports: Mapping[str, Figures], browser: Browser, album: Path
) -> None:
    drawn = (picture("map", "Where from"), picture("days", "Bans by day"))
    message = sent(reports[kind], pictures=drawn)
    (album / f"{kind}.eml").write_bytes(message.as_bytes())
    html = with_pictures(message, body(message, "html"))

    for width in (900, 360):
        for dark in (False, True):
            shot = album / f"{kind}-{width}-{'dark' if dark else 'light'}.png"
            seen = browser.look(html, width=width, dark=dark, picture=shot)

            assert [url for url in seen.requests if not url.startswith("data:")] == []
            assert seen.wide <= seen.room == width
            assert seen.contrast >= 4.5, seen.faintest
            assert seen.smallest >= 13
            assert seen.background == (
                "rgb(20, 24, 29)" if dark else "rgb(241, 243, 245)"
            )
            assert "it is not a break-in" in seen.text


def test_a_report_reads_well_without_pictures_and_styles(
    reports: Mapping[str, Figures],
) -> None:
    message = sent(reports["october"], pictures=(picture(alt="Most from Singapore"),))
    done = subprocess.run(
        [
            *("w3m", "-dump", "-cols", "80", "-T", "text/html"),
            *("-I", "utf-8", "-O", "utf-8"),
        ],
        input=body(message, "html").encode(),
        capture_output=True,
        check=True,
    )
    lines = done.stdout.decode().split("\n")
    shown = " ".join(" ".join(lines).split())

    head = next(line for line in lines if line.startswith("Country "))
    row = next(line for line in lines if line.startswith("Singapore "))
    assert len(head) == len(row.rstrip()), "numbers end below their heading"
    assert "Totals October 2024 Bans 1,698 Addresses 887" in shown
    assert "Country Addresses Percent Bans United States" in shown
    assert "Most from Singapore" in shown


def test_the_text_part_reads_well_by_itself(reports: Mapping[str, Figures]) -> None:
    text = body(sent(reports["october"]), "plain")

    assert text.startswith("Addresses that Fail2Ban banned: October 2024\n")
    assert max(map(len, text.split("\n"))) <= 80
    assert "\nCOUNTRIES, ALL SERVICES: percent of 887 addresses" in text


@pytest.mark.parametrize("kind", ["october", "empty"])
def test_a_filter_finds_no_fault_in_the_form(
    kind: str, reports: Mapping[str, Figures]
) -> None:
    drawn = (picture(), picture("days", "By day")) if kind == "october" else ()
    message = sent(reports[kind], pictures=drawn)
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
    found = re.findall(r"^ *(-?[0-9.]+) +([A-Z0-9_]+) ", rules, re.MULTILINE)
    # What has no points tells a form, such as that there is more picture than text.
    assert [name for points, name in found if points != "0.0"] == []
