"""The mails of a ban that was made to try the way leave whatever kept them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.model import OutboxState
from f2b_enrich.store import fates, filling, outbox, trial
from f2b_enrich.store.connection import open_writer
from tests.alert_desk import AlertDesk
from tests.digests import add_digest, fold
from tests.stores import NOW, StoreBuilder, event

if TYPE_CHECKING:
    from pathlib import Path

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return StoreBuilder(tmp_path / "bans.db")


def release(store: StoreBuilder, ban_id: str) -> list[tuple[str, str | None]]:
    with store.writing() as connection:
        kept = trial.release(connection, ban_id, now=LATER)
    return [(mail.state.value, mail.last_error) for mail in kept]


def test_what_was_sorted_out_is_released_and_told_of(store: StoreBuilder) -> None:
    (ban,) = store.record(event())
    store.mail(ban, state=OutboxState.HELD, error="quiet hours")
    store.mail(ban, state=OutboxState.SKIPPED, error="policy none")
    digest = add_digest(store)
    fold(store, [ban], digest)

    assert release(store, ban) == [
        ("held", "quiet hours"),
        ("skipped", "policy none"),
        ("folded", None),
    ]

    with store.reading() as connection:
        found = [fate.alert for fate in fates.of_ban(connection, ban)]
        assert filling.count(connection, digest) == 0
    assert {(row.state, row.released_at, row.due_at) for row in found} == {
        (OutboxState.DUE, LATER, LATER)
    }
    assert {(row.last_error, row.folded_into, row.about) for row in found} == {
        (None, None, None)
    }


@pytest.mark.parametrize("state", ["due", "sending", "sent", "dead"])
def test_what_is_on_its_way_or_was_is_left_alone(
    store: StoreBuilder, state: str
) -> None:
    (ban,) = store.record(event())
    store.mail(ban, state=OutboxState(state))

    assert release(store, ban) == []

    with store.reading() as connection:
        (fate,) = fates.of_ban(connection, ban)
    assert fate.alert.state == state


@pytest.mark.parametrize(
    "alerts", [{"policy": "none"}, {"policy": "digest"}, {"burst": 1}]
)
def test_it_is_sent_and_sorted_no_more(
    store: StoreBuilder, alerts: dict[str, object]
) -> None:
    with open_writer(store.path) as connection:
        desk = AlertDesk(connection, alerts=alerts)
        if "burst" in alerts:
            desk.ban("198.51.100.7")
            desk.sort()
        ban = desk.ban()
        desk.sort_all()
        row = desk.alert(ban)
        assert row.state in {OutboxState.HELD, OutboxState.SKIPPED}

        kept = trial.release(connection, ban, now=desk.clock())
        desk.sort_all()

        assert [mail.last_error for mail in kept] == [row.last_error]
        assert desk.fate(ban) == "released"
        assert row.id in [sent.id for sent in desk.send()]
        found = outbox.row(connection, row.id)
    assert found is not None
    assert found.state is OutboxState.SENT
