#!/bin/sh
# Adds packages to a folder that install.sh has made: $1 is the folder, $2 the list of packages.
set -eu
folder=$1
packages=$2

# PySpark and one package for it are on PyPI as source archives only; they are not compiled.
"$folder/bin/python" -m pip install --quiet --quiet --disable-pip-version-check --no-deps --require-hashes \
    --only-binary :all: --no-binary pyspark,pyhive,pure-sasl,thrift,thrift-sasl --requirement "$packages"
