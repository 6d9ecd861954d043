#!/bin/sh
# Adds packages to a folder that install.sh created: $1 is the folder, $2 the list of packages.
set -eu
folder=$1
packages=$2

# PySpark and some packages it needs are on PyPI as source archives only; they need no compiler.
set -- --no-deps --require-hashes --only-binary :all:
for source in pyspark pyhive pure-sasl thrift thrift-sasl; do
    set -- "$@" --no-binary "$source"
done
pip() {
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --retries 2 "$@"
}

# uv is several times faster than pip, but ignores pip's settings. If it fails, pip installs.
{
    [ -z "${PIP_INDEX_URL:-}" ] && { [ -x "$folder/bin/uv" ] || pip --require-hashes --requirement requirements/installer.lock; } &&
        "$folder/bin/uv" pip install --quiet --system-certs --compile-bytecode --python "$folder/bin/python" "$@" --requirement "$packages"
} || pip "$@" --requirement "$packages"

# Both tools write the folder's path into the first line of each command. It may be too long for that, or hold characters that mean
# something there, and is of no use after a move; so a command runs the Python beside it.
"$folder/bin/python" - <<'EOF'
import pathlib
import re
import sys

BESIDE = b"""#!/bin/sh
'''exec' "${0%/*}/python" "$0" "$@"
' '''
"""
for command in pathlib.Path(sys.prefix, "bin").iterdir():
    if command.is_symlink() or not command.is_file():
        continue
    text = command.read_bytes()
    changed = re.sub(rb"\A(?:#![^\n]*/bin/python[0-9.]*\"?|#!/bin/sh\n'''exec' [^\n]*\n' ''')\n", lambda _: BESIDE, text)
    if changed != text:
        command.write_bytes(changed)
EOF
