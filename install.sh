#!/bin/sh
# Install f2b-enrich on this server, or take it away again. `./install.sh --help` tells
# how; docs/how-to/install.md tells more. The parts are in packaging/lib/.

set -eu

# Nothing is run for it: whose programs these would be is settled in prepare.
case $0 in
*/*) here=${0%/*}/ ;;
*) here=./ ;;
esac
here=$(CDPATH='' cd -- "$here" && pwd -P)
python=/usr/bin/python3
user=f2b-enrich
environment=/opt/f2b-enrich
settings=/etc/f2b-enrich
state=/var/lib/f2b-enrich
spool=/var/spool/f2b-enrich
run=/run/f2b-enrich

main() {
    # shellcheck source=packaging/lib/checkout.sh
    . "$here/packaging/lib/checkout.sh"
    # shellcheck source=packaging/lib/checks.sh
    . "$here/packaging/lib/checks.sh"
    # shellcheck source=packaging/lib/questions.sh
    . "$here/packaging/lib/questions.sh"
    # shellcheck source=packaging/lib/place.sh
    . "$here/packaging/lib/place.sh"
    # shellcheck source=packaging/lib/environment.sh
    . "$here/packaging/lib/environment.sh"
    # shellcheck source=packaging/lib/units.sh
    . "$here/packaging/lib/units.sh"
    # shellcheck source=packaging/lib/fail2ban.sh
    . "$here/packaging/lib/fail2ban.sh"
    # shellcheck source=packaging/lib/steps.sh
    . "$here/packaging/lib/steps.sh"
    # shellcheck source=packaging/lib/remove.sh
    . "$here/packaging/lib/remove.sh"
    read_options "$@"
    case $job in
    demo) demo ;;
    deps)
        # The word splitting is wanted: one program a word.
        # shellcheck disable=SC2086
        system_packages $programs
        ;;
    *)
        prepare
        "$job"
        ;;
    esac
    # Nothing is read from this file any more, which a git pull may have replaced.
    exit 0
}

usage() {
    cat <<'TEXT'
usage: ./install.sh [OPTION ...]

Installs f2b-enrich beside a running Fail2Ban; no ban is lifted. Asks whom to tell and
where to look addresses up, unless options say so.

  --recipient ADDRESS  who gets the alerts
  --local-only         look addresses up in the local database alone
  --token-file FILE    ask IPinfo, too, with the token in FILE
  --keyless            ask IPinfo, too, without a token
  --yes                ask nothing: --recipient root --local-only, where not given
  --dry-run            show every step and file, and change nothing
  --with EXTRA         install report (pictures of reports) or browse (the store in a
                       browser), too; may be repeated, and is kept at upgrades
  --without EXTRA      drop one again
  --prefix DIR         instead of /usr/local
  --no-systemd         start nothing and lay out no units
  --offline DIR        take the Python packages from DIR, not from the network
  --uninstall          remove it; bans, spool and configuration stay
  --purge              remove these as well

  --bundle DIR         collect in DIR what --offline needs, for this machine's Python;
                       --with what is to be installed there
    --for-python X.Y   or for another one
  --demo               run the main job once in a throw-away folder: a real Fail2Ban bans
                       an address out of a log, and you see the row and the mail
  --deps [PROGRAM[=PACKAGE] ...]
                       install the Debian packages that --demo needs and are missing

With DESTDIR in the environment all goes below that folder, and nothing is started.
TEXT
}

read_options() {
    job=install recipient='' source='' token_file='' yes='' dry='' purge=''
    prefix=/usr/local systemd=yes offline='' bundle='' for_python='' root=${DESTDIR-}
    with='' without='' extras=''
    while [ $# -gt 0 ]; do
        case $1 in
        --*=*)
            option=${1%%=*} value=${1#*=}
            shift
            set -- "$option" "$value" "$@"
            ;;
        esac
        case $1 in
        --recipient | --token-file | --prefix | --offline | --bundle | --for-python | \
            --with | --without)
            [ $# -ge 2 ] && [ -n "$2" ] || misuse "$1 needs a value"
            read_value "$1" "$2"
            shift
            ;;
        --local-only) choose local ;;
        --keyless) choose keyless ;;
        --yes) yes=yes ;;
        --dry-run) dry=yes ;;
        --no-systemd) systemd= ;;
        --uninstall) job=uninstall ;;
        --purge) job=uninstall purge=yes ;;
        --demo) job=demo ;;
        --deps)
            shift
            job=deps programs=$*
            return 0
            ;;
        -h | --help) usage && exit 0 ;;
        *) misuse "there is no option $1" ;;
        esac
        shift
    done
}

read_value() {
    case $1 in
    --recipient) recipient=$2 ;;
    --token-file) choose token && token_file=$(absolute "$2") ;;
    --prefix) prefix=${2%/} ;;
    --offline) offline=$(absolute "$2") ;;
    --bundle) job=bundle && bundle=$(absolute "$2") ;;
    --for-python) for_python=$2 ;;
    --with) check_extra "$2" && with="$with $2" ;;
    --without) check_extra "$2" && without="$without $2" ;;
    esac
}

check_extra() {
    case $1 in
    report | browse) ;;
    *) misuse "there is no extra $1; there are report and browse" ;;
    esac
}

choose() {
    [ -z "$source" ] || misuse "only one of --local-only, --token-file and --keyless"
    source=$1
}

absolute() {
    case $1 in
    /*) printf '%s\n' "$1" ;;
    *) printf '%s/%s\n' "$(pwd -P)" "$1" ;;
    esac
}

# Nothing of the caller's surroundings takes part: folder, mask, paths, Python's settings.
prepare() {
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    export PATH
    unset CDPATH DESTDIR TMPDIR
    unset PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX PIP_USER PIP_ROOT
    cd /
    umask 022
    for path in "$prefix" "$root"; do
        case $path in
        '') ;;
        *[!A-Za-z0-9/._+-]* | */../* | */.. | [!/]*)
            misuse "$path: needs a whole path of plain letters, digits and /._+-"
            ;;
        esac
    done
    [ -z "$root" ] || [ "$(cd -- "$root" 2>/dev/null && pwd -P)" != / ] ||
        misuse "DESTDIR=$root is this system itself; without DESTDIR it is installed here"
    root=${root%/}
    [ -d /run/systemd/system ] || [ -n "$root" ] || systemd=
    lib=$prefix/lib/f2b-enrich
    manifest=$lib/manifest
    changes=0 saves=0 terminal='' part='' ended=''
    work=$(mktemp -d)
    trap finish EXIT
    release_signals
    : >"$work/manifest"
    : >"$work/made"
    : >"$work/known"
}

# shellcheck disable=SC2329 # the trap calls it
finish() {
    status=$?
    set +e
    trap - EXIT
    trap '' HUP INT QUIT PIPE TERM
    [ -z "$terminal" ] || stty "$terminal"
    [ -z "$part" ] || rm -f "$part"
    [ "$status" -eq 0 ] || undo
    case $status in
    0 | 1 | 2 | 130) ;;
    *) status=1 ;; # a program's own code
    esac
    rm -rf "$work"
    exit "$status"
}

have() {
    command -v "$1" >/dev/null 2>&1
}

say() {
    printf '%s\n' "$1"
}

fail() {
    printf 'install.sh: %s\n' "$1" >&2
    exit 1
}

misuse() {
    printf 'install.sh: %s; --help shows them\n' "$1" >&2
    exit 2
}

main "$@"
