"""What fail2ban's filter captured becomes values, and its leftovers do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.classify.captures import captured
from f2b_enrich.classify.rules import KINDS
from f2b_enrich.classify.values import LONGEST_VALUE


@pytest.mark.parametrize(
    ("captures", "found"),
    [
        ({}, ()),
        ({"user": "root"}, (("username", "root"),)),
        ({"alt_user": "bob"}, (("username", "bob"),)),
        ({"alt_user1": "bob", "user": "root"}, (("username", "root"),)),
        ({"alt_user": "a", "alt_user1": "b"}, (("username", "a"),)),
        ({"alt_user": "bob", "user": "<F-USER>"}, (("username", "bob"),)),
        ({"alt_user": "bob", "user": "192.0.2.7"}, (("username", "bob"),)),
        ({"user": "2001:db8::7"}, ()),
        ({"user": "  "}, ()),
        ({"user": "<admin>"}, (("username", "<admin>"),)),
        ({"port": "40022"}, (("port", "40022"),)),
        ({"port": "0"}, ()),
        ({"port": "65536"}, ()),
        ({"port": "ssh"}, ()),
        ({"port": "\u0664\u0660"}, ()),
        ({"content": "a line", "mlfid": "7", "nofail": "", "error": "x"}, ()),
        ({"helo": "192.0.2.7"}, (("helo", "192.0.2.7"),)),
        ({"path": "/shop", "user_agent": "curl"}, None),
    ],
)
def test_captures_become_values(
    captures: dict[str, str], found: tuple[tuple[str, str], ...] | None
) -> None:
    wanted = tuple(sorted(captures.items())) if found is None else found

    assert captured(captures) == wanted


def test_a_long_capture_is_cut() -> None:
    ((_, value),) = captured({"user": "x" * 1000})

    assert value == "x" * LONGEST_VALUE


@given(st.dictionaries(st.sampled_from(["user", "alt_user", "port", "x"]), st.text()))
def test_any_captures_give_known_kinds_once(captures: dict[str, str]) -> None:
    found = captured(captures)

    assert {kind for kind, _ in found} <= KINDS
    assert len(dict(found)) == len(found)
    assert all(value for _, value in found)
