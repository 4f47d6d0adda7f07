"""Makes the example page of the documentation, and its pictures, of invented bans.

python -m tests.report_pages docs/examples/report.html docs/images
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from f2b_enrich.enrich.countries import countries
from f2b_enrich.report.as_html import page
from tests.browser import Browser
from tests.report_events import ReportStore, figures
from tests.report_october import october

if TYPE_CHECKING:
    from tests.report_events import Told

_WIDTH, _HEIGHT = 1000, 1060

_SHOWN = {
    "nginx-botsearch": (
        *("wordpress-probe", "credentials-probe", "wordpress-probe"),
        *("web-application-probe", "repository-probe", "wordpress-login"),
        *("phpunit-probe", "credentials-probe", "wordpress-probe"),
    ),
    "postfix": ("mail-password-guessing", "spam-relay-attempt"),
    "dovecot": ("mail-password-guessing",),
    "sshd": ("ssh-password-guessing",),
}
_NAMES = {
    "dovecot": ("info", "office", "admin", "info", "sales", "test"),
    "sshd": ("root", "admin", "root", "ubnt", "test"),
}
_HOSTS = {"web1": "DE", "web2": "NL", "mail1": "DE"}


def example() -> str:
    """Write the page of an October of bans; each country is known by its middle.

    The month says nothing of what most of them tried, nor where its hosts are: that is
    invented here.
    """
    month, points = october(), countries()
    known = []
    for each in month.known:
        found = points.get(each.country_code) if each.country_code else None
        known.append(
            replace(each, latitude=found.latitude, longitude=found.longitude)
            if found
            else each
        )
    with TemporaryDirectory() as folder:
        store = ReportStore(Path(folder) / "bans.db")
        store.add(map(_tried, month.told), known)
        for host, country_code in _HOSTS.items():
            store.place_host(host, country_code)
        return page(figures(store), zone=UTC)


def _tried(told: Told) -> Told:
    """Say what a ban's lines show and whom they name; it is alike for an address."""
    chance = sum(told.ip.encode())
    names = _NAMES.get(told.jail, ())
    told = replace(told, names=names[chance % max(len(names), 1) :][:1])
    if told.attack or told.jail not in _SHOWN:
        return told
    classes = _SHOWN[told.jail]
    attack = classes[chance % len(classes)]
    return replace(told, attack=attack, shown=((attack, told.failures),))


def _show(html: str, folder: Path) -> None:
    """Take a picture of the first screen, light and dark."""
    with Browser() as browser:
        for dark in (False, True):
            picture = folder / f"report{'-dark' if dark else ''}.png"
            with browser.open(html, width=_WIDTH, dark=dark, fine=1) as opened:
                opened.page.wait_for_selector("#chart-map.live")
                opened.page.locator("#chart-map").scroll_into_view_if_needed()
                opened.page.evaluate("scrollTo(0, 0)")
                opened.page.screenshot(
                    path=picture,
                    full_page=True,
                    clip={"x": 0, "y": 0, "width": _WIDTH, "height": _HEIGHT},
                )


if __name__ == "__main__":
    written = example()
    Path(sys.argv[1]).write_text(written, encoding="utf-8")
    _show(written, Path(sys.argv[2]))
