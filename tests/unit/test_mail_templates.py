"""The pages of digests and notices come out as they were written."""

from __future__ import annotations

import re

import pytest

from f2b_enrich.mail.digest import Digest
from f2b_enrich.mail.digest_sample import digests
from f2b_enrich.mail.flood import Flood
from f2b_enrich.mail.flood_sample import floods
from tests.alerts import KNOWN as ALERT
from tests.digest_mail import body, sent
from tests.reading import part


def test_no_style_of_an_alert_is_cut() -> None:
    assert 'white-space:pre-wrap;overflow-wrap:anywhere"' in part(ALERT, "html")
    assert not re.search(r'style="[^"]*\u2026', part(ALERT, "html"))


@pytest.mark.parametrize("told", [*digests(), *floods()])
def test_no_style_is_cut(told: Digest | Flood) -> None:
    styles = re.findall(r'style="([^"]*)"', body(sent(told), "html"))

    assert styles
    assert not [style for style in styles if "\u2026" in style]
