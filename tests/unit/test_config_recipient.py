"""Who gets the alerts: anybody but nobody."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from f2b_enrich.config import MailSettings


@pytest.mark.parametrize("text", ["", ",", " ", ", ,\t,"])
def test_a_recipient_that_is_nobody_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        MailSettings(recipient=text)


@pytest.mark.parametrize("text", ["root", ",noc@alerts.example", "a@x.example, b"])
def test_commas_too_many_harm_nobody(text: str) -> None:
    assert MailSettings(recipient=text).recipient == text
