#!/bin/sh
# Installs what is not there yet: $1 is a Python 3.10 to 3.13, $2 the name of the folder, the others are lists of packages.
# The folder is made in FEATURES_HOME, by default in the project. Both may be moved, and hold any character but a colon.
set -eu
python=$1
name=$2
shift 2
cd -P -- .
home=${FEATURES_HOME:-$PWD}

refuse() {
    echo "$1" >&2
    exit 1
}

# Prints $1, runs the other arguments as a command and prints how long it took; if it fails, says why in one sentence.
try() {
    began=$(date +%s)
    what=$1
    shift
    echo "$what ..."
    if [ -t 1 ]; then
        # It also ends if this process is killed.
        while sleep 1 && kill -0 $$; do printf '\r%s s' "$(($(date +%s) - began))"; done 9>&- &
        ticker=$!
    fi
    said=$("$@" 2>&1) && failed= || failed=yes
    [ ! -t 1 ] || { kill "$ticker" && printf '\r'; }
    [ "$failed" ] || { echo "done in $(($(date +%s) - began)) s" && return; }
    case $said in
        *"No space left"* | *"quota exceeded"*)
            refuse "There is no space left for what is installed in $home; free a gigabyte, or name another folder: FEATURES_HOME=/some/folder make ..." ;;
        *Connection* | *"name resolution"* | *"timed out"* | *"SSLError"* | *"ProxyError"*)
            refuse "The packages cannot be fetched, because the package index does not answer; check the network (or PIP_INDEX_URL) and start this again." ;;
        *) refuse "Installing failed: $(printf %s "$said" | tail -n 1)" ;;
    esac
}

case $home$PWD in
    *:* | *"
"*) refuse "The path of the project, or of FEATURES_HOME, holds a colon or a line break, which no list of paths can hold: $PWD, $home" ;;
esac
{ mkdir -p -- "$home" && [ -w "$home" ]; } 2>/dev/null ||
    refuse "$home cannot be written; name a folder for what is installed and stored: FEATURES_HOME=/some/folder make ..."
home=$(CDPATH='' cd -P -- "$home" && pwd)
folder=$home/$name
place="$PWD in $home"

# Each list that is installed leaves a copy as its mark, since clocks may differ, and the place of the project and the folder another mark.
is_installed() {
    [ -x "$folder/bin/python" ] && [ "$folder/placed" -nt scripts/place.sh ] && [ "$(cat -- "$folder/placed")" = "$place" ] || return 1
    for list; do
        mark=$folder/installed-${list##*/}
        cat -- "$list" scripts/add_packages.sh | cmp -s -- - "$mark" || return 1
    done
}

is_installed "$@" && exit

# Of two at once, the second finds what the first has installed. The lock goes with this process.
exec 9>>"$folder.lock"
"$python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)' 2>/dev/null || refuse "$python does not run; install Python 3.10 to 3.13, or name one that is installed: make PYTHON=python3.13 ..."

create() {
    "$python" -m venv --clear "$folder" && scripts/add_packages.sh "$folder" "$1"
}

first=$1
for list; do
    use=${list##*/}
    mark=$folder/installed-$use
    [ -x "$folder/bin/python" ] && cat -- "$list" scripts/add_packages.sh | cmp -s -- - "$mark" && continue
    if [ "$list" = "$first" ]; then
        "$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' ||
            refuse "Python 3.10 to 3.13 is needed, and $python is $("$python" --version 2>&1); name another with: make PYTHON=python3.13 ..."
        "$python" -c 'import ensurepip, venv' 2>/dev/null ||
            refuse "$python lacks venv; on Debian and Ubuntu install the package python3-venv."
        try "Installing into $name (once)" create "$list"
    else
        try "Installing ${use%.lock} into $name (once)" scripts/add_packages.sh "$folder" "$list"
    fi
    cat -- "$list" scripts/add_packages.sh > "$mark"
done
scripts/place.sh "$folder"
echo "$place" > "$folder/placed"
