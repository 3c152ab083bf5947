#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds everything that the guests run:  lab/build.sh OUTPUT_FOLDER ZYNPU
# the driver for each kernel, the programs of tests/vm, the `zynpu` command for arm64, models compiled by ZYNPU (of this
# machine), and the archives that guests start with. What is up to date stays.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

(($# == 2)) || lab_fail "usage: lab/build.sh OUTPUT_FOLDER ZYNPU"
mkdir -p "$1"
output=$(cd "$1" && pwd) zynpu=$(realpath "$2")
models="hello_world_sine_int8 micro_speech_int8 kws_dscnn_int8 ad_autoencoder_int8 ic_resnet8_cifar10_int8
  mnist_resnet_int8 person_detect_96_int8 mobilenet_v1_025_128_int8"
shared=${ZYNPU_SHARED:-$lab_source/../shared}

# Why there is no lab here is told to whoever asks for a guest (lab/case.sh).
rm -f "$output/unavailable"
status=0
{
  if "$lab_source/scripts/setup.sh" build vm; then
    "$lab_source/lab/setup.sh" || status=$?
  else
    echo "lab: not available: packages of this machine are missing, and cannot be installed"
    status=$LAB_UNAVAILABLE
  fi
} > "$output/setup.log" 2>&1
grep '^lab: ' "$output/setup.log" >&2 || true
if ((status == LAB_UNAVAILABLE)); then
  cp "$output/setup.log" "$output/unavailable"
  exit 0
fi
((status == 0)) || { cat "$output/setup.log" >&2; exit "$status"; }

quietly() {  # LOG COMMAND...
  local log=$output/$1.log
  shift
  "$@" > "$log" 2>&1 || { cat "$log" >&2; lab_fail "failed: $*"; }
}

for guest in $LAB_GUESTS; do
  mkdir -p "$output/$guest"
  quietly "modules-$guest" "$lab_source/lab/module.sh" "$guest" "$output/$guest/modules" W=1
  # A warning of the driver's own sources fails the build as it does everywhere else in the project.
  ! grep -E 'warning:' "$output/modules-$guest.log" >&2 || lab_fail "warnings in the driver for $guest"
done

# Programs in C that need nothing but the kernel's headers.
declare -A compiler=([arm64]=aarch64-linux-gnu-gcc [amd64]=gcc)
for architecture in $LAB_ARCHITECTURES; do
  mkdir -p "$output/$architecture/bin"
  for source in "$lab_source"/tests/vm/guest_*.c; do
    program=$output/$architecture/bin/$(basename "$source" .c)
    [[ $program -nt $source && $program -nt $lab_source/tests/vm/guest.h && $program -nt $lab_source/tests/vm/guest_client.h &&
      $program -nt $lab_source/include/uapi/drm/zynpu_accel.h ]] ||
      "${compiler[$architecture]}" -std=gnu11 -static -O2 -g1 -Wall -Wextra -Werror -pthread \
        "-I$lab_source/include/uapi" -isystem /usr/include/libdrm -o "$program" "$source"
  done
done

# `zynpu`, the conformance suite and the example of the vendor's API for arm64. Not optimised highly: they mostly wait for the NPU.
quietly configure-arm64 cmake -S "$lab_source" -B "$output/arm64/user" -G Ninja \
  "-DCMAKE_TOOLCHAIN_FILE=$lab_source/cmake/aarch64-linux-gnu.cmake" -DCMAKE_BUILD_TYPE=Release \
  "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG" -DZYNPU_TESTS=OFF -DZYNPU_BENCH=OFF
cmake --build "$output/arm64/user" --target zynpu zynpu_conformance vendor_api_static
for program in zynpu zynpu_conformance vendor_api_static compat_client_test; do
  stripped=$output/arm64/bin/$program
  # The vendor's client is linked to shared libraries and to GoogleTest, which only this machine has.
  [[ $program == compat_client_test || $stripped -nt $output/arm64/user/bin/$program ]] ||
    aarch64-linux-gnu-strip -o "$stripped" "$output/arm64/user/bin/$program"
  # This machine's own are for amd64.
  own=$(dirname "$zynpu")/$program stripped=$output/amd64/bin/$program
  [[ ! -f $own || $stripped -nt $own ]] || strip -o "$stripped" "$own"
done

data=()
mkdir -p "$output/graphs"
for model in $models; do
  file=$shared/models/$model.tflite
  [[ -f $file ]] || continue  # the guests' tests of models say that they are missing
  for part in z1 z2 x2; do
    graph=$output/graphs/$model.$part.zy
    [[ $graph -nt $zynpu && $graph -nt $file ]] ||
      quietly compile "$zynpu" compile "$file" --part "$part" -o "$graph"
  done
  data+=("$shared/models/$model.golden=shared/models/$model.golden")
done
fashion=$lab_source/models/fashion_mnist
data+=("$output/graphs=graphs" "$fashion/fashion_mnist_int8.tflite=models/fashion_mnist_int8.tflite"
  "$fashion/sneaker.png=models/sneaker.png" "$fashion/labels.txt=models/labels.txt")
for guest in $LAB_GUESTS; do
  programs=()
  for program in "$output/${guest%%-*}"/bin/*; do programs+=("$program=bin/$(basename "$program")"); done
  "$lab_source/lab/initramfs.sh" "$guest" "$output/$guest/initramfs" "$output/$guest/modules" \
    "${programs[@]}" "${data[@]}"
done
