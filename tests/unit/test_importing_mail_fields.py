"""Fields of a head as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.importing.mail_fields import readable


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"plain", "plain"),
        (b"caf\xc3\xa9 \xff", "caf\u00e9 \ufffd"),
        (b"=?utf-8?b?Y2Fmw6k=?= =?iso-8859-1?q?=E9?=", "caf\u00e9\u00e9"),
        (b"=?utf-8?q?a=0D=0Ab?=", "a b"),
        (b"=?no-such?q?a?=", "=?no-such?q?a?="),
        (b"=?utf-8?b?a?= x", "=?utf-8?b?a?= x"),
        (b"=?utf-7?q?+2AA-?=", "?"),
    ],
)
def test_encoded_words_are_decoded_where_they_can_be(value: bytes, shown: str) -> None:
    assert readable(value) == shown


WORDS = st.sampled_from(
    [b"=?", b"?=", b"utf-8", b"?q?", b"?b?", b"=", b"YQ==", b" ", b"x"]
)


@given(st.lists(WORDS | st.binary(max_size=4), max_size=12).map(b"".join))
def test_any_bytes_are_a_text_that_can_be_stored(value: bytes) -> None:
    readable(value).encode()
