#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# One test in a guest:  lab/case.sh OUTPUT_FOLDER_OF_BUILD ZYNPU SCRIPT [ARGUMENT_OF_BOOT]...
# Its status is that of the script in the guest; where there is no lab, it is LAB_UNAVAILABLE, with the reason printed.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

(($# >= 3)) || lab_fail "usage: lab/case.sh OUTPUT_FOLDER_OF_BUILD ZYNPU SCRIPT [ARGUMENT_OF_BOOT]..."
output=$1 zynpu=$2 script=$3
shift 3
if [[ -f $output/unavailable ]]; then
  cat "$output/unavailable"
  [[ -z ${CI:-} ]] || exit 1
  exit $LAB_UNAVAILABLE
fi
architecture=arm64 kernel=usual
for ((i = 1; i < $#; ++i)); do
  next=$((i + 1))
  [[ ${!i} != --arch ]] || architecture=${!next}
  [[ ${!i} != --kernel ]] || kernel=${!next}
done
guest=$(lab_guest "$architecture" "$kernel")
exec "$lab_source/lab/boot.sh" --server "$zynpu" --initramfs "$output/$guest/initramfs" --run "$script" "$@"
