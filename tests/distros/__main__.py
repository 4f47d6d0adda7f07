"""Go the whole way on a fresh Debian 12 and 13: `make e2e-distros`. Needs root."""

from __future__ import annotations

import sys
import time

from tests.distros.journey import whole_way
from tests.distros.machine import Machine
from tests.distros.trees import PYTHONS, tree, wheels


def main() -> None:
    """Take the suites that are named, or all."""
    for suite in sys.argv[1:] or PYTHONS:
        begun = time.monotonic()

        def told(step: str, suite: str = suite, begun: float = begun) -> None:
            sys.stdout.write(f"{suite:<10}{time.monotonic() - begun:6.1f} s  {step}\n")
            sys.stdout.flush()

        lower, bundle = tree(suite), wheels(suite)
        told("the tree and the wheels are there")
        with Machine(lower, wheels=bundle) as machine:
            told(machine.run("fail2ban-client", "-V").strip())
            whole_way(machine, told)


if __name__ == "__main__":
    main()
