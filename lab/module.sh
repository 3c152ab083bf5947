#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the kernel driver against a kernel of the lab:  lab/module.sh TARGET OUTPUT_FOLDER [MAKE_ARGUMENT]...
# TARGET: arm64 or amd64 (the guests' kernel, in the side root) or amd64-older (the LTS kernel of Debian 12's
# backports, with this machine's gcc-12). The sources are copied to OUTPUT_FOLDER/src, the modules come to lie in
# OUTPUT_FOLDER. MAKE_ARGUMENTs are handed on, e.g. W=1.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

(($# >= 2)) || lab_fail "usage: lab/module.sh arm64|amd64|amd64-older OUTPUT_FOLDER [MAKE_ARGUMENT]..."
target=$1 output=$2
shift 2
"$lab_source/lab/setup.sh"
mkdir -p "$output/src"
output=$(cd "$output" && pwd)
# Times are kept, so that what did not change is not compiled again.
cp -rpu "$lab_source/kernel" "$lab_source/include" "$output/src/"

arguments=(CONFIG_DEBUG_INFO_BTF_MODULES= "$@" modules)
case $target in
  arm64 | amd64)
    lab_in_root "$output/src" make -C "/usr/src/linux-headers-$(lab_abi)-$target" M=/mnt/kernel/zynpu "${arguments[@]}"
    ;;
  amd64-older)
    headers=$lab/older/usr/src/linux-headers-$(<"$lab/abi-older")
    make -C "$headers-common" KBUILD_OUTPUT="$headers-amd64" M="$output/src/kernel/zynpu" CC=gcc-12 "${arguments[@]}"
    ;;
  *) lab_fail "no kernel called $target to build for" ;;
esac
find "$output/src/kernel/zynpu" -name '*.ko' -exec cp -p -t "$output" {} +
