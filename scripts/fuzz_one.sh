#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs one libFuzzer program for a bounded time. Usage: scripts/fuzz_one.sh PROGRAM SECONDS REGRESSIONS [SEEDS]...
#   REGRESSIONS  a folder of inputs that failed once; each is run on its own first (may be absent)
#   SEEDS        files or folders to start from; what is absent is passed over
# New inputs collect in PROGRAM.corpus; an input that fails is kept in PROGRAM.findings and its path is printed.
set -euo pipefail
program=$1 seconds=$2 regressions=$3
shift 3

limits=(-timeout=20 -rss_limit_mb=3072 -max_len=524288)
corpus=$program.corpus findings=$program.findings
mkdir -p "$corpus" "$findings"

shopt -s nullglob
known=("$regressions"/*)
if ((${#known[@]})); then
  "$program" "${limits[@]}" "${known[@]}"
fi

sources=()
for seed in "$@"; do
  if [[ -d $seed ]]; then
    sources+=("$seed")
  elif [[ -f $seed ]]; then
    mkdir -p "$program.seeds"
    cp "$seed" "$program.seeds/"
  fi
done
[[ ! -d $program.seeds ]] || sources+=("$program.seeds")
exec "$program" "${limits[@]}" -seed=1 -max_total_time="$seconds" -print_final_stats=1 \
  -artifact_prefix="$findings/" "$corpus" "${sources[@]}"
