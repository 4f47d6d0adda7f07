"""Records in any order and number become the bans that they tell of."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.joining.joining import join
from f2b_enrich.joining.sightings import (
    NEVER,
    Decision,
    Joined,
    Sighting,
    id_of,
    in_order,
    planned_end,
)
from f2b_enrich.model import ban_id
from tests.histories import ORIGINS, Manner, TrueBan, history

if TYPE_CHECKING:
    from f2b_enrich.joining.sightings import Kind, Origin, Precision

BEGIN = 1_700_000_000

times = st.integers(0, 4000).map(lambda at: BEGIN + at * 7 % 1500 + at // 1500)
jails = st.sampled_from(["sshd", "postfix"])


def sightings_of(
    kind: str, precision: str, origin: str, **others: st.SearchStrategy[object]
) -> st.SearchStrategy[Sighting]:
    fixed = {"kind": kind, "precision": precision, "origin": origin}
    return st.builds(
        Sighting,
        **{name: st.just(value) for name, value in fixed.items()},
        at=times,
        **({"jail": jails} | others),
    )


ends = st.none() | times | st.just(NEVER)
nameless = st.none() | jails
names = st.none() | st.sampled_from(["<a@web1.example>", "<b@web1.example>"])
sightings = st.one_of(
    sightings_of("ban", "failure", "live", ends_at=ends),
    sightings_of("ban", "failure", "fail2ban-db", ends_at=ends),
    sightings_of("unban", "logged", "live", failed_at=times),
    sightings_of("prolong", "logged", "live", failed_at=times, ends_at=ends),
    sightings_of("ban", "logged", "log"),
    sightings_of("again", "logged", "log"),
    sightings_of("unban", "logged", "log"),
    sightings_of("prolong", "logged", "log", ends_at=ends),
    sightings_of("ban", "mailed", "mail", jail=nameless, message_id=names),
    sightings_of("ban", "mailed", "bounce", jail=nameless, message_id=names),
    sightings_of("ban", "bounced", "bounce", jail=nameless, message_id=names),
)
histories = st.builds(
    lambda seed, lost, kept, old: history(
        Random(seed), Manner(lost=lost, kept=tuple(kept), old_logs=old, stops=0.2)
    ),
    st.integers(0, 1 << 32),
    st.sampled_from([0, 0.1, 0.4]),
    st.lists(st.sampled_from(ORIGINS), min_size=1, unique=True),
    st.sampled_from([0, 0.2]),
)


def told_by(bans: list[TrueBan]) -> list[Sighting]:
    return [each for ban in bans for each in sorted(ban.sightings, key=repr)]


def all_of(decision: Decision) -> Counter[Sighting]:
    found = Counter(each for ban in decision.bans for each in ban.sightings)
    found.update(decision.loose)
    return found


def failures_of(ban: Joined) -> set[tuple[str | None, int]]:
    return {
        (each.jail, each.at) for each in ban.sightings if each.precision == "failure"
    }


@given(st.lists(sightings, max_size=20), st.randoms(use_true_random=False))
def test_neither_the_order_nor_a_repetition_changes_anything(
    told: list[Sighting], random: Random
) -> None:
    again = told + random.sample(told, len(told) // 2)
    random.shuffle(again)

    assert join(told) == join(again)


@pytest.mark.parametrize(
    "nearly_none",
    [
        {"jail": ""},
        {"ends_at": -1},
        {"message_id": ""},
        {"failed_at": -1},
        {"alert_of": ""},
    ],
)
def test_what_is_nearly_none_has_its_place_in_the_order(
    nearly_none: dict[str, Any],
) -> None:
    """Else it is that of a set, which is another one in each process."""
    none = Sighting("ban", "failure", "live", BEGIN, None)

    assert in_order(none._replace(**nearly_none)) > in_order(none)


@given(st.lists(sightings, max_size=20))
def test_every_record_is_in_one_place(told: list[Sighting]) -> None:
    assert all_of(join(told)) == Counter(set(told))


@given(st.lists(sightings, max_size=20))
def test_failure_times_are_one_ban_exactly_if_jail_and_time_agree(
    told: list[Sighting],
) -> None:
    found = Counter(each for ban in join(told).bans for each in failures_of(ban))

    assert found == Counter(
        {(each.jail, each.at) for each in told if each.precision == "failure"}
    )
    assert all(len(failures_of(ban)) <= 1 for ban in join(told).bans)


@given(st.lists(sightings, max_size=20))
def test_a_jail_that_is_named_is_that_of_the_ban(told: list[Sighting]) -> None:
    for ban in join(told).bans:
        named = {each.jail for each in ban.sightings if each.jail is not None}

        assert named <= {ban.jail}


@given(st.lists(sightings, max_size=20))
def test_unbans_and_longer_bans_alone_are_no_bans(told: list[Sighting]) -> None:
    for ban in join(told).bans:
        assert ban.best.kind in ("ban", "again")
        assert ban.at == ban.best.at


@given(histories)
def test_no_two_true_bans_with_failure_times_are_made_one(bans: list[TrueBan]) -> None:
    truth = {
        (ban.jail, round(ban.failed_at))
        for ban in bans
        if any(each.precision == "failure" for each in ban.sightings)
    }
    found = [failures_of(ban) for ban in join(told_by(bans)).bans]

    assert sorted(each for ban in found for each in ban) == sorted(truth)
    assert all(len(each) <= 1 for each in found)


def measured(manner: Manner, seeds: int = 200) -> tuple[float, float]:
    """Give how many bans are found for each true one, and how many are quite right."""
    true = found = right = 0
    for seed in range(seeds):
        bans = history(Random(seed), manner)
        owner = {
            each: number
            for number, ban in enumerate(bans)
            for each in ban.sightings
            if each.kind in ("ban", "again")
        }
        joined = join(told_by(bans)).bans
        parts = [{owner[e] for e in ban.sightings if e in owner} for ban in joined]
        times = Counter(number for part in parts for number in part)
        true += len(set(owner.values()))
        found += len(joined)
        right += sum(len(part) == 1 and times[min(part)] == 1 for part in parts)
    return found / true, right / true


@pytest.mark.parametrize(
    ("kept", "lost", "counted", "right"),
    [
        (("log",), 0, 0, 1),
        (("live", "log"), 0, 0.002, 0.996),
        (("fail2ban-db", "log"), 0, 0.002, 0.996),
        (("log", "mail"), 0, 0.002, 0.99),
        (("live", "mail"), 0, 0.005, 0.985),
        (ORIGINS, 0, 0.002, 0.87),
        (("fail2ban-db", "log"), 0.1, 0.01, 0.97),
        (("log", "mail"), 0.1, 0.03, 0.95),
        (ORIGINS, 0.1, 0.02, 0.86),
        (ORIGINS, 0.3, 0.03, 0.85),
    ],
)
def test_bans_are_told_apart_as_well_as_measured(
    kept: tuple[str, ...], lost: float, counted: float, right: float
) -> None:
    ratio, share = measured(Manner(kept=kept, lost=lost))  # type: ignore[arg-type]

    assert abs(ratio - 1) <= counted
    assert share >= right


def at(
    seconds: int,
    what: str,
    jail: str | None = "sshd",
    *,
    ends: int | None = None,
    message_id: str | None = None,
) -> Sighting:
    """Give a record in short: what it is, so many seconds after the beginning."""
    kind, precision, origin = {
        "failure": ("ban", "failure", "fail2ban-db"),
        "live": ("ban", "failure", "live"),
        "line": ("ban", "logged", "log"),
        "restore": ("again", "logged", "log"),
        "unban": ("unban", "logged", "log"),
        "prolong": ("prolong", "logged", "log"),
        "mail": ("ban", "mailed", "mail"),
        "bounce": ("ban", "bounced", "bounce"),
    }[what]
    return Sighting(
        kind=kind,  # type: ignore[arg-type]
        precision=precision,  # type: ignore[arg-type]
        origin=origin,  # type: ignore[arg-type]
        at=BEGIN + seconds,
        jail=jail,
        ends_at=None if ends is None else BEGIN + ends,
        message_id=message_id,
    )


ONE = {
    "the log's second before the rounded one of the failure": [
        at(1, "failure", ends=601),
        at(0, "line"),
    ],
    "old logs read anew": [at(0, "failure", ends=9000), at(8000, "line")],
    "a restart": [at(0, "line"), at(50, "unban"), at(55, "restore"), at(600, "unban")],
    "a restart whose ban was logged before": [
        at(0, "failure", ends=600),
        at(55, "restore"),
    ],
    "one line in two logs": [at(0, "line"), at(1, "line")],
    "lifted in its second": [at(0, "failure"), at(0, "line"), at(0, "unban")],
    "prolonged before it was logged": [
        at(0, "prolong", ends=900),
        at(1, "line"),
    ],
    "two mails at once": [at(0, "mail"), at(20, "mail")],
    "a mail without a jail": [at(0, "line"), at(3, "mail", None)],
    "a mail of a ban that has just ended": [
        at(0, "line"),
        at(60, "unban"),
        at(100, "mail"),
    ],
    "a mail and its returned copy": [
        at(0, "mail", message_id="<a@web1.example>"),
        at(90_000, "bounce", message_id="<a@web1.example>"),
    ],
    "a bounce of days later": [at(0, "line"), at(60, "unban"), at(300_000, "bounce")],
    "two bounces of days later": [
        at(0, "mail"),
        at(100_000, "bounce"),
        at(300_000, "bounce"),
    ],
}
TWO = {
    "two jails": [at(0, "line"), at(0, "line", "postfix")],
    "another failure": [at(0, "failure"), at(1, "live")],
    "a line beyond the planned end": [
        at(0, "failure", ends=600),
        at(603, "line"),
    ],
    "another line of the log": [at(0, "failure"), at(0, "line"), at(90, "line")],
    "banned anew by hand": [at(0, "line"), at(0, "unban"), at(0, "failure", "dovecot")],
    "restored after the planned end": [
        at(0, "failure", ends=600),
        at(603, "restore"),
    ],
    "a failure within a ban, and its line behind it": [
        at(0, "failure", ends=600),
        at(0, "line"),
        at(300, "failure", ends=900),
        at(600, "unban"),
        at(602, "line"),
    ],
    "a second mail of a ban that has ended": [
        at(0, "line"),
        at(1, "mail"),
        at(60, "unban"),
        at(100, "mail"),
    ],
    "mails of an hour": [at(0, "mail"), at(3600, "mail")],
    "a mail long after a ban without a known end": [
        at(0, "line"),
        at(86_400 + 121, "mail"),
    ],
    "an id that came back too late": [
        at(0, "mail", message_id="<a@web1.example>"),
        at(12 * 86_400, "bounce", message_id="<a@web1.example>"),
    ],
    "one id in mails of two times": [
        at(0, "mail", message_id="<a@web1.example>"),
        at(600, "mail", message_id="<a@web1.example>"),
    ],
}


@pytest.mark.parametrize("name", ONE)
def test_they_are_one_ban(name: str) -> None:
    assert len(join(ONE[name]).bans) == 1


@pytest.mark.parametrize("name", TWO)
def test_they_are_two_bans(name: str) -> None:
    assert len(join(TWO[name]).bans) == 2


@pytest.mark.parametrize("first", ["line", "failure"])
def test_a_ban_lifted_in_its_second_has_ended(first: str) -> None:
    (ban,) = join([at(0, first), at(0, "line"), at(0, "unban")]).bans

    assert ban.unbanned_at == BEGIN


def test_a_ban_that_follows_another_ones_end_in_a_second_runs() -> None:
    before, after = join([at(-60, "line"), at(0, "unban"), at(0, "line")]).bans

    assert (before.unbanned_at, after.unbanned_at) == (BEGIN, None)


def test_a_restored_ban_ends_when_it_ends_at_last() -> None:
    (ban,) = join(ONE["a restart"]).bans

    assert ban.unbanned_at == BEGIN + 600


def test_a_ban_has_the_best_time_and_the_latest_end() -> None:
    (ban,) = join(
        [
            at(0, "failure", ends=600),
            at(1, "line"),
            at(2, "prolong", ends=1200),
            at(4, "mail", None),
        ]
    ).bans

    assert (ban.at, ban.precision, ban.jail) == (BEGIN, "failure", "sshd")
    assert ban.ends_at == BEGIN + 1200
    assert ban.unbanned_at is None


def test_an_unban_that_names_its_failure_ends_no_other_ban() -> None:
    told = [
        at(0, "live", ends=600),
        at(600, "live", ends=1200),
        Sighting(
            kind="unban",
            precision="logged",
            origin="live",
            at=BEGIN + 605,
            jail="sshd",
            failed_at=BEGIN,
        ),
    ]

    first, second = join(told).bans

    assert (first.unbanned_at, second.unbanned_at) == (BEGIN + 605, None)


def test_an_end_of_a_ban_that_nobody_told_of_is_kept() -> None:
    unban, late = at(0, "unban"), at(900, "unban")

    assert join([unban]) == Decision(bans=(), loose=(unban,))
    assert join([at(10, "line"), at(20, "unban"), unban, late]).loose == (unban, late)


def test_an_exact_record_is_named_as_a_live_report_names_it() -> None:
    failed, logged = at(0, "failure"), at(0, "line")
    expected = ban_id("web1", "sshd", "192.0.2.7", float(BEGIN))

    assert id_of(failed, "web1", "192.0.2.7") == expected
    assert id_of(logged, "web1", "192.0.2.7") != expected


@pytest.mark.parametrize(
    ("bantime", "end"), [(600, 600), (-1, NEVER), (-2, None), (None, None)]
)
def test_a_planned_end(bantime: int | None, end: int | None) -> None:
    assert planned_end(0, bantime) == end


@pytest.mark.parametrize("what", ["live", "line", "mail", "bounce", "restore"])
def test_many_records_of_one_address_are_joined_in_the_end(what: str) -> None:
    """An attacker makes as many as he likes, of jails that he names in a mail."""
    many = range(0, 2_000 * 40, 40)
    others = [at(2_000 * 40 + number, "line") for number in many]
    forged = [at(number, "mail", f"jail{number % 999}") for number in many]

    joined = join([*(at(number, what) for number in many), *others, *forged])

    assert len(joined.bans) > 2_000
    named = [at(number, "bounce", None) for number in many]
    assert len(join([*named, *forged]).bans) > 999


@pytest.mark.parametrize(
    ("kind", "precision", "origin", "message_id", "named"),
    [
        ("ban", "failure", "live", None, "304dbcbe-6a46-5b25-b7c2-be0ac5cbcc4a"),
        ("ban", "failure", "fail2ban-db", None, "304dbcbe-6a46-5b25-b7c2-be0ac5cbcc4a"),
        ("ban", "logged", "log", None, "08a5b7d5-9a89-5ac1-bf7a-cef27163b1f3"),
        ("again", "logged", "log", None, "a3df82e8-ff80-5b70-9213-512ffadcaf65"),
        (
            *("ban", "mailed", "mail", "<1@web1.example.org>"),
            "44dde78d-8ee6-5225-9708-5b79f8ddfef3",
        ),
    ],
)
def test_ids_are_those_of_the_documented_vectors(
    kind: Kind, precision: Precision, origin: Origin, message_id: str | None, named: str
) -> None:
    """docs/reference/identity.md: a contract."""
    sighting = Sighting(
        kind=kind,
        precision=precision,
        origin=origin,
        at=1795288443,
        jail="sshd",
        message_id=message_id,
    )

    assert id_of(sighting, "web1.example.org", "192.0.2.7") == named
