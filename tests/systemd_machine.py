"""A real systemd on a copy of this machine's files, where units can be tried.

    with booted(folder) as machine:
        machine.run("systemctl", "start", "f2b-enrich.service")

It has its own processes, mounts, network and names. What it writes lies in memory above
the files of this machine, which stay as they are, and is gone at its end. It holds the
units and the program as an installation lays them out, unless it shall be bare.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.lab import PROJECT, until

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGING = PROJECT / "packaging"

_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""Tests that are killed leave no machine behind."""

_OUTER = r"""
set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1/cgroup" "$1/above" "$1/work" "$1/root"
mount -t cgroup2 cgroup2 "$1/cgroup"
group=$1/cgroup/f2b-enrich-tests-$$
mkdir "$group"
here=$(sed -n 's/^0:://p' /proc/self/cgroup)
echo 0 >"$group/cgroup.procs"
setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child \
    --cgroup --uts --ipc --net sh -c "$2" boot "$1" "$3" "$4" "$5" || :
echo 0 >"$1/cgroup$here/cgroup.procs"
find "$group" -depth -type d -exec rmdir {} +
"""

_INNER = r"""
set -eu
root=$1/root
mount -t overlay -o "lowerdir=/,upperdir=$1/above,workdir=$1/work" overlay "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in null zero full random urandom tty; do
    : >"$root/dev/$name"
    mount --bind "/dev/$name" "$root/dev/$name"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs tmpfs "$root/dev/shm"

# Nothing that this machine would start at its own boot.
rm -rf "$root/etc/systemd/system" "$root/etc/fstab" "$root/etc/tmpfiles.d"
mkdir -p "$root/etc/systemd/system"
: >"$root/etc/fstab"
printf '%s\n' '[Unit]' 'AllowIsolate=yes' \
    'Requires=systemd-journald.service systemd-journald-dev-log.socket' \
    'Requires=systemd-tmpfiles-setup.service' >"$root/etc/systemd/system/lab.target"

# Nor what an installation lays out, but for the tests of the units.
rm -rf "$root/opt/f2b-enrich" "$root/usr/local/lib/f2b-enrich" "$root/etc/f2b-enrich"
[ -z "$4" ] || {
cp "$2"/packaging/systemd/* "$root/etc/systemd/system"
cp "$2"/packaging/tmpfiles.d/* "$root/usr/lib/tmpfiles.d"
mkdir -p "$root/usr/local/lib/f2b-enrich" "$root/opt"
cp "$2/f2b_enrich/client.py" "$2/f2b_enrich/handover.py" \
    "$2/packaging/f2b-enrich-failed" "$root/usr/local/lib/f2b-enrich"
cp "$2/packaging/f2b-enrich" "$root/usr/local/bin"
/usr/bin/python3 -m venv --without-pip "$root/opt/f2b-enrich"
packages=$(echo "$root"/opt/f2b-enrich/lib/python3.*/site-packages)
mkdir "$1/packages" "$1/packages-work" "$1/packages/f2b_enrich"
mount -t overlay overlay "$packages" \
    -o "lowerdir=$3,upperdir=$1/packages,workdir=$1/packages-work"
mount --bind "$2/f2b_enrich" "$packages/f2b_enrich"
printf '%s\n' '#!/opt/f2b-enrich/bin/python3' 'import sys' \
    'from f2b_enrich.cli.main import main' \
    'if __name__ == "__main__":' '    sys.exit(main())' \
    >"$root/opt/f2b-enrich/bin/f2b-enrich"
chmod 755 "$root/opt/f2b-enrich/bin/f2b-enrich"
}

mkdir "$root/former"
cd "$root"
pivot_root . former
umount -l /former
mount --make-rshared /  # as at a boot: credentials arrive by propagation
[ -z "$4" ] || {
useradd --system --user-group --home-dir /var/lib/f2b-enrich --no-create-home \
    --shell /usr/sbin/nologin f2b-enrich
install -d -o root -g f2b-enrich -m 750 /etc/f2b-enrich
install -d -o f2b-enrich -g f2b-enrich -m 750 /var/lib/f2b-enrich
install -d -o f2b-enrich -g f2b-enrich -m 755 /var/lib/f2b-enrich/geo
install -d -o root -g f2b-enrich -m 2770 /var/spool/f2b-enrich
}
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --unit=lab.target --log-target=journal --show-status=no
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """What runs under that systemd, seen from outside; `init` is its process there."""

    init: int

    def words(self, *words: str) -> list[str]:
        """Write a command that runs inside."""
        spaces = ("--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup")
        into = ("nsenter", f"--target={self.init}", *spaces, "--root", "--wd")
        return [*into, "--", *words]

    def run(self, *words: str, check: bool = True, typed: str = "") -> str:
        """Run a command inside with this input; give all that it printed."""
        done = subprocess.run(
            self.words(*words),
            input=typed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{words}: {done.returncode}: {done.stdout}")
        return done.stdout

    def write(self, path: str, text: str, *, mode: str = "644") -> None:
        """Write a file inside, with the folders that it needs."""
        self.run("rm", "-f", path)  # not through a link
        self.run("install", "-D", "-m", mode, "/dev/stdin", path, typed=text)

    def show(self, unit: str, name: str) -> str:
        """Read a property of a unit."""
        return self.run("systemctl", "show", "--value", "-P", name, unit).strip()

    def journal(self, unit: str) -> str:
        """Read what a unit said."""
        return self.run("journalctl", "--no-pager", "--quiet", "-o", "cat", "-u", unit)


@contextlib.contextmanager
def booted(folder: Path, *, laid_out: bool = True) -> Iterator[Machine]:
    """Boot, and end everything at the end; skip where this cannot be done.

    Without `laid_out` there is nothing of ours in it, as before an installation.
    """
    if os.geteuid() != 0 or not Path("/lib/systemd/systemd").exists():
        pytest.skip("only root can boot a systemd of its own, with Debian's systemd")
    if not all(map(shutil.which, ("unshare", "nsenter", "setpriv"))):
        pytest.skip("needs unshare, nsenter and setpriv")
    log = folder / "console"
    scratch = folder / "machine"
    scratch.mkdir()
    packages = sysconfig.get_path("purelib")
    ours = "yes" if laid_out else ""
    arguments = (str(scratch), _INNER, str(PROJECT), packages, ours)
    with (
        log.open("wb") as console,
        subprocess.Popen(
            (*_WITH_US, "unshare", "--mount", "sh", "-c", _OUTER, "outer", *arguments),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
        ) as outer,
    ):
        try:
            machine = _wait_for_boot(outer)
            if machine is None:
                pytest.skip(f"NOT tested: no systemd here: {log.read_text()[-500:]}")
            yield machine
        finally:
            _end(outer)


def _wait_for_boot(outer: subprocess.Popen[bytes]) -> Machine | None:
    def is_up() -> bool:
        if outer.poll() is not None:
            return True
        machine = _machine(outer)
        asked = ("systemctl", "is-active", "lab.target")
        return machine is not None and machine.run(*asked, check=False) == "active\n"

    came = until(is_up, seconds=60)
    return _machine(outer) if came and outer.poll() is None else None


def _machine(outer: subprocess.Popen[bytes]) -> Machine | None:
    """Find the first process inside: the child of `unshare`, a child of the shell."""
    for shell_child in _children(outer.pid):
        for init in _children(shell_child):
            with contextlib.suppress(OSError):
                if Path(f"/proc/{init}/comm").read_text() == "systemd\n":
                    return Machine(init)
    return None


def _children(process: int) -> list[int]:
    with contextlib.suppress(OSError):
        file = Path(f"/proc/{process}/task/{process}/children")
        return [int(word) for word in file.read_text().split()]
    return []


def _end(outer: subprocess.Popen[bytes]) -> None:
    """Kill the first process, with which all others end; the shell cleans up."""
    for shell_child in _children(outer.pid):
        for init in _children(shell_child):
            with contextlib.suppress(ProcessLookupError):
                os.kill(init, 9)
    outer.wait(timeout=20)
