"""Any bytes are an event or a WireError that names what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from f2b_enrich.errors import WireError
from f2b_enrich.model import EventKind
from f2b_enrich.wire import END, MAX_REQUEST, MAX_VALUE, decode, encode

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LEAST = {"V": "1", "EVENT": "ban", "JAIL": "sshd", "IP": "192.0.2.7", "TIME": "1.7e9"}


def request(**changes: str | bytes | None) -> bytes:
    """Write the least request there is, with fields added, changed or left out."""
    fields = LEAST | changes
    return b"".join(
        key.encode() + b"=" + (value if isinstance(value, bytes) else value.encode())
        + b"\0"
        for key, value in fields.items()
        if value is not None
    ) + b"\0"  # fmt: skip


def why_not(raw: bytes) -> str:
    with pytest.raises(WireError) as refused:
        decode(raw, received_at=NOW)
    reason = str(refused.value)
    assert "\n" not in reason
    assert len(reason) < 250
    return reason


KEYS = st.sampled_from(
    [*LEAST, "AT", "BANTIME", "FAILURES", "BANCOUNT", "MATCHES", "DEST", "F_USER", "X"]
)
FIELDS = st.dictionaries(KEYS, st.binary() | st.sampled_from([b"1", b"-1", b"ban"]))
NEARLY = FIELDS.map(lambda fields: request(**dict(fields)))


@given(st.binary() | st.binary().map(lambda raw: raw + END) | NEARLY)
@example(b"")
@example(END)
@example(b"=\0\0")
def test_any_bytes_decode_or_raise_a_wire_error(raw: bytes) -> None:
    try:
        event = decode(raw, received_at=NOW)
    except WireError:
        return
    texts = [event.jail, event.ip, event.dest, event.sender, *event.lines]
    for text in [*texts, *event.captures.values()]:
        assert "\0" not in (text or "")
        (text or "").encode()  # no surrogates


VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0")).filter(
    lambda text: text == text.strip() and len(text.encode()) <= MAX_VALUE
)
WANTED = VALUES.filter(lambda text: text and not text.startswith("<"))


@given(
    kind=st.sampled_from(EventKind),
    jail=WANTED,
    ip=WANTED,
    failed_at=st.floats(0, 253402300799),
    bantime=st.none() | st.integers(-1, 10**12),
    lines=st.lists(VALUES.filter(lambda text: "\n" not in text), min_size=1),
    sender=WANTED,
    user=WANTED,
)
def test_what_is_encoded_comes_back(
    kind: EventKind,
    jail: str,
    ip: str,
    failed_at: float,
    bantime: int | None,
    lines: list[str],
    sender: str,
    user: str,
) -> None:
    fields = {"V": "1", "EVENT": kind.value, "JAIL": jail, "IP": ip}
    fields |= {"TIME": repr(failed_at), "MATCHES": "\n".join(lines)}
    fields |= {"BANTIME": "" if bantime is None else str(bantime)}
    fields |= {"SENDER": sender, "F_USER": user, "AT": "1700000001.5"}
    event = decode(encode(fields), received_at=NOW)
    assert (event.kind, event.jail, event.ip) == (kind, jail, ip)
    assert event.failed_at == failed_at
    assert event.bantime_seconds == bantime
    assert list(event.lines) == (lines if lines != [""] else [])
    assert (event.sender, event.captures) == (sender, {"user": user})
    assert event.at == datetime.fromtimestamp(1700000001.5, UTC)


@given(st.binary().filter(lambda raw: b"\0" not in raw))
def test_bytes_that_a_program_was_given_are_encoded_as_they_were(raw: bytes) -> None:
    text = raw.decode("utf-8", "surrogateescape")
    assert encode({"F_USER": text}) == b"F_USER=" + raw + END


@pytest.mark.parametrize(
    ("key", "value"),
    [("", "x"), ("a=b", "x"), ("a\0", "x"), ("a", "\0"), ("a", "\ud800")],
)
def test_what_the_form_cannot_carry_is_refused(key: str, value: str) -> None:
    with pytest.raises(WireError):
        encode({key: value})


def test_a_ban_with_nothing_but_the_least_is_whole() -> None:
    event = decode(request(), received_at=NOW)
    assert (event.kind, event.failed_at, event.at) == (EventKind.BAN, 1.7e9, NOW)
    assert (event.failures, event.ban_count, event.lines) == (0, 1, ())
    assert (event.host, event.dest, event.sender) == (None, None, None)
    assert event.bantime_seconds is None
    assert event.captures == {}


def test_a_manual_ban_has_no_lines_and_a_time_with_many_decimals() -> None:
    raw = request(TIME="1700000000.1234567", FAILURES="0", MATCHES="", BANCOUNT="0")
    event = decode(raw, received_at=NOW)
    assert event.failed_at == 1700000000.1234567
    assert (event.failures, event.ban_count, event.lines) == (0, 1, ())


@pytest.mark.parametrize("ip", ["192.0.2.0/24", "attacker.example.org", "notanip!"])
def test_what_is_no_address_is_an_event_all_the_same(ip: str) -> None:
    assert decode(request(IP=ip), received_at=NOW).ip == ip


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    raw = request(MATCHES=b"caf\xe9\n\xed\xa0\x80\n\xc0\x80", JAIL=b"\xff")
    event = decode(raw, received_at=NOW)
    assert event.lines == ("caf\ufffd", "\ufffd" * 3, "\ufffd" * 2)
    assert event.jail == "\ufffd"


def test_hostile_text_is_kept_as_it_is() -> None:
    hostile = "\x1b[2J $(touch /x) `id` =?utf-8?q?x?= \r '\" ; <ip> %s"
    event = decode(request(MATCHES=hostile, F_USER=hostile), received_at=NOW)
    assert event.lines == (hostile,)
    assert event.captures == {"user": hostile}


def test_130_kb_of_lines_are_taken() -> None:
    lines = tuple(f"line {number} {'x' * 120}" for number in range(1000))
    event = decode(request(MATCHES="\n".join(lines)), received_at=NOW)
    assert event.lines == lines


def test_a_request_at_the_limit_is_taken_and_one_over_it_is_not() -> None:
    room = MAX_REQUEST - len(request(MATCHES=""))
    full = request(MATCHES="x" * room)
    assert len(full) == MAX_REQUEST
    assert decode(full, received_at=NOW).lines == ("x" * room,)
    reason = why_not(request(MATCHES="x" * (room + 1)))
    assert reason == f"request is {MAX_REQUEST + 1} bytes, the limit is {MAX_REQUEST}"


@pytest.mark.parametrize("missing", range(1, len(request())))
def test_a_request_cut_off_anywhere_is_refused(missing: int) -> None:
    assert "cut off" in why_not(request()[:-missing])


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\0" + request(), "field 1 is b'', expected KEY=value"),
        (request()[:-1] + b"\0F_X=1" + END, "field 6 is b'', expected KEY=value"),
        (request() + b"\0", "field 6 is b'', expected KEY=value"),
        (b"V\0" + request(), "field 1 is b'V', expected KEY=value"),
        (b"=1\0" + request(), "field 1 is b'=1', expected KEY=value"),
        (b"IP=192.0.2.8\0" + request(), "IP is given twice"),
        (request(V=None), "V is missing, this daemon speaks 1"),
        (request(V="2"), "V is '2', this daemon speaks 1"),
        (request(V="\x1b"), "V is '\\x1b', this daemon speaks 1"),
        (request(EVENT=None), "EVENT is missing"),
        (request(EVENT="flush"), "EVENT is 'flush', expected ban, unban or prolong"),
        (request(JAIL=""), "JAIL is missing"),
        (request(IP=None), "IP is missing"),
        (request(TIME=None), "TIME is missing"),
        (request(TIME="soon"), "TIME is 'soon', expected Unix time"),
        (request(TIME="nan"), "TIME is nan, expected Unix time from 0 to 253402300799"),
        (request(TIME="-1"), "TIME is -1, expected Unix time from 0 to 253402300799"),
        (
            request(TIME="1e12"),
            "TIME is 1e12, expected Unix time from 0 to 253402300799",
        ),
        (request(AT="x"), "AT is 'x', expected Unix time"),
        (request(BANTIME="-2"), f"BANTIME is -2, expected -1 to {10**12}"),
        (request(BANTIME="1h"), "BANTIME is '1h', expected a whole number"),
        (request(BANTIME="1e999"), "BANTIME is '1e999', expected a whole number"),
        (request(BANTIME="--1"), "BANTIME is '--1', expected a whole number"),
        (request(FAILURES="-1"), f"FAILURES is -1, expected 0 to {10**12}"),
        (
            request(BANCOUNT=str(10**12 + 1)),
            f"BANCOUNT is {10**12 + 1}, expected 0 to {10**12}",
        ),
        (request(JAIL="j" * 1025), f"JAIL is 1025 bytes, the limit is {MAX_VALUE}"),
    ],
)
def test_what_is_wrong_is_named(raw: bytes, reason: str) -> None:
    assert why_not(raw) == reason


@pytest.mark.parametrize("time", ["0", "253402300799"])
def test_the_first_and_the_last_time_are_taken(time: str) -> None:
    event = decode(request(TIME=time, AT=time), received_at=NOW)
    assert event.failed_at == int(time)
    assert event.at == datetime.fromtimestamp(int(time), UTC)


def test_keys_of_later_versions_are_passed_over() -> None:
    event = decode(
        b"SHOE=1\0SHOE=2\0f_user=x\0F_=y\0" + request(HOST="other"), received_at=NOW
    )
    assert event.host == "other"
    assert event.captures == {}


def test_tags_that_fail2ban_did_not_know_count_as_unset() -> None:
    raw = request(BANTIME="<bantime>", DEST="<dest>", SENDER=" ", HOST="")
    event = decode(raw, received_at=NOW)
    assert (event.bantime_seconds, event.dest) == (None, None)
    assert (event.sender, event.host) == (None, None)


def test_ban_times_may_have_decimals() -> None:
    assert decode(request(BANTIME="600.0"), received_at=NOW).bantime_seconds == 600


def test_captures_are_few_and_short() -> None:
    given_captures = {f"F_K{number:03}": "v" * 5000 for number in range(100)}
    event = decode(request(**given_captures, F_EMPTY=""), received_at=NOW)
    assert sorted(event.captures) == [f"k{number:03}" for number in range(32)]
    assert {len(value) for value in event.captures.values()} == {MAX_VALUE}
