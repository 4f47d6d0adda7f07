"""An alert names the bans that have no mail because of it."""

from __future__ import annotations

from dataclasses import replace

from f2b_enrich.mail.digest_sample import a_ban
from tests.alerts import KNOWN
from tests.reading import text, words


def test_bans_that_have_no_mail_of_their_own_are_named() -> None:
    also = (
        a_ban(7, jail="dovecot"),
        a_ban(7, jail="http://x.example/"),
        a_ban(7, jail="j" * 300),
    )
    alert = replace(KNOWN, also=also)
    ids = [ban.id.partition("-")[0] for ban in also]

    for shown in (" ".join(text(alert).split()), words(alert)):
        assert f"dovecot 2026-11-20 12:00 ({ids[0]}), hxxp://x[.]example/" in shown
        assert "the same address, without a mail of its own" in shown
        assert all(f"2026-11-20 12:00 ({one})" in shown for one in ids)


def test_without_such_bans_nothing_is_said() -> None:
    assert "without a mail of its own" not in text(KNOWN)
    assert "without a mail of its own" not in words(KNOWN)
