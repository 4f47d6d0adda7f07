"""A throw-away machine: an existing tree, what is changed in it kept in memory.

Its own mounts, processes and network (loopback only), by Linux namespaces; systemd does
not run in it. All of it is gone with the process that holds it. Needs root.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROJECT = Path(__file__).resolve().parents[2]
CHECKOUT = (
    "install.sh",
    "packaging",
    "requirements",
    "f2b_enrich",
    "action.d",
    "jail.d",
    "completions",
    "docs/man",
)
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}
LONGEST_SECONDS = 300

_BOOT = """\
set -eu
ip link set lo up
mount -t tmpfs -o size="$3" machine "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" machine "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mount -t tmpfs tmp "$1/root/tmp"
mount -t tmpfs run "$1/root/run"
mkdir -p "$1/root/mnt"
mount -t tmpfs mnt "$1/root/mnt"
mkdir "$1/root/mnt/src" "$1/root/mnt/wheels"
mount --bind "$4" "$1/root/mnt/src"
mount --bind "$5" "$1/root/mnt/wheels"
echo ready
read -r _ || :
"""

# What changes by itself, belongs to fail2ban, or is how useradd keeps its last state.
_NOT_COMPARED = (
    *("/tmp", "/proc", "/dev", "/mnt", "/run", "/root"),  # noqa: S108 - not ours
    *("/var/log", "/var/cache"),
    *("/var/lib/fail2ban", "/var/run"),
    *("/etc/passwd-", "/etc/shadow-", "/etc/group-", "/etc/gshadow-"),
    *("/etc/subuid-", "/etc/subgid-", "/etc/.pwd.lock"),
)


class Machine:
    """Start one on trees: `with Machine(tree, wheels=folder) as machine`."""

    def __init__(
        self,
        *trees: Path,
        wheels: Path,
        checkout: Path = PROJECT,
        size: str = "1g",
    ) -> None:
        """Name the trees below, first one first; wheels, the checkout, what fits in."""
        self._trees = trees
        self._wheels = wheels
        self._from = checkout
        self._size = size
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            scratch = Path(tempfile.mkdtemp(prefix="f2b-machine-"))
            stack.callback(shutil.rmtree, scratch)
            self.checkout = scratch / "checkout"
            copy_checkout(self._from, self.checkout)
            self._mount = scratch / "mount"
            self._mount.mkdir()
            self._first = self._boot(stack)
            self._stack = stack.pop_all()
        return self

    def _boot(self, stack: ExitStack) -> str:
        lower = ":".join(str(tree) for tree in self._trees)
        places = (self._mount, lower, self._size, self.checkout, self._wheels)
        options = ("--mount", "--pid", "--net", "--fork", "--kill-child")
        script = ("sh", "-c", _BOOT, "boot", *(str(place) for place in places))
        holder = stack.enter_context(
            subprocess.Popen(
                ["unshare", *options, "--propagation", "private", *script],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        )
        stack.callback(holder.kill)
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n", "the machine does not start"
        children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text()
        return children.split()[0]

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def path(self, inside: str) -> Path:
        """Give where a path of the machine is for us."""
        return self._seen(f"{self._mount}/root{inside}")

    def _seen(self, path: str) -> Path:
        return Path(f"/proc/{self._first}/root{path}")

    def write(self, inside: str, text: str, *, mode: int = 0o644) -> None:
        """Write a file, and the folders that it needs."""
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def command(self, *words: str, env: Mapping[str, str] | None = None) -> list[str]:
        """Spell what runs these words in the machine."""
        values = {**ENVIRONMENT, **(env or {})}
        return [
            *("nsenter", "-t", self._first, "-m", "-p", "-n", "--"),
            *("env", "-i", *(f"{name}={value}" for name, value in values.items())),
            *("chroot", f"{self._mount}/root", *words),
        ]

    def run(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        code: int | None = 0,
    ) -> str:
        """Run a command to its end; give what it printed, errors among it."""
        done = subprocess.run(
            self.command(*words, env=env),
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=LONGEST_SECONDS,
            check=False,
        )
        if code is not None:
            assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def install(
        self, *options: str, env: Mapping[str, str] | None = None, code: int | None = 0
    ) -> str:
        """Run install.sh with these options."""
        return self.run("/mnt/src/install.sh", *options, env=env, code=code)

    def start(self, *words: str) -> None:
        """Run a command in the background for as long as the machine is there."""
        running = subprocess.Popen(
            self.command(*words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._stack.enter_context(running)
        self._stack.callback(running.kill)

    def differences(self, *, times: bool = False) -> dict[str, str]:
        """Tell what differs from the trees below: path and what it is now.

        With `times`, all that was ever written, with the time of its last change.
        """
        upper = self._seen(f"{self._mount}/upper")
        found = {}
        for path in _walk(upper):
            inside = "/" + str(path.relative_to(upper))
            if inside.startswith(_NOT_COMPARED):
                continue
            now = _described(path)
            if times:
                found[inside] = f"{now} {path.lstat().st_mtime_ns}"
            elif now != self._described_below(inside):
                found[inside] = now
        return found

    def _described_below(self, inside: str) -> str:
        for tree in self._trees:
            path = tree / inside.lstrip("/")
            if path.is_symlink() or path.exists():
                return _described(path)
        return "gone"


def copy_checkout(source: Path, target: Path) -> None:
    """Copy what a release holds for installing."""
    for name in CHECKOUT:
        if (source / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source / name, target / name, ignore=ignored)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, target / name)


def _walk(folder: Path) -> Iterator[Path]:
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        path = Path(entry.path)
        yield path
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(path)


def _described(path: Path) -> str:
    """Put kind, rights, owner and content into one text; a removed one is `gone`."""
    try:
        about = path.lstat()
    except FileNotFoundError:
        return "gone"
    if stat.S_ISCHR(about.st_mode) and about.st_rdev == 0:  # how overlayfs removes
        return "gone"
    rights = f"{stat.filemode(about.st_mode)} {about.st_uid}:{about.st_gid}"
    if stat.S_ISLNK(about.st_mode):
        return f"{rights} -> {path.readlink()}"
    if stat.S_ISREG(about.st_mode):
        return f"{rights} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    return rights
