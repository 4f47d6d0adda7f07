# Put files where they belong, note them in the manifest, and be able to take each
# step back. Sourced by install.sh.
#
# Every path here is one of this software's own, or below a --prefix or DESTDIR that was
# checked to hold no blanks; $root is DESTDIR and stands before each.

# The manifest has a line for each thing: KIND SHA256 PATH.
#   file    removed if it is still what was put there; below /etc else kept as NAME.saved
#   folder  removed if empty       tree   removed with all that is in it
#   keep    only --purge removes it, with all that is in it
#   user, group   the account
# What is new in it goes into a draft at once: a run that is killed has no manifest.
listed() {
    printf '%s %s %s\n' "$1" "$2" "$3" >>"$work/manifest"
    if [ -n "$dry" ] || grep -qxF -- "$1 $2 $3" "$work/known"; then
        return 0
    fi
    printf '%s %s %s\n' "$1" "$2" "$3" >>"$work/draft"
    [ -d "$root$lib" ] || return 0
    [ -e "$root$manifest.draft" ] || to_undo file "$manifest.draft"
    cat <"$work/draft" >>"$root$manifest.draft"
    : >"$work/draft"
}

# What earlier runs noted: one that was killed, the last whole one, and a removal that
# left the account.
recall() {
    for file in "$manifest.draft" "$manifest" "$settings/account"; do
        [ ! -f "$root$file" ] || [ -L "$root$file" ] || cat <"$root$file"
    done >"$work/known"
}

# Print what was noted about a path: its checksum.
noted() {
    awk -v path="$1" '$3 == path { print $2; exit }' "$work/known"
}

was_listed() {
    [ -n "$(noted "$1")" ]
}

# By a run that came to its end: a draft may tell of what was never done.
was_finished() {
    [ -f "$root$manifest" ] && awk -v path="$1" \
        '$3 == path { found = 1 } END { exit !found }' "$root$manifest"
}

was_made() {
    grep -qxF -- "folder - $1" "$work/known"
}

# Is a file still what was put there?
is_as_put() {
    grep -qxF -- "file $(checksum "$root$1") $1" "$work/known"
}

checksum() {
    sha256sum <"$1" | cut -d ' ' -f 1
}

# to_undo STEP [PATH] [MORE ...]: how to take back what is done. A full disk may cut a
# line off: one without its end does not count.
to_undo() {
    printf '%s ;\n' "$*" >>"$work/journal"
}

# Between the two a signal waits until a step that is done is noted, too.
hold_signals() {
    trap 'ended=yes' HUP INT QUIT PIPE TERM
}

release_signals() {
    trap 'exit 130' HUP INT QUIT PIPE TERM
    [ -z "$ended" ] || exit 130
}

changed() {
    changes=$((changes + 1))
    say "  $1"
}

# own FILE MODE USER:GROUP. In a staged tree the accounts do not exist.
own() {
    if [ -z "$root" ]; then
        chown "$3" "$1" || return 1
    fi
    # After chown, which takes the bit away that passes the group on.
    chmod "$2" "$1"
}

# own_folder PATH MODE USER:GROUP: the same, where a link may be in its place.
own_folder() {
    [ -z "$root" ] || set -- "$1" "$2" ''
    "$python" -I "$here/packaging/lib/rights.py" "$1" "$2" "$3"
}

# A dry run goes by what it would have made.
is_folder() {
    [ -d "$root$1" ] || grep -qxF -- "$1" "$work/made"
}

# Make the folders of a path that are missing, and change none that is there.
parents() {
    [ -n "$1" ] || return 0
    parents "${1%/*}"
    if is_folder "$1"; then
        ! was_made "$1" || listed folder - "$1"
        return 0
    fi
    listed folder - "$1"
    make_folder folder "$1" 755 root:root
}

# folder KIND PATH MODE USER:GROUP: one of ours, with exactly these rights.
folder() {
    parents "${2%/*}"
    listed "$1" - "$2"
    if ! is_folder "$2"; then
        make_folder "$@"
        return 0
    fi
    [ -d "$root$2" ] || return 0 # a dry run
    rights=$(stat -c '%a %U:%G' -- "$root$2")
    wanted="$3 $4"
    [ -z "$root" ] || wanted="$3 ${rights#* }"
    [ "$rights" != "$wanted" ] || return 0
    changed "rights of $2: $rights becomes $wanted"
    [ -z "$dry" ] || return 0
    to_undo rights "$2" "$(stat -c '%a %u:%g' -- "$root$2")"
    own_folder "$root$2" "$3" "$4"
}

make_folder() {
    changed "make $2"
    printf '%s\n' "$2" >>"$work/made"
    [ -z "$dry" ] || return 0
    # Noted after it is made: what was there before is not ours to take back.
    hold_signals
    mkdir "$root$2"
    to_undo "$1" "$2" || not_noted "$2"
    release_signals
    own_folder "$root$2" "$3" "$4"
}

not_noted() {
    rmdir "$root$1"
    fail "cannot write to $work"
}

# daemon_folder PATH: in a folder of the daemon's, who makes it: what root would do there
# may meet a link.
daemon_folder() {
    listed keep - "$1"
    ! is_folder "$1" || return 0
    changed "make $1"
    [ -z "$dry" ] || return 0
    hold_signals
    if [ -n "$root" ]; then
        mkdir -m 750 "$root$1"
    else
        as_user mkdir -m 750 "$1"
    fi
    to_undo keep "$1"
    release_signals
}

