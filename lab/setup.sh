#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the lab's side root once: QEMU, compilers and kernel headers of Debian 13 with its backports, kernels,
# modules and a shell for the guests. All of it lies in the user's cache; nothing on the host changes. Once built it
# is used as it is, offline too; `lab/setup.sh --renew` builds it anew from what the archive has now.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source-path=SCRIPTDIR source=archive.sh
source "$(dirname "${BASH_SOURCE[0]}")/archive.sh"

# Raise when the contents of the root change: roots of another number are built anew.
readonly FORMAT=3
# Modules that the guests load; their dependencies are found in the packages.
readonly MODULES="drm gpu-sched drm_kms_helper drm_shmem_helper drm_dma_helper drm_exec virtio_blk virtio_iommu"

if [[ ${1:-} == --renew ]]; then
  rm -rf "$lab"
elif [[ -f $lab/format && $(<"$lab/format") == "$FORMAT" ]]; then
  exit 0
fi

[[ $(dpkg --print-architecture 2>/dev/null) == amd64 ]] ||
  lab_unavailable "the side root holds programs for Debian on amd64, and this machine is another"
"$lab_source/scripts/setup.sh" vm || lab_unavailable "packages of this machine are missing, and cannot be installed (see above)"

started=$SECONDS
mkdir -p "$(dirname "$lab")"
exec 9>"$lab.lock"
flock 9
[[ ! -f $lab/format || $(<"$lab/format") != "$FORMAT" ]] || exit 0
build=$lab.new
rm -rf "$build"
archive_open "$build" trixie bookworm

