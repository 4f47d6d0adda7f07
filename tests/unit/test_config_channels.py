"""What can be configured of bounces and of the notify command."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from f2b_enrich.config import Settings


def read(**sections: object) -> Settings:
    return Settings.model_validate(sections)


def test_by_default_nothing_is_looked_into_and_nobody_told() -> None:
    settings = read()
    assert settings.bounces.maildir is None
    assert settings.bounces.mbox is None
    assert settings.notify.command == ()


def test_empty_texts_are_no_mailboxes() -> None:
    settings = read(bounces={"maildir": "", "mbox": "/var/mail/x"})
    assert settings.bounces.maildir is None
    assert settings.bounces.mbox == Path("/var/mail/x")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"command": ["hook"]}, "'hook' is not a whole path"),
        ({"command": [""]}, "'' is not a whole path"),
        ({"command": ["/bin/x", "a\0b"]}, "holds U\\+0000"),
        ({"command": ["/bin/x"] * 101}, "at most 100"),
        ({"command": "/bin/x"}, "tuple"),
        ({"events": ["ban"]}, "alert"),
        ({"timeout_seconds": 0}, "greater than 0"),
        ({"at_once": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_run_is_refused(keys: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        read(notify=keys)
