"""Templates of one's own: used when they work, and no alert is lost when not."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import structlog

from f2b_enrich.mail.compose import Composer
from f2b_enrich.mail.rendering import HTML, TEXT
from f2b_enrich.mail.sample import check_templates, known

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path

BROKEN = {
    "syntax": "line one\n{% if %}",
    "no such name": "{{ nonsense }}",
    "only if known": "{{ history[0][0] }}{{ hostname.upper() }}",
    "not allowed": "{{ ip.__class__.__mro__ }}",
    "changes a value": "{% set x = [] %}{{ x.append(1) }}",
    "divides by zero": "{{ 1 // 0 }}",
    "not text": b"\xff\xfe",
    "includes nothing": "{% include 'nowhere' %}",
    "loops for ever": "{% for x in range(9999) %}{% for y in range(9999) %}"
    "{% endfor %}{% endfor %}",
    "one long loop": "{% for x in range(99999) %}{% endfor %}",
    "loops over what has no number": "{% for x in range(99) | batch(1) %}"
    "{% for y in range(999) | select %}{% endfor %}{% endfor %}",
    "macros without end": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}"
    "{% endif %}{% endmacro %}{{ m(40) }}",
    "too much text": "{{ 'x' * 300000000 }}",
    "as much, turned round": "{{ 300000000 * 'x' }}",
    "a number without end": "{{ 9 ** 999999999 }}",
    "powers of powers": "{{ ((9 ** 8) ** 8) ** 8 }}",
    "slices without end": "{{ 'a' | slice(100000000) | list | length }}",
    "batches": "{{ 'a' | batch(100000000, 'x') | list }}",
    "a wide format": "{{ '%99999999d' % 1 }}",
    "a wide filter": "{{ 'a' | center(200000000) }}",
    "a wide method": "{{ 'a'.ljust(200000000) }}",
    "bytes": "{{ (1).to_bytes(300000000, 'big') }}",
    "text by the page": "{{ lipsum(n=19000) }}",
    "twice as long, again and again": "{% set ns = namespace(x='ab') %}"
    "{% for i in range(27) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "so with a plus": "{% set ns = namespace(x='ab') %}"
    "{% for i in range(27) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "so with a filter": "{% set ns = namespace(x='ab') %}{% for i in range(27) %}"
    "{% set ns.x = [ns.x, ns.x] | join %}{% endfor %}",
    "so with replace": "{% set ns = namespace(x='aa') %}{% for i in range(9) %}"
    "{% set ns.x = ns.x | replace('a', ns.x) %}{% endfor %}",
    "filters over many values": "{% for i in range(4000) %}"
    "{{ range(4000) | sum }}{% endfor %}",
}


def composed(folder: Path | None) -> EmailMessage:
    alert = known()
    return Composer(folder).compose(alert, now=alert.ban.banned_at, form="both")


def body(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    content = found.get_content()
    assert isinstance(content, str)
    return content


def test_an_own_template_is_used_beside_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / TEXT).write_text("{{ ip }} in {{ place }} by {{ jail }}\n")

    message = composed(tmp_path)

    assert body(message, "plain") == (
        "192.0.2.7 in Amsterdam, North Holland, Netherlands by sshd\n"
    )
    assert body(message, "html") == body(composed(None), "html")


def test_a_folder_that_is_not_there_changes_nothing(tmp_path: Path) -> None:
    message = composed(tmp_path / "nowhere")

    assert body(message, "plain") == body(composed(None), "plain")
    assert check_templates(tmp_path / "nowhere") == ()


@pytest.mark.parametrize("template", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize(("name", "kind"), [(TEXT, "plain"), (HTML, "html")])
def test_a_broken_template_is_told_and_the_shipped_one_used(
    tmp_path: Path, template: str | bytes, name: str, kind: str
) -> None:
    raw = template.encode() if isinstance(template, str) else template
    (tmp_path / name).write_bytes(raw)
    problems = check_templates(tmp_path)

    with structlog.testing.capture_logs() as logged:
        message = composed(tmp_path)

    assert 1 <= len(problems) <= 2
    for problem in problems:
        assert problem.startswith(f"{tmp_path / name}: ")
        assert problem.isprintable()
    if template == BROKEN["only if known"]:  # fails for the other sample alone
        assert logged == []
        return
    assert body(message, kind) == body(composed(None), kind)
    assert [(one["event"], one["template"]) for one in logged] == [
        ("own template not used", name)
    ]


def test_a_problem_names_its_line(tmp_path: Path) -> None:
    (tmp_path / TEXT).write_text("line one\n{% if %}")

    (problem,) = check_templates(tmp_path)

    assert problem.startswith(f"{tmp_path / TEXT}: line 2: ")


def test_a_value_is_harmless_in_an_own_template_too(tmp_path: Path) -> None:
    (tmp_path / HTML).write_text("{{ ('<b>http://' ~ ip) | safe }}")

    assert body(composed(tmp_path), "html").strip() == (
        "&lt;b&gt;hxxp://192[.]0[.]2[.]7"
    )


def test_what_an_own_template_includes_is_escaped_too(tmp_path: Path) -> None:
    (tmp_path / HTML).write_text("{% include 'lines.html' %}{% include 'lines' %}")
    for name in ("lines.html", "lines"):
        (tmp_path / name).write_text("{{ '<script>' }}")

    assert "<script" not in body(composed(tmp_path), "html")


def test_a_template_that_includes_itself_comes_to_an_end(tmp_path: Path) -> None:
    (tmp_path / TEXT).write_text(f"{{% include '{TEXT}' %}}" * 2)

    (problem,) = check_templates(tmp_path)

    assert "more than 5,000 times" in problem or "RecursionError" in problem


@pytest.mark.parametrize(("name", "kind"), [(TEXT, "plain"), (HTML, "html")])
def test_a_filter_brings_no_control_character_in(
    tmp_path: Path, name: str, kind: str
) -> None:
    (tmp_path / name).write_text("{% filter replace('a', ip) %}abc{% endfilter %}\n")
    alert = known()
    alert = replace(alert, ban=replace(alert.ban, ip="\x1b[31m\r\u202e"))

    message = Composer(tmp_path).compose(alert, now=alert.ban.banned_at, form="both")

    assert body(message, kind) == "\u241b[31m\u240d\ufffdbc\n"


def test_a_filter_brings_no_markup_in(tmp_path: Path) -> None:
    (tmp_path / HTML).write_text(
        "{% filter replace('a', ip) %}<p>a</p>{% endfilter %}{{ 'a'|replace('a', ip) }}"
    )
    alert = known()
    alert = replace(alert, ban=replace(alert.ban, ip="<script>"))

    message = Composer(tmp_path).compose(alert, now=alert.ban.banned_at, form="both")

    assert "<script" not in body(message, "html")


@pytest.mark.parametrize("kind", ["fifo", "folder"])
def test_what_is_no_file_is_told(tmp_path: Path, kind: str) -> None:
    path = tmp_path / TEXT
    if kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()

    assert check_templates(tmp_path) == (f"{path}: is not a file",)
    with structlog.testing.capture_logs() as logged:
        message = composed(tmp_path)
    assert body(message, "plain") == body(composed(None), "plain")
    assert logged[0]["reason"] == "is not a file"


def test_a_template_in_a_loop_of_links_is_told(tmp_path: Path) -> None:
    (tmp_path / TEXT).symlink_to(TEXT)

    with structlog.testing.capture_logs() as logged:
        composed(tmp_path)

    assert logged[0]["reason"].startswith("cannot be read: Too many levels")


def test_a_number_of_rounds_is_for_one_mail(tmp_path: Path) -> None:
    (tmp_path / TEXT).write_text("{% for x in range(4000) %}{% endfor %}done\n")
    composer, alert = Composer(tmp_path), known()

    for _ in range(4):
        mail = composer.compose(alert, now=alert.ban.banned_at)
        assert mail.get_content() == "done\n"


def test_a_folder_whose_files_nobody_reads_is_told(tmp_path: Path) -> None:
    (tmp_path / "alert.html").write_text("{{ ip }}")

    assert check_templates(tmp_path) == (
        f"{tmp_path}: holds none of alert.txt.jinja, alert.html.jinja, "
        "digest.txt.jinja, digest.html.jinja, flood.txt.jinja, flood.html.jinja, "
        "so nothing of it is used",
    )


def test_a_template_is_read_again_when_it_was_changed(tmp_path: Path) -> None:
    (tmp_path / TEXT).write_text("{% if %}")
    composer, alert = Composer(tmp_path), known()
    with structlog.testing.capture_logs():
        composer.compose(alert, now=alert.ban.banned_at)
    (tmp_path / TEXT).write_text("mended\n")

    mail = composer.compose(alert, now=alert.ban.banned_at)

    assert mail.get_content() == "mended\n"
