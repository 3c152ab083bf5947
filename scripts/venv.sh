#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Prints the path of a Python interpreter that has the packages of a requirements file.
# Usage: scripts/venv.sh REQUIREMENTS.txt
# The environment is made once for each content of the file, under ~/.cache/zynpu; later calls only print the path.
set -euo pipefail

if (($# != 1)) || [[ ! -f $1 ]]; then
  echo "usage: scripts/venv.sh REQUIREMENTS.txt" >&2
  exit 2
fi
cache=${ZYNPU_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/zynpu}
version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
sum=$(sha256sum <"$1")
venv=$cache/venv/py$version-${sum:0:16}

mkdir -p "$cache/venv"
exec 9>"$venv.lock"
flock 9  # two tests may ask for the same environment at once
if [[ ! -f $venv/complete ]]; then
  rm -rf "$venv"
  python3 -m venv "$venv" >&2
  "$venv/bin/python" -m pip install --disable-pip-version-check --quiet --requirement "$1" >&2
  touch "$venv/complete"
fi
echo "$venv/bin/python"
