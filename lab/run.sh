#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make vm`: a guest for a person.
#   lab/run.sh OUTPUT_FOLDER_OF_BUILD ZYNPU ARCHITECTURE KERNEL PART COMMAND [KERNEL_PARAMETERS [ARGUMENT_OF_BOOT]...]
# Runs COMMAND in the guest, in a folder of the same name as this one; each word of it that names a file here is there
# too. An empty COMMAND gives a shell on the console (`exit` ends the guest). What the guest writes is lost with it.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

(($# >= 6)) || lab_fail "usage: lab/run.sh BUILT_FOLDER ZYNPU ARCHITECTURE KERNEL PART COMMAND [KERNEL_PARAMETERS [ARGUMENT_OF_BOOT]...]"
output=$1 zynpu=$2 architecture=$3 kernel=$4 part=$5 command=$6 append=${7:-}
if [[ -f $output/unavailable ]]; then
  cat "$output/unavailable" >&2
  exit 1
fi
script=$(mktemp)
trap 'rm -f "$script"' EXIT
guest=$(lab_guest "$architecture" "$kernel")
arguments=(--arch "$architecture" --kernel "$kernel" --part "$part" --server "$zynpu"
  --initramfs "$output/$guest/initramfs" --run "$script" --append "$append" --timeout 86400 "${@:8}")
if [[ -n $command ]]; then
  printf 'mkdir -p %q\ncd %q\n%s\n' "$PWD" "$PWD" "$command" > "$script"
  read -r -a words <<< "$command"
  for word in "${words[@]}"; do
    word=${word#*=}  # NAME=FILE
    [[ ! -f $word ]] || arguments+=(--input "$(realpath "$word")=$(realpath -s "$word")")
  done
else
  arguments+=(--shell)
  printf 'echo "zynpu devices; zynpu run --help; exit ends the guest"\nsetsid cttyhack sh\n' > "$script"
fi
status=0
"$lab_source/lab/boot.sh" "${arguments[@]}" || status=$?
exit "$status"
