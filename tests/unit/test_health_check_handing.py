from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.health.handing import STOCK, Handing, handing_of

STOCK_ACTION = (
    'exec /usr/bin/python3 -I -S "/usr/local/lib/f2b-enrich/client.py" '
    '"/run/f2b-enrich/f2b-enrich.sock" "/var/spool/f2b-enrich" EVENT=ban "JAIL=sshd" '
    'MATCHES "<matches>"'
)


def test_the_stock_action_is_read() -> None:
    assert handing_of(STOCK_ACTION) == STOCK


def test_a_program_of_ones_own_is_read() -> None:
    assert handing_of('/opt/my python "/a b/c.py" /s /p EVENT=ban') == Handing(
        python=("/opt/my", "python"),
        client=Path("/a b/c.py"),
        socket=Path("/s"),
        spool=Path("/p"),
    )


def test_another_command_is_none_of_ours() -> None:
    assert handing_of("") is None
    assert handing_of("exec /usr/bin/python3 client.py EVENT=unban") is None
    assert handing_of("client.py socket spool EVENT=ban") is None
    assert handing_of('printf "%s EVENT=ban') is None


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    found = handing_of(f"{text} EVENT=ban")

    assert found is None or found.python