# put SOURCE PATH MODE USER:GROUP: a file as it must be.
put() {
    parents "${2%/*}"
    sum=$(checksum "$1")
    before=$(noted "$2")
    case $2 in
    /etc/*) ! stays "$1" "$2" "$3" "$4" || return 0 ;;
    "$lib"/*) ;;
    *)
        [ -n "$before" ] || [ ! -e "$root$2" ] || cmp -s "$1" "$root$2" ||
            fail "$2 is there and not from here; move it away"
        ;;
    esac
    write "$@"
}

# Below /etc: what an administrator changed or took away stays so.
stays() {
    if [ ! -e "$root$2" ]; then
        was_finished "$2" || return 1
        say "  left out, because it was removed: $2"
        listed file "$before" "$2"
        return 0
    fi
    ! cmp -s "$1" "$root$2" || return 1
    ! is_as_put "$2" || return 1
    listed file "${before:-unknown}" "$2"
    # Read and thrown away: not again with the same text.
    if [ ! -e "$root$2.new" ] && [ "$(noted "$2.new")" = "$sum" ]; then
        listed file "$sum" "$2.new"
        return 0
    fi
    say "  kept, because it was changed: $2; ours is $2.new"
    set_aside "$1" "$2.new"
    write "$1" "$2.new" "$3" "$4"
}

# A file of that name that did not come from here.
set_aside() {
    if [ ! -e "$root$2" ] || cmp -s "$1" "$root$2" || is_as_put "$2"; then
        return 0
    fi
    changed "keep $2 as $2.saved"
    [ -z "$dry" ] || return 0
    to_undo aside "$2" "$2.saved"
    mv --backup=numbered -T "$root$2" "$root$2.saved" || fail "cannot keep $root$2"
}

write() {
    listed file "$sum" "$2"
    ! cmp -s "$1" "$root$2" || return 0
    changed "write $2"
    [ -n "$dry" ] || replace "$@"
}

replace() {
    save "$2"
    part=$root$2.part
    rm -f "$part"
    (umask 077 && cat <"$1" >"$part") || fail "cannot write $part"
    own "$part" "$3" "$4" || fail "cannot set the rights of $part"
    # A rename: whoever reads it meanwhile has the old one or the new one, whole.
    mv -f -T "$part" "$root$2" || fail "cannot write $root$2"
    part=
}

# Keep the file that is there, to put it back if a later step fails.
save() {
    if [ -e "$root$1" ]; then
        saves=$((saves + 1))
        cp -a "$root$1" "$work/saved.$saves" || fail "cannot keep a copy of $root$1"
        to_undo restore "$1" "$work/saved.$saves"
    else
        to_undo file "$1"
    fi
}

# Remove what the version before had and this one has not, and note what is there now.
put_manifest() {
    [ -z "$dry" ] || return 0
    LC_ALL=C sort -u "$work/manifest" >"$work/sorted"
    awk 'FNR == NR { now[$3]; next } $1 == "file" && !($3 in now) { print $3 }' \
        "$work/sorted" "$work/known" >"$work/leftovers"
    while read -r path; do
        remove_leftover "$path"
    done <"$work/leftovers"
    cmp -s "$work/sorted" "$root$manifest" ||
        replace "$work/sorted" "$manifest" 644 root:root
}

remove_leftover() {
    [ -f "$root$1" ] || return 0
    is_as_put "$1" || return 0
    changed "remove $1, which this version has not"
    ! is_unit "$1" || stop_unit "${1##*/}"
    save "$1"
    rm -f "$root$1"
}

# Take back what the journal holds, last step first. Nothing is written for it, as the
# disk may be full; and the environment, which fills it most, goes before files come back.
undo() {
    [ -s "$work/journal" ] || return 0
    printf 'install.sh: taking back what was done\n' >&2
    take_back -e '^action '
    take_back -e '^built ' -e '^moved '
    take_back -v -e '^action ' -e '^built ' -e '^moved '
}

# take_back WHICH ...: the steps that grep picks.
take_back() {
    tac "$work/journal" | sed -n 's/ ;$/ /p' | grep "$@" |
        while read -r what path first second; do
            undo_step "$what" "$path" "$first" "$second" </dev/null
        done
}

# undo_step STEP PATH MORE ...
undo_step() {
    case $1 in
    file) rm -f "$root$2" ;;
    folder) rmdir "$root$2" ;;
    keep | tree | built) rm -rf "$root$2" ;;
    rights) own_folder "$root$2" "$3" "$4" ;;
    restore) put_back "$3" "$root$2" ;;
    moved | aside) mv -T "$root$3" "$root$2" ;;
    user) userdel "$2" 2>/dev/null ;;
    disown) chown -hR root:root "$2" ;;
    group) ! getent group "$2" >/dev/null || groupdel "$2" ;;
    unit) forget_unit "$2" "$3" "$4" ;;
    units) systemctl daemon-reload ;;
    was) restore_unit "$2" "$3" "$4" ;;
    action) "$root$environment/bin/f2b-enrich" action remove ;;
    *) printf 'install.sh: no way back from: %s\n' "$1" >&2 ;;
    esac
}

put_back() {
    if cp -a "$1" "$2.part"; then
        mv -f -T "$2.part" "$2"
    else
        # No room for both.
        rm -f "$2.part"
        cat <"$1" >"$2"
    fi
}