# Backports keep only the newest kernel, so its name is asked for. The meta package depends on the named one.
dependency_of() {  # LIST META-PACKAGE PATTERN
  private_apt "$1" apt-cache show --no-all-versions "$2" |
    sed -n 's/^Depends: //p' | tr ',' '\n' | sed -n "s/^ *\\($3\\)\\( .*\\)\\?\$/\\1/p" | head -n 1
}
headers=$(dependency_of trixie linux-headers-arm64:arm64 'linux-headers-[0-9][^ ]*-arm64')
abi=${headers#linux-headers-}
abi=${abi%-arm64}
headers=$(dependency_of bookworm linux-headers-amd64 'linux-headers-[0-9][^ ]*-amd64')
abi_older=${headers#linux-headers-}
abi_older=${abi_older%-amd64}
[[ -n $abi && -n $abi_older ]] || lab_fail "the archive names no kernel headers in its backports"
version=$(private_apt trixie apt-cache show --no-all-versions linux-headers-arm64:arm64 | sed -n 's/^Version: //p')
# What the archive signs comes later than what it is made of: either will do.
image_older=linux-image-$abi_older-amd64-unsigned
[[ -n $(private_apt bookworm apt-cache show "$image_older" 2>/dev/null) ]] || image_older=${image_older%-unsigned}
echo "lab: guests run Linux $abi, some $abi_older"

# A guest's kernel and modules, and a shell.  unpack_guest GUEST ARCHITECTURE PACKAGE...
unpack_guest() {
  local guest=$build/$1 arch=$2 package module
  shift 2
  mkdir -p "$guest/modules" "$guest/unpacked"
  for package in busybox-static "$@"; do
    dpkg-deb --fsys-tarfile "$(fetched "$package" "$arch")" |
      tar -x -C "$guest/unpacked" --wildcards './usr/bin/busybox' './bin/busybox' '*/vmlinuz*' '*/config*' \
        '*/modules.builtin' '*/kernel/drivers/gpu/drm/*.ko.xz' '*/kernel/drivers/block/virtio_blk.ko.xz' \
        '*/kernel/drivers/dma-buf/*.ko.xz' '*/kernel/drivers/iommu/virtio*iommu.ko.xz' \
        2>/dev/null || true  # tar is not content with patterns that find nothing
  done
  install -m 755 "$(find "$guest/unpacked" -name busybox -type f | head -n 1)" "$guest/busybox"
  install -m 644 "$(find "$guest/unpacked" -name 'vmlinuz*' -type f | head -n 1)" "$guest/vmlinuz"
  install -m 644 "$(find "$guest/unpacked" -name 'config*' -type f | head -n 1)" "$guest/config"
  # Debian's modules are compressed; the guests get them plain, in the order in which they can be loaded.
  declare -A seen=()
  : > "$guest/modules.order"
  for module in $MODULES; do add_module "$module"; done
  rm -rf "$guest/unpacked"
}
add_module() {  # NAME: to $guest, with what it depends on; once each, by $seen
  local name=${1//-/_} file dependency
  [[ -z ${seen[$name]:-} ]] || return 0
  seen[$name]=1
  file=$(find "$guest/unpacked" -name "${name//_/[-_]}.ko.xz" | head -n 1)
  [[ -n $file ]] || return 0  # built in, or not built for this architecture
  xz -dc "$file" > "$guest/modules/$name.ko"
  for dependency in $(tr '\0' '\n' < "$guest/modules/$name.ko" | sed -n 's/^depends=//p' | tr ',' ' '); do
    add_module "$dependency"
  done
  echo "$name" >> "$guest/modules.order"
}

# What is unpacked piece by piece is fetched while mmdebstrap unpacks the root.
(
  fetch trixie busybox-static:amd64 busybox-static:arm64 \
    "linux-binary-$abi-arm64:arm64" "linux-modules-$abi-arm64:arm64" "linux-base-$abi-arm64:arm64" \
    "linux-binary-$abi-amd64:amd64" "linux-modules-$abi-amd64:amd64" "linux-base-$abi-amd64:amd64"
  for arch in $LAB_ARCHITECTURES; do
    unpack_guest "$arch" "$arch" "linux-binary-$abi-$arch" "linux-modules-$abi-$arch" "linux-base-$abi-$arch"
  done
  fetch bookworm "$image_older" "linux-headers-$abi_older-amd64" "linux-headers-$abi_older-common" \
    "linux-kbuild-$abi_older"
  unpack_guest amd64-older amd64 "$image_older"
  mkdir -p "$build/older"
  for package in "$build/debs/linux-headers-$abi_older"*.deb "$build/debs/linux-kbuild-$abi_older"*.deb; do
    dpkg-deb -x "$package" "$build/older"
  done
) & pieces=$!

packages=(
  base-files base-passwd
  qemu-system-x86 qemu-system-arm seabios ipxe-qemu
  dash bash coreutils findutils diffutils sed grep gawk tar gzip xz-utils bzip2 cpio perl-base
  gcc-14 gcc-14-aarch64-linux-gnu gcc-14-x86-64-linux-gnu binutils make bc kmod sparse device-tree-compiler
  libc6-dev flex bison libelf-dev
  "linux-headers-$abi-amd64" "linux-headers-$abi-arm64:arm64" "linux-kbuild-$abi"
)
mode=unshare
((EUID != 0)) || mode=root
if ! mmdebstrap --quiet --mode="$mode" --variant=extract --architectures=amd64,arm64 \
  --aptopt='APT::Default-Release "trixie-backports"' --aptopt='APT::Install-Recommends "false"' \
  --aptopt='Acquire::Languages "none"' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --include="$(IFS=,; echo "${packages[*]}")" trixie "$build/root" "$build/apt/trixie.list" \
  > "$build/log/mmdebstrap" 2>&1; then
  kill "$pieces" 2>/dev/null || true
  lab_fail "the side root could not be built:
$(tail -n 20 "$build/log/mmdebstrap")"
fi
wait "$pieces" || lab_fail "the kernels and modules of the guests could not be fetched"

# No maintainer script ran, so there are no alternatives and no link to the loader's usual place but base-files' own.
ln -sf gawk "$build/root/usr/bin/awk"
[[ -e $build/root/usr/bin/sh ]] || ln -s dash "$build/root/usr/bin/sh"
mkdir -p "$build/root"/{proc,mnt,tmp}
archive_close
rm -rf "$build/root/var/cache/apt" "$build/root/var/lib/apt/lists"
echo "$abi" > "$build/abi"
echo "$version" > "$build/version"
echo "$abi_older" > "$build/abi-older"
echo "$FORMAT" > "$build/format"
rm -rf "$lab"
mv "$build" "$lab"
echo "lab: ready in $lab after $((SECONDS - started)) s"
