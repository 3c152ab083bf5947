# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced by the scripts of this folder: where the lab lies and how to start what is in it.

lab_source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
lab=${ZYNPU_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/zynpu}/lab
lab_root=$lab/root
lab_debug=$lab-debug  # of lab/debug-kernel.sh

# Exit status of the scripts when the lab cannot be had here (CTest: skipped), as against 1 for a failure.
readonly LAB_UNAVAILABLE=77

lab_fail() {
  echo "lab: $*" >&2
  exit 1
}

# One reason, told in full; on a machine of a continuous integration it is a failure, never a skip.
lab_unavailable() {
  echo "lab: not available: $*" >&2
  [[ -z ${CI:-} ]] || exit 1
  exit $LAB_UNAVAILABLE
}

# The architectures of the guests, in the names of Debian. A guest is called by its architecture, and by its kernel
# where that is not the usual one. LAB_GUESTS are those of each build; there is also amd64-debug, on demand.
# shellcheck disable=SC2034  # used where this is sourced
readonly LAB_ARCHITECTURES="arm64 amd64" LAB_GUESTS="arm64 amd64 amd64-older"

lab_guest() {  # ARCHITECTURE KERNEL: the guest's name; KERNEL: usual, older or debug
  local guest=$1
  [[ $2 == usual ]] || guest+=-$2
  [[ " $LAB_GUESTS amd64-debug " == *" $guest "* ]] ||
    lab_fail "no guest of architecture $1 with the kernel '$2' (there are: $LAB_GUESTS amd64-debug)"
  echo "$guest"
}

lab_guest_folder() {  # GUEST: where its kernel, modules and shell lie
  if [[ $1 == amd64-debug ]]; then echo "$lab_debug/guest"; else echo "$lab/$1"; fi
}

lab_abi() { cat "$lab/abi"; }  # of the guests' kernel packages, e.g. 7.3.4+deb13

# Runs a command inside the side root, with /proc, and with the folder $1 mounted on /mnt. Needs root's rights or
# unprivileged user namespaces.
lab_in_root() {
  local mounted=$1
  shift
  local -a rights=()
  ((EUID == 0)) || rights=(--map-root-user)
  # shellcheck disable=SC2016  # the inner shell expands them
  unshare "${rights[@]}" --mount --pid --fork --kill-child -- bash -euc '
    root=$1 mounted=$2
    shift 2
    mount --make-rprivate /
    mount -t proc proc "$root/proc"
    mount --bind "$mounted" "$root/mnt"
    exec chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/ LC_ALL=C "$@"' lab "$lab_root" "$mounted" "$@"
}

# The QEMU of the side root, started by that root's own dynamic loader, so that nothing of the host is touched.
# lab_qemu ARCHITECTURE ARGUMENT...; it ends after lab_qemu_limit seconds, if that is set.
lab_qemu() {
  local machine
  case $1 in
    arm64) machine=aarch64 ;;
    amd64) machine=x86_64 ;;
    *) lab_fail "no guest of architecture $1" ;;
  esac
  shift
  exec timeout --foreground --kill-after=5 "${lab_qemu_limit:-0}" "$lab_root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$lab_root/usr/lib/x86_64-linux-gnu" \
    --argv0 "qemu-system-$machine" "$lab_root/usr/bin/qemu-system-$machine" \
    -L "$lab_root/usr/share/qemu" -L "$lab_root/usr/share/seabios" "$@"
}
