#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Packs what a guest starts with:  lab/initramfs.sh GUEST OUTPUT MODULE_FOLDER [FILE=PATH_IN_GUEST]...
# MODULE_FOLDER holds the driver's modules. A FILE that is a folder is copied with all in it.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

(($# >= 3)) || lab_fail "usage: lab/initramfs.sh GUEST OUTPUT MODULE_FOLDER [FILE=PATH_IN_GUEST]..."
guest=$1 output=$2 modules=$3
architecture=${guest%%-*} folder=$(lab_guest_folder "$1")
shift 3
tree=$(mktemp -d)
chmod 755 "$tree"  # it becomes the root, also that of other users
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/{bin,etc/lab,lib/lab,proc,sys,dev,tmp,root}
cp "$folder/busybox" "$tree/bin/busybox"
cp "$folder"/modules/*.ko "$folder/modules.order" "$tree/lib/lab/"
cp "$modules"/*.ko "$tree/lib/lab/"
install -m 755 "$lab_source/lab/init" "$tree/init"
install -m 755 "$lab_source/lab/load" "$tree/etc/lab/load"
for pair; do
  mkdir -p "$(dirname "$tree/${pair#*=}")"
  cp -rL "${pair%%=*}" "$tree/${pair#*=}"
done
# Programs of this machine's architecture are not static: with each goes what it is linked to.
if [[ $architecture == amd64 ]]; then
  while read -r program; do
    libraries=$(ldd "$program" 2>/dev/null | grep -o '/[^ ]*' || true)  # none: it is static
    for library in $libraries; do
      [[ -e $tree$library ]] || install -D "$(readlink -f "$library")" "$tree$library"
    done
  done < <(find "$tree/bin" -type f ! -name busybox)
fi
(cd "$tree" && find . -print0 | LC_ALL=C sort -z | cpio --null --quiet -o -H newc -R 0:0) | gzip -1 > "$output.new"
mv "$output.new" "$output"
