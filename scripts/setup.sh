#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what zynpu needs from Debian 12's own packages. Usage: scripts/setup.sh [SET]...   (default: build)
#   build   compiler, build tools and libraries of the `zynpu` command
#   test    what `make test` needs on top: GoogleTest, Clang with its sanitizers and libFuzzer, Python
#   bench   Google Benchmark
#   lint    clang-format, clang-tidy, reuse
#   vm      what builds and boots the lab's guests: mmdebstrap and archive tools, the arm64 cross compiler
#   train   the data set and Python for models/fashion_mnist/train.py
# Packages already installed are left alone; where nothing is missing, nothing is run and no rights are needed.
set -euo pipefail

packages_of() {
  case "$1" in
    build)
      echo g++ cmake ninja-build ccache git ca-certificates \
        libfmt-dev libexpected-dev nlohmann-json3-dev libcli11-dev \
        libflatbuffers-dev flatbuffers-compiler flatbuffers-compiler-dev libstb-dev libdrm-dev
      ;;
    test) echo libgtest-dev libgmock-dev clang libclang-rt-14-dev python3 python3-venv device-tree-compiler ;;
    bench) echo libbenchmark-dev ;;
    lint) echo clang clang-format clang-tidy reuse ;;
    vm) echo mmdebstrap debian-archive-keyring cpio xz-utils gzip util-linux binutils bc g++-aarch64-linux-gnu gcc-12 ;;
    train) echo dataset-fashion-mnist python3 python3-venv ;;
    *)
      echo "setup: unknown package set '$1' (known: build, test, bench, lint, vm, train)" >&2
      return 2
      ;;
  esac
}

wanted=()
for set_name in "${@:-build}"; do
  list=$(packages_of "$set_name")
  read -r -a names <<<"$list"
  wanted+=("${names[@]}")
done

if ! command -v dpkg-query >/dev/null; then
  echo "setup: this is not a Debian system; install the equivalents of these packages by hand: ${wanted[*]}" >&2
  exit 1
fi

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

if ((EUID != 0)); then
  echo "setup: these packages are missing and only root can install them. Run, then try again:" >&2
  echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -q -y -o DPkg::Lock::Timeout=300)
updated=no
update() {
  "${apt[@]}" update
  updated=yes
}

# A package without a candidate means that the package lists are absent or older than the release.
for package in "${missing[@]}"; do
  if [[ -z $(apt-cache show --no-all-versions "$package" 2>/dev/null) ]]; then
    update
    break
  fi
done
echo "setup: installing ${missing[*]}"
if ! "${apt[@]}" install --no-install-recommends "${missing[@]}"; then
  [[ $updated == no ]] || exit 1
  update  # the lists named a version that the archive has replaced since
  "${apt[@]}" install --no-install-recommends "${missing[@]}"
fi
