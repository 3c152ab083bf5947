#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Rewrites what documentation takes from the code: pages that a program zynpu_NAME_doc prints (docs/NAME.md), and what the
# commands of the other pages print. Usage: scripts/doc.sh, after a release build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
shopt -s nullglob
for program in build/release/bin/zynpu_*_doc; do
  name=$(basename "$program" _doc)
  page=docs/${name#zynpu_}.md
  "$program" >"$page.new"
  mv "$page.new" "$page"
  echo "doc: $page"
done
python3 tests/docs/documentation.py commands --update --program build/release/bin/zynpu
