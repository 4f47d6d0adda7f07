"""systemd hands over a line break where there is no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from f2b_enrich.credentials import read_secret

NAME, VARIABLE = "smtp-password", "F2B_ENRICH_SMTP_PASSWORD"


def secret(folder: Path, text: str, *, file: Path | None = None) -> str | None:
    credential = folder / NAME
    credential.write_text(text)
    credential.chmod(0o400)
    environ = {"CREDENTIALS_DIRECTORY": str(folder), VARIABLE: "of the environment"}
    found = read_secret(NAME, file, environ)
    return None if found is None else found.get_secret_value()


@pytest.mark.parametrize("text", ["\n", "", " \n"])
def test_the_environment_counts_in_its_place(tmp_path: Path, text: str) -> None:
    assert secret(tmp_path, text) == "of the environment"


def test_a_credential_that_says_something_counts(tmp_path: Path) -> None:
    assert secret(tmp_path, "of systemd\n") == "of systemd"


def test_a_file_that_was_named_is_never_passed_over(tmp_path: Path) -> None:
    named = tmp_path / "named"
    named.touch(mode=0o600)

    assert secret(tmp_path, "of systemd", file=named) is None
