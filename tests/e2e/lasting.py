"""A server in a folder that serves the tests of a whole module."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from demo.lab import Lab
from tests.e2e.site import Site
from tests.mmdb import write_lite
from tests.smtp_server import SmtpServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def lasting_site() -> Iterator[Site]:
    """Start all of it; a test must leave it as it was."""
    folder = Path(tempfile.mkdtemp(prefix="f2b-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        smtp = stack.enter_context(SmtpServer())
        lab = stack.enter_context(Lab(folder))
        write_lite(folder / "geo.mmdb")
        site = Site(lab, smtp)
        site.start()
        yield site
