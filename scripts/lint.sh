#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Formatting, licence tags and clang-tidy over the whole tree, or over the files and folders given.
# Usage: scripts/lint.sh [PATH]...    Exits 1 after running every check if one of them found something.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p build
failed=0

mapfile -t sources < <(git ls-files -- "${@:-.}" | grep -E '\.(c|cc|h)$' || true)
echo "lint: clang-format on ${#sources[@]} files"
((!${#sources[@]})) || clang-format --dry-run -Werror "${sources[@]}" || failed=1

echo "lint: licence tags"
reuse lint >build/reuse.log 2>&1 || {
  cat build/reuse.log
  failed=1
}

# clang-tidy needs Clang's compile commands and the sources that the build generates.
cmake -S . -B build/lint -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ \
  -DZYNPU_TESTS=ON -DZYNPU_BENCH=ON >build/lint.log || {
  cat build/lint.log
  exit 1
}
mapfile -t generated < <(ninja -C build/lint -t targets all | grep -oE '^[^:]*_generated\.h' || true)
((!${#generated[@]})) || ninja -C build/lint "${generated[@]}" >build/lint.log || {
  cat build/lint.log
  exit 1
}
mapfile -t units < <(printf '%s\n' "${sources[@]}" | grep '\.cc$' | while read -r file; do
  # Units that are not part of this configuration (the fuzzers) have no compile command.
  grep -qF "\"file\": \"$PWD/$file\"" build/lint/compile_commands.json && echo "$file" || true
done)
echo "lint: clang-tidy on ${#units[@]} files"
((!${#units[@]})) || printf '%s\0' "${units[@]}" |
  xargs -0 -n 1 -P "${LINT_JOBS:-$(nproc)}" clang-tidy -p build/lint --quiet || failed=1
exit "$failed"
