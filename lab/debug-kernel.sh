#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The kernel that checks itself:  lab/debug-kernel.sh OUTPUT_FOLDER_OF_BUILD
# Takes the source of the guests' kernel, adds the driver by its own patch series, looks at it with sparse, the
# compiler's further warnings and the tree's own scripts, and builds a small kernel with KASAN, lockdep and more
# (lab/debug.config). The guest `amd64-debug` comes to lie in the cache, beside the source; the archive that it starts
# with in OUTPUT_FOLDER. What is up to date stays: after a change of the driver only the driver is built.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source-path=SCRIPTDIR source=archive.sh
source "$(dirname "${BASH_SOURCE[0]}")/archive.sh"

(($# == 1)) || lab_fail "usage: lab/debug-kernel.sh OUTPUT_FOLDER_OF_BUILD"
mkdir -p "$1"
output=$(cd "$1" && pwd)
"$lab_source/lab/setup.sh"
mkdir -p "$lab_debug"
exec 9>"$lab_debug.lock"
flock 9
linux=$lab_debug/linux build=$lab_debug/build guest=$(lab_guest_folder amd64-debug)
version=$(<"$lab/version")
started=$SECONDS

kernel_make() { lab_in_root "$lab_debug" make -s -C /mnt/linux O=/mnt/build CC=gcc-14 HOSTCC=gcc-14 "-j$(nproc)" "$@"; }
logged() {  # LOG COMMAND...
  local log=$lab_debug/$1.log
  shift
  "$@" > "$log" 2>&1 || { tail -n 60 "$log" >&2; lab_fail "failed: $* (all of it: $log)"; }
}

if [[ ! -f $lab_debug/version || $(<"$lab_debug/version") != "$version" ]]; then
  series=${version%%-*}
  series=${series%.*}
  rm -rf "$linux" "$linux.new" "$build" "$lab_debug"/{built,version,series.files}
  archive_open "$lab_debug/archive" trixie
  private_apt trixie apt-cache madison "linux-source-$series" | grep -qF " $version " ||
    lab_fail "the archive has no source of the guests' kernel $version any more: renew the lab (lab/setup.sh --renew)"
  echo "lab: fetching the source of Linux $version"
  fetch trixie "linux-source-$series=$version"
  mkdir -p "$linux.new"
  dpkg-deb --fsys-tarfile "$(fetched "linux-source-$series" all)" | tar -xO "./usr/src/linux-source-$series.tar.xz" |
    tar -xJ --strip-components=1 -C "$linux.new"
  archive_close
  mv "$linux.new" "$linux"
  echo "$version" > "$lab_debug/version"
fi

# The series names new files only. Those of its last version are taken out first; what is the same again keeps its
# time, so that it is not compiled again.
apply_series() {
  local file patch line former=$lab_debug/former
  rm -rf "$former" "$lab_debug/series"
  "$lab_source/kernel/series.sh" "$lab_debug/series" > /dev/null
  touch "$lab_debug/series.files"
  while read -r file; do
    [[ -f $linux/$file ]] || continue
    mkdir -p "$former/${file%/*}"
    mv "$linux/$file" "$former/$file"
  done < "$lab_debug/series.files"
  git apply --numstat "$lab_debug"/series/000[1-9]-*.patch | cut -f 3 > "$lab_debug/series.files"
  for patch in "$lab_debug"/series/000[1-9]-*.patch; do
    (cd "$linux" && GIT_CEILING_DIRECTORIES=$lab_debug git apply --whitespace=error "$patch") ||
      lab_fail "the kernel tree does not take ${patch##*/}"
  done
  while read -r file; do
    ! cmp -s "$former/$file" "$linux/$file" || mv "$former/$file" "$linux/$file"
  done < "$lab_debug/series.files"
  rm -rf "$former"
  line=$(sed -n 's|^drivers/accel/Kconfig: *||p' "$lab_debug/series/additions.txt")
  grep -qxF "$line" "$linux/drivers/accel/Kconfig" || sed -i "/^endif/i $line" "$linux/drivers/accel/Kconfig"
  line=$(sed -n 's|^drivers/accel/Makefile: *||p' "$lab_debug/series/additions.txt")
  grep -qxF "$line" "$linux/drivers/accel/Makefile" || sed -i "\$a $line" "$linux/drivers/accel/Makefile"
}

configure() {
  local line
  mkdir -p "$build"
  cp "$lab_source/lab/debug.config" "$build/wanted"
  logged configure kernel_make KCONFIG_ALLCONFIG=/mnt/build/wanted allnoconfig
  while IFS= read -r line; do
    grep -qxF "$line" "$build/.config" || lab_fail "lab/debug.config asks for $line, which this kernel does not give"
  done < <(grep '^CONFIG' "$build/wanted")
}

# Everything that looks at the sources only. What is said of them fails the build, as everywhere in the project.
check() {
  local log=$lab_debug/check.log
  # Debian's sparse is older than __typeof_unqual__, and than what the macros for module information became. There is no
  # Python in the root: W=1 would use it for comments, which are looked at below.
  find "$build/drivers/accel/zynpu" -name '*.o' -delete 2>/dev/null || true
  logged check kernel_make PYTHON3=true W=1 C=2 "CF=-D__CHECK_ENDIAN__ -D__typeof_unqual__=__typeof__" drivers/accel/zynpu/
  ! grep -E 'warning:|error:' "$log" | grep -v 'error: bad constant expression$' >&2 ||
    lab_fail "sparse or the compiler has found something in the driver"
  ! grep -E 'C=2 specified' "$log" >&2 || lab_fail "sparse did not run"
  python3 "$linux/scripts/kernel-doc" -none -Wall -Werror \
    "$lab_source"/{include/uapi/drm/zynpu_accel.h,kernel/zynpu/*.[ch]} >&2 || lab_fail "kernel-doc has found something"
  # Not heard: that MAINTAINERS should change (additions.txt says how), and kzalloc_obj(), which 6.12 does not have; the
  # look of tracepoints, which is everybody's; the table of ioctls, which is one; a false alarm after a macro.
  (cd "$linux" && perl scripts/checkpatch.pl --strict --no-summary --terse --show-types --showfile \
    --ignore FILE_PATH_CHANGES,ALLOC_WITH_SIZEOF "$lab_debug"/series/000[1-9]-*.patch) > "$log" 2>&1 || true
  ! grep -v -e '/zynpu_trace.h:[0-9]*: CHECK:PARENTHESIS_ALIGNMENT:' -e '/zynpu_trace.h:[0-9]*: CHECK:OPEN_ENDED_LINE:' \
    -e '/zynpu_accel.h:[0-9]*: WARNING:LONG_LINE:' -e '/zynpu_test.c:[0-9]*: ERROR:OPEN_BRACE:' "$log" >&2 ||
    lab_fail "checkpatch has found something in the driver"
}

key=$(cd "$lab_source" && find kernel include/uapi lab/debug* -type f -print0 | LC_ALL=C sort -z | xargs -0 cat | sha256sum)
if [[ ! -f $lab_debug/built || $(<"$lab_debug/built") != "$version $key" ]]; then
  rm -f "$lab_debug/built"
  apply_series
  configure
  check
  echo "lab: building the kernel that checks itself"
  logged build kernel_make bzImage modules
  mkdir -p "$guest"/{modules,driver}
  cp "$build/arch/x86/boot/bzImage" "$guest/vmlinuz"
  cp "$build/.config" "$guest/config"
  cp "$lab/amd64/busybox" "$guest/busybox"
  cp "$build"/drivers/gpu/drm/scheduler/gpu-sched.ko "$guest/modules/"
  echo gpu-sched > "$guest/modules.order"
  cp "$build"/drivers/accel/zynpu/zynpu{,_pci}.ko "$guest/driver/"
  echo "$version $key" > "$lab_debug/built"
  echo "lab: built after $((SECONDS - started)) s"
fi

programs=()
for program in "$output"/amd64/bin/*; do programs+=("$program=bin/$(basename "$program")"); done
((${#programs[@]} > 1)) || lab_fail "the guests' programs are not built: lab/build.sh $output ZYNPU"
[[ ! -d $output/graphs ]] || programs+=("$output/graphs=graphs")
mkdir -p "$output/amd64-debug"
"$lab_source/lab/initramfs.sh" amd64-debug "$output/amd64-debug/initramfs" "$guest/driver" "${programs[@]}"
