#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the lab's side root once: QEMU, compilers and kernel headers of Debian 13 with its backports, kernels,
# modules and a shell for the guests. All of it lies in the user's cache; nothing on the host changes. Once built it
# is used as it is, offline too; `lab/setup.sh --renew` builds it anew from what the archive has now.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Raise when the contents of the root change: roots of another number are built anew.
readonly FORMAT=2
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
mkdir -p "$build"/{apt/lists/partial,apt/cache/archives/partial,debs,log}

# The archive is the one that this machine's apt has for its own release.
configured_mirror() {
  apt-get indextargets --format '$(ORIGIN) $(LABEL) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "Debian" && $2 == "Debian" && !found { print $4; found = 1 }'
}
mirror=$(configured_mirror)
if [[ -z $mirror ]] && ((EUID == 0)); then  # without package lists apt does not know whose archive it is
  apt-get -q update > "$build/log/update" 2>&1 || true
  mirror=$(configured_mirror)
fi
[[ -n $mirror ]] || lab_unavailable "apt on this machine is not set up for a Debian archive (try: apt-get update)"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

: > "$build/apt/status"
sources() {  # SUITE...
  local suite
  for suite; do echo "deb [arch=amd64,arm64 signed-by=$keyring] $mirror $suite main"; done
}
sources trixie trixie-backports > "$build/apt/trixie.list"
sources bookworm bookworm-backports > "$build/apt/bookworm.list"

# apt with a state of its own. private_apt LIST TOOL ARGUMENT...
private_apt() {
  local list=$1 tool=$2
  shift 2
  mkdir -p "$build/apt/lists-$list/partial"
  "$tool" -q -o "Dir::Etc::sourcelist=$build/apt/$list.list" -o Dir::Etc::sourceparts=- \
    -o "Dir::State::lists=$build/apt/lists-$list" -o "Dir::State::status=$build/apt/status" \
    -o "Dir::Cache=$build/apt/cache" -o Acquire::Languages=none -o APT::Architecture=amd64 \
    -o APT::Architectures::=amd64 -o APT::Architectures::=arm64 -o "APT::Default-Release=$list-backports" \
    -o APT::Sandbox::User=root -o APT::Get::List-Cleanup=false "$@"
}

for list in trixie bookworm; do
  private_apt "$list" apt-get update --error-on=any > "$build/log/update-$list" 2>&1 ||
    lab_unavailable "the package archive cannot be reached, and there is no lab in the cache:
$(tail -n 5 "$build/log/update-$list")"
done

# Backports keep only the newest kernel, so its name is asked for. The meta package depends on the named one.
headers_package() {  # LIST META-PACKAGE PATTERN
  private_apt "$1" apt-cache show --no-all-versions "$2" |
    sed -n 's/^Depends: //p' | tr ',' '\n' | sed -n "s/^ *\\($3\\)\\( .*\\)\\?\$/\\1/p" | head -n 1
}
headers=$(headers_package trixie linux-headers-arm64:arm64 'linux-headers-[0-9][^ ]*-arm64')
abi=${headers#linux-headers-}
abi=${abi%-arm64}
headers=$(headers_package bookworm linux-headers-amd64 'linux-headers-[0-9][^ ]*-amd64')
abi_older=${headers#linux-headers-}
abi_older=${abi_older%-amd64}
[[ -n $abi && -n $abi_older ]] || lab_fail "the archive names no kernel headers in its backports"
echo "lab: guests run Linux $abi; the driver is also built for $abi_older"

fetch() {  # LIST PACKAGE...: into $build/debs
  local list=$1
  shift
  (cd "$build/debs" && private_apt "$list" apt-get download "$@") > "$build/log/fetch-$1" 2>&1 ||
    lab_fail "cannot fetch $*: $(tail -n 5 "$build/log/fetch-$1")"
}
deb() { # PACKAGE ARCHITECTURE
  local -a found=("$build/debs/$1"_*_"$2".deb)
  [[ -f ${found[0]} ]] || lab_fail "no package $1 for $2 came"
  echo "${found[0]}"
}

# What is unpacked piece by piece is fetched while mmdebstrap unpacks the root.
(
  fetch trixie busybox-static:amd64 busybox-static:arm64 \
    "linux-binary-$abi-arm64:arm64" "linux-modules-$abi-arm64:arm64" "linux-base-$abi-arm64:arm64" \
    "linux-binary-$abi-amd64:amd64" "linux-modules-$abi-amd64:amd64" "linux-base-$abi-amd64:amd64"
  for arch in $LAB_ARCHITECTURES; do
    guest=$build/$arch
    mkdir -p "$guest/modules" "$guest/unpacked"
    for package in busybox-static "linux-binary-$abi-$arch" "linux-modules-$abi-$arch" "linux-base-$abi-$arch"; do
      dpkg-deb --fsys-tarfile "$(deb "$package" "$arch")" |
        tar -x -C "$guest/unpacked" --wildcards './usr/bin/busybox' './bin/busybox' '*/vmlinuz*' '*/config*' \
          '*/modules.builtin' '*/kernel/drivers/gpu/drm/*.ko.xz' '*/kernel/drivers/block/virtio_blk.ko.xz' \
          '*/kernel/drivers/dma-buf/*.ko.xz' '*/kernel/drivers/iommu/virtio[-_]iommu.ko.xz' 2>/dev/null || true  # tar is not content with patterns that find nothing
    done
    install -m 755 "$(find "$guest/unpacked" -name busybox -type f | head -n 1)" "$guest/busybox"
    install -m 644 "$(find "$guest/unpacked" -name 'vmlinuz*' -type f | head -n 1)" "$guest/vmlinuz"
    install -m 644 "$(find "$guest/unpacked" -name 'config*' -type f | head -n 1)" "$guest/config"
    # Debian's modules are compressed; the guests get them plain, in the order in which they can be loaded.
    declare -A seen=()
    : > "$guest/modules.order"
    add_module() {
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
    for module in $MODULES; do add_module "$module"; done
    unset seen
    rm -rf "$guest/unpacked"
  done
  fetch bookworm "linux-headers-$abi_older-amd64" "linux-headers-$abi_older-common" "linux-kbuild-$abi_older"
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
  libc6-dev
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
rm -rf "$build/debs" "$build/apt" "$build/root/var/cache/apt" "$build/root/var/lib/apt/lists"
echo "$abi" > "$build/abi"
echo "$abi_older" > "$build/abi-older"
echo "$FORMAT" > "$build/format"
rm -rf "$lab"
mv "$build" "$lab"
echo "lab: ready in $lab after $((SECONDS - started)) s"
