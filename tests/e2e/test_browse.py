"""`browse` in a browser: what is shown, to whom, and that nothing can be changed."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from playwright.sync_api import sync_playwright

from tests.browsing import Reader, Served, serving
from tests.hostile import UNSEEN
from tests.report_events import OCTOBER, ReportStore, Told, figures
from tests.report_october import october

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

IN_OCTOBER = "since=2024-10-01&until=2024-11-01"
HOSTILE = "http://evil.example/<script>alert(1)</script>"
TURNED = "\u202etoor\x1b]0;x"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ReportStore:
    made = ReportStore(tmp_path_factory.mktemp("october") / "bans.db")
    month = october()
    names = (HOSTILE, TURNED, "root")
    several = {told.ip: number for number, told in enumerate(month.told)}
    for number in list(several.values())[:4]:
        month.told[number] = replace(month.told[number], names=names)
    made.add(month.told, month.known)
    return made


@pytest.fixture(scope="module")
def served(store: ReportStore) -> Iterator[Served]:
    with serving(store.path, "--port", "0") as served:
        yield served


@pytest.fixture(scope="module")
def cookies(served: Served) -> Reader:
    reader = Reader(served.root)
    assert reader.get(served.link.removeprefix(served.root)).code == 200
    return reader


@pytest.fixture
def page(store: ReportStore) -> Iterator[Page]:
    """Give a page that has opened the link, in a real browser."""
    program = shutil.which("chromium")
    assert program is not None, "Debian's chromium is not installed"
    with serving(store.path, "--port", "0") as served, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"]
        )
        page = chromium.new_page(base_url=served.root)
        page.goto(served.link)
        yield page
        chromium.close()


def test_pages_open_and_ask_nobody_else(
    page: Page, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = page.url.rstrip("/")
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    album = tmp_path_factory.mktemp("browse")

    for name, path in (
        ("start", "/"),
        ("store", "/bans"),
        ("bans", "/bans/ban_log"),
        ("outbox", "/bans/outbox"),
        ("countries", f"/bans/countries?{IN_OCTOBER}"),
        ("names", "/bans/names?since=&until="),
    ):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        page.wait_for_load_state("networkidle")
        page.screenshot(path=album / f"{name}.png")

    assert [url for url in asked if not url.startswith((f"{root}/", "data:"))] == []
    assert said == []


def test_a_table_is_described(page: Page) -> None:
    page.goto("/bans/ban_log")
    text = page.inner_text("body")

    assert "One row a ban; what people query." in text
    assert "198.18.62.40" in text


def test_what_attackers_wrote_is_text(page: Page) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"it ran: {dialog.message}"))
    page.goto("/bans/names?since=&until=")
    assert HOSTILE in page.inner_text("body")
    page.goto("/bans/observed")
    assert HOSTILE in page.inner_text("body")

    links = page.eval_on_selector_all("a[href]", "all => all.map(one => one.href)")
    assert [url for url in links if url.startswith("http://evil")] == []


@pytest.mark.parametrize(
    "path",
    [
        "/bans/observed",
        "/bans/observed?_facet=value",
        f"/bans/observed?value={quote(TURNED)}",
        "/bans/names?since=&until=",
        f"/bans/names?since={quote(TURNED)}&until=",
        f"/bans?sql=select+value+from+observed+where+value+=+'{quote(TURNED)}'",
    ],
)
def test_no_page_turns_its_direction(path: str, cookies: Reader) -> None:
    text = cookies.get(path).text

    assert "toor" in text
    assert UNSEEN.search(text.replace("\n", "")) is None


def test_questions_give_the_figures_of_the_report(
    cookies: Reader, store: ReportStore
) -> None:
    def rows(name: str) -> list[dict[str, Any]]:
        path = f"/bans/{name}.json?{IN_OCTOBER}&_shape=array"
        found: list[dict[str, Any]] = json.loads(cookies.get(path).text)
        return found

    told = figures(store)
    countries = {
        row["country_code"]: (row["addresses"], row["bans"])
        for row in rows("countries")
    }
    for share in told.everything.countries.shares:
        assert countries[share.key] == (share.addresses, share.bans)
    assert {
        row["service"]: (row["addresses"], row["bans"]) for row in rows("services")
    } == {
        scope.service: (scope.measure.addresses, scope.measure.bans)
        for scope in told.services
    }
    assert {row["day"]: row["bans"] for row in rows("by_day")} == {
        f"{day.day}": day.bans for day in told.times.days if day.bans
    }
    assert sum(row["bans"] for row in rows("by_hour")) == told.totals.measure.bans
    worst = told.addresses.offenders[0]
    assert (rows("offenders")[0]["ip"], rows("offenders")[0]["bans"]) == (
        worst.ip,
        worst.bans,
    )
    assert {row["name"] for row in rows("names")} == {
        name.name for name in told.names.names
    }
    assert sum(row["bans"] for row in rows("classes")) == told.totals.measure.bans
    whom = rows("who_attacks_whom")
    assert sum(row["bans"] for row in whom) == told.totals.measure.bans
    assert rows("organisations")[0]["addresses"] > 0


@pytest.mark.parametrize(
    "query",
    [
        "delete from bans",
        "insert into hosts values ('x', null, null, '', '')",
        "attach '/etc/passwd' as other",
        "vacuum into '/tmp/copy'",
        "select load_extension('other')",
        "with gone as (select 1) delete from bans",
        "pragma query_only = off",
    ],
)
def test_nothing_can_be_changed(
    query: str, cookies: Reader, store: ReportStore
) -> None:
    before = store.path.read_bytes()
    answer = cookies.ask(query)

    assert answer.get("ok") is False or answer.get("error")
    assert store.path.read_bytes() == before


def test_nothing_is_taken_by_a_form(cookies: Reader, store: ReportStore) -> None:
    before = store.path.read_bytes()

    assert cookies.get("/bans", data=b"sql=delete+from+bans").code == 403
    assert cookies.get("/bans/bans", data=b"sql=delete+from+bans").code == 403
    assert store.path.read_bytes() == before


def test_a_question_has_so_much_time(cookies: Reader) -> None:
    settings = json.loads(cookies.get("/-/settings.json").text)

    assert settings["sql_time_limit_ms"] == 10_000
    assert not settings["allow_download"]


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/bans", "/bans.json", "/bans/ban_log", "/bans/countries"),
        *("/-/versions", "/bans/ban_log.csv", "/-/metadata.json"),
        "/bans.json?sql=select+1",
    ],
)
def test_without_the_link_nobody_sees_anything(served: Served, path: str) -> None:
    answer = Reader(served.root).get(path)

    assert answer.code == 403
    assert "198.18" not in answer.text


def test_the_link_opens_once(served: Served, cookies: Reader) -> None:
    assert cookies.get("/bans").code == 200
    path = served.link.removeprefix(served.root)

    assert Reader(served.root).get(path).code == 403


def test_every_answer_keeps_to_itself(cookies: Reader) -> None:
    headers = cookies.get("/bans").headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"


def test_a_ban_that_comes_meanwhile_is_there(store: ReportStore) -> None:
    with serving(store.path, "--port", "0") as served:
        reader = Reader(served.root)
        reader.get(served.link.removeprefix(served.root))
        query = "select ip from bans where host = 'new1'"
        assert reader.ask(query)["rows"] == []
        store.add([Told(ip="192.0.2.99", at=OCTOBER, host="new1")])

        assert reader.ask(query)["rows"] == [["192.0.2.99"]]
