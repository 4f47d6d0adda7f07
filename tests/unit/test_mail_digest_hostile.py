"""What attackers wrote is harmless in a digest, a notice and the attached table."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from f2b_enrich.figures import NameCount, Refusal
from f2b_enrich.mail.digest import Answered, Digest, LockOut, Note
from f2b_enrich.mail.digest_csv import COLUMNS, LARGEST, NAME, attachment
from f2b_enrich.mail.digest_sample import a_ban, known
from f2b_enrich.mail.flood import Flood
from f2b_enrich.mail.flood_sample import began, ended
from f2b_enrich.model import Relation
from tests.digest_mail import body, sent, table
from tests.reading import Reader
from tests.unit.test_mail_html import ATTRIBUTES, TAGS, hostile

KNOWN = known()
[WALK] = KNOWN.campaigns
CLICKABLE = re.compile(r"https?://|www\.\S|[a-z]@[a-z]+\.[a-z]", re.IGNORECASE)
TYPED = re.compile(r"fail2ban-client set .* unbanip .*")
"""Nobody but the administrator names a jail."""


def digest_of(jail: str, names: tuple[str, ...], facts: tuple[str, ...]) -> Digest:
    host, ip, as_name, scanner = facts
    ban = replace(a_ban(1), host=host, ip=ip, jail=jail, as_name=as_name)
    odd = replace(ban, asn=None, country_code=names[0], attack=names[1])
    figures = KNOWN.figures
    source = replace(
        figures.sources[0],
        name=ip,
        jails=(jail, names[2]),
        as_name=as_name,
        country_code=names[0],
    )
    service = replace(figures.services[0], service=names[1], most_hit=host)
    network = replace(figures.networks[0], as_name=as_name, scanner=scanner)
    return replace(
        KNOWN,
        figures=replace(
            figures,
            hosts=(host,),
            repeats=(NameCount(name=names[2], count=1),),
            services=(service,),
            sources=(source,),
            networks=(network,),
            names=tuple(NameCount(name=name, count=2) for name in names),
            refused=(Refusal(recipient=names[0], mails=1, reason=names[1]),),
        ),
        bans=(ban, odd) * 30,
        campaigns=(replace(WALK, who=ip, first_name=names[0], last_name=names[2]),),
        lock_outs=(
            LockOut(
                ban=ban, relation=Relation(kind="own", name=names[0], why=names[1])
            ),
        ),
        answered=(Answered(host=host, jail=jail, ip=ip, cves=names, requests=2),),
        notes=(Note(host=host, words=names, command=names[0]),),
    )


def flood_of(jail: str, facts: tuple[str, ...]) -> Flood:
    rush = began().rush
    _, _, as_name, scanner = facts
    network = replace(rush.networks[0], as_name=as_name, scanner=scanner)
    return replace(
        ended(),
        rush=replace(rush, jails=(NameCount(name=jail, count=1),), networks=(network,)),
    )


def check(told: Digest | Flood) -> None:
    """See that nothing works in the mail that was not meant to."""
    message = sent(told)
    assert "Bcc" not in message
    for value in message.values():
        assert str(value).strip()
        assert str(value).isprintable()
    reader = Reader()
    reader.feed(body(message, "html"))
    reader.close()
    assert set(reader.tags) <= {*TAGS, "h3", "ol"}
    assert {name for name, _ in reader.attributes} <= {*ATTRIBUTES, "colspan"} - {
        "href"
    }
    assert not reader.others
    for shown in ("".join(reader.text), body(message, "plain")):
        assert all(char.isprintable() or char == "\n" for char in shown)
        assert not CLICKABLE.search(TYPED.sub("", shown))


@settings(max_examples=60, deadline=None)
@given(
    jail=hostile,
    names=st.tuples(hostile, hostile, hostile),
    facts=st.tuples(hostile, hostile, hostile, hostile),
)
@example(jail="<", names=("<",) * 3, facts=("<",) * 4)
@example(jail="=1+1", names=("=1+1",) * 3, facts=("@SUM(A1)",) * 4)
def test_no_value_becomes_markup_a_header_or_a_formula(
    jail: str, names: tuple[str, str, str], facts: tuple[str, str, str, str]
) -> None:
    digest = digest_of(jail, names, facts)

    check(digest)
    check(flood_of(jail, facts))
    rows = table(sent(digest))
    assert [row["id"] for row in rows] == [ban.id for ban in digest.bans]
    for row in rows:
        assert list(row) == list(COLUMNS)
        for name in ("host", "jail", "ip", "as_name", "country_code", "attack"):
            assert row[name].isprintable()
            assert len(row[name]) <= 200
            assert not re.match(r"[\s\u2400-\u2426\ufffd]*[=+@\uff1d-]", row[name])


def test_a_table_is_plain_and_the_same_at_every_attempt() -> None:
    file = attachment([a_ban(7)])

    assert file.name == NAME
    assert file.content == (
        "banned_at,received_at,host,jail,service,ip,country_code,asn,as_name,failures,"
        "bantime_seconds,attack,is_repeat,id\n"
        "2026-11-20T12:00:00Z,2026-11-20T12:00:00Z,web1.example.org,sshd,ssh,"
        "198.51.100.7,NL,64500,Example Hosting,5,600,ssh-password-guessing,0,"
        f"{a_ban(7).id}\n"
    )


def test_what_is_not_known_is_an_empty_cell() -> None:
    ban = replace(a_ban(7), asn=None, as_name=None, bantime_seconds=None, attack=None)

    content = attachment([ban]).content
    assert isinstance(content, str)
    assert ",NL,,,5,,,0," in content


def test_a_large_table_is_packed_and_no_mail_server_is_in_its_way() -> None:
    bans = tuple(a_ban(number % 25_000) for number in range(50_000))
    digest = replace(KNOWN, bans=bans)

    file = attachment(bans)
    message = sent(digest)

    assert file == attachment(bans)
    assert file.name == "bans.csv.gz"
    assert isinstance(file.content, bytes)
    assert len(message.as_bytes()) < 5_000_000  # Postfix takes 10,240,000
    rows = table(message)
    assert len(rows) == 50_000
    assert [row["id"] for row in rows] == [ban.id for ban in bans]
    assert LARGEST < 50_000 * 100


@pytest.mark.parametrize("host", ["", "web1.example.org"])
def test_a_secret_is_nowhere(host: str) -> None:
    ban = replace(a_ban(1), ip="https://anna:pw123@192.0.2.1/?token=abc", host=host)
    digest = replace(
        KNOWN, bans=(ban,) * 51, lock_outs=(), late_after=timedelta(seconds=1)
    )

    assert b"pw123" not in sent(digest).as_bytes()
    assert "pw123" not in str(table(sent(digest)))
