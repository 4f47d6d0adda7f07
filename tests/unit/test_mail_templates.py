"""The pages of digests and notices come out as they were written."""

from __future__ import annotations

import re

import pytest

from f2b_enrich.mail.digest import Digest
from f2b_enrich.mail.digest_sample import digests
from f2b_enrich.mail.flood import Flood
from f2b_enrich.mail.flood_sample import floods
from tests.digest_mail import body, sent


@pytest.mark.parametrize("told", [*digests(), *floods()])
def test_no_style_is_cut(told: Digest | Flood) -> None:
    styles = re.findall(r'style="([^"]*)"', body(sent(told), "html"))

    assert styles
    assert not [style for style in styles if "\u2026" in style]
