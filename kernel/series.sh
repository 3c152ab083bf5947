#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Writes the driver as a patch series against the layout of a kernel tree:  kernel/series.sh OUTPUT_FOLDER
# New files only; what is to be added to drivers/accel/Kconfig, drivers/accel/Makefile, MAINTAINERS and
# Documentation/accel/index.rst is in additions.txt, since these files differ from tree to tree.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
output=${1:?usage: kernel/series.sh OUTPUT_FOLDER}
rm -rf "$output"
mkdir -p "$output"
output=$(cd "$output" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
name=$(git -C "$here" config user.name || echo zynpu)
email=$(git -C "$here" config user.email || echo zynpu@localhost)
git="git -C $tree -c user.name='$name' -c user.email='$email' -c commit.gpgsign=false"
run() { eval "$git" "$@"; }
run init -q
run commit -q --allow-empty -m base

patch() {  # SUBJECT BODY FILE...
  local subject=$1 body=$2
  shift 2
  (cd "$tree" && git add -- "$@")
  body=$(fold -s -w 72 <<< "$body" | sed 's/ *$//')
  printf '%s\n\n%s\n\nSigned-off-by: %s <%s>\n' "$subject" "$body" "$name" "$email" > "$tree/.git/message"
  run commit -q -F .git/message
}

driver=drivers/accel/zynpu
mkdir -p "$tree/$driver" "$tree/include/uapi/drm"
cp "$here/../include/uapi/drm/zynpu_accel.h" "$tree/include/uapi/drm/"
cp -r "$here/Documentation" "$tree/"
cp "$here"/zynpu/*.[ch] "$here/zynpu/Kconfig" "$tree/$driver/"
# In the tree the configuration says what is built, and there is one kernel to build for.
sed '/^ifndef/,/^endif/d; /^# In a kernel tree/d' "$here/zynpu/Makefile" > "$tree/$driver/Makefile"
compat=$tree/$driver/zynpu_compat.h
sed -i -e '/^#else \/\* 6.12 \*\/$/,/^#endif$/d' -e '/^#if LINUX_VERSION_CODE </,/^#endif$/d' \
  -e '/^#if LINUX_VERSION_CODE >=/d' -e '/linux\/version.h/d' \
  -e 's/^\/\* What differs.*/\/* Short forms of calls of the DRM scheduler. *\//' "$compat"
cat -s "$compat" > "$compat.new"
mv "$compat.new" "$compat"

patch "dt-bindings: npu: add Arm China Zhouyi" "Z1 (Allwinner R329), Z2 and X2 (CIX Sky1)." Documentation/devicetree
patch "accel/zynpu: add the user-space interface" "Buffers, jobs of groups of tasks, waiting, cancelling." include
patch "accel/zynpu: add register definitions and pure logic" \
  "Identification, address windows, task control blocks, timeouts; with KUnit tests." \
  "$driver"/zynpu_regs.h "$driver"/zynpu_logic.[ch] "$driver"/zynpu_test.c
patch "accel/zynpu: add driver for Arm China Zhouyi NPUs" \
  "Z1, Z2 and X2 behind one DRM accel interface. See Documentation/accel/zynpu.rst." "$driver"
patch "Documentation: accel: describe zynpu" "The device, isolation and reset." Documentation/accel
run format-patch -q --cover-letter -o "$output" --root --start-number 1 HEAD~5..HEAD
{
  echo
  echo "drivers/accel/Kconfig:              source \"drivers/accel/zynpu/Kconfig\""
  echo "drivers/accel/Makefile:             obj-\$(CONFIG_DRM_ACCEL_ZYNPU) += zynpu/"
  echo "Documentation/accel/index.rst:      zynpu"
  echo "MAINTAINERS:"
  cat "$here/MAINTAINERS"
} > "$output/additions.txt"
find "$output" -name '*.patch' | sort
