"""A server in a folder: real fail2ban, client and daemon, and a mail server."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.lab import Lab
from tests.e2e.site import Site
from tests.mmdb import write_lite
from tests.smtp_server import SmtpServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def site() -> Iterator[Site]:
    # Not tmp_path: the path of a Unix socket has 107 bytes at most.
    folder = Path(tempfile.mkdtemp(prefix="f2b-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        smtp = stack.enter_context(SmtpServer())
        lab = stack.enter_context(Lab(folder))
        write_lite(folder / "geo.mmdb")
        yield Site(lab, smtp)
