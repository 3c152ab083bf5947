#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks the device-tree binding as `make dt_binding_check` does: the schema itself, then its examples against it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=$("$here/../scripts/venv.sh" "$here/requirements.txt")
PATH=$(dirname "$python"):$PATH
bindings=$here/Documentation/devicetree/bindings
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$bindings"
for file in npu/*.yaml; do
  # Warnings count: the tools print them and still succeed.
  dt-doc-validate -u "$bindings" "$file" 2>&1 | tee "$work/messages"
  dt-mk-schema -o "$work/schema.json" "$bindings" 2>&1 | tee -a "$work/messages"
  dt-extract-example "$file" > "$work/example.dts"
  dtc -q -O dtb -o "$work/example.dtb" "$work/example.dts" 2>&1 | tee -a "$work/messages"
  dt-validate -s "$work/schema.json" "$work/example.dtb" 2>&1 | tee -a "$work/messages"
  ! grep -v '^ *$' "$work/messages" || exit 1
  echo "$file: good"
done
