# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced by the scripts of this folder that fetch packages, after common.sh: an apt of its own, whose state lies in a
# folder and goes with it. Nothing of this machine's apt changes. The archive is the one that it has for its own release.

configured_mirror() {
  # shellcheck disable=SC2016  # apt fills it in
  apt-get indextargets --format '$(ORIGIN) $(LABEL) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "Debian" && $2 == "Debian" && !found { print $4; found = 1 }'
}

# archive_open FOLDER RELEASE...: package lists of these releases of Debian with their backports. Ends the script where
# the archive cannot be reached. Logs go to FOLDER/log.
archive_open() {
  archive=$1
  shift
  local mirror list suite keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  mkdir -p "$archive"/{apt/cache/archives/partial,debs,log}
  mirror=$(configured_mirror)
  if [[ -z $mirror ]] && ((EUID == 0)); then  # without package lists apt does not know whose archive it is
    apt-get -q update > "$archive/log/update" 2>&1 || true
    mirror=$(configured_mirror)
  fi
  [[ -n $mirror ]] || lab_unavailable "apt on this machine is not set up for a Debian archive (try: apt-get update)"
  : > "$archive/apt/status"
  for list; do
    for suite in "$list" "$list-backports"; do
      echo "deb [arch=amd64,arm64 signed-by=$keyring] $mirror $suite main"
    done > "$archive/apt/$list.list"
    private_apt "$list" apt-get update --error-on=any > "$archive/log/update-$list" 2>&1 ||
      lab_unavailable "the package archive cannot be reached, and what it is asked for is not in the cache:
$(tail -n 5 "$archive/log/update-$list")"
  done
}

archive_close() { rm -rf "$archive/apt" "$archive/debs"; }

# apt with a state of its own. private_apt RELEASE TOOL ARGUMENT...
private_apt() {
  local list=$1 tool=$2
  shift 2
  mkdir -p "$archive/apt/lists-$list/partial"
  "$tool" -q -o "Dir::Etc::sourcelist=$archive/apt/$list.list" -o Dir::Etc::sourceparts=- \
    -o "Dir::State::lists=$archive/apt/lists-$list" -o "Dir::State::status=$archive/apt/status" \
    -o "Dir::Cache=$archive/apt/cache" -o Acquire::Languages=none -o APT::Architecture=amd64 \
    -o APT::Architectures::=amd64 -o APT::Architectures::=arm64 -o "APT::Default-Release=$list-backports" \
    -o APT::Sandbox::User=root -o APT::Get::List-Cleanup=false "$@"
}

fetch() {  # RELEASE PACKAGE...: into the archive's folder debs
  local list=$1
  shift
  (cd "$archive/debs" && private_apt "$list" apt-get download "$@") > "$archive/log/fetch-${1%%=*}" 2>&1 ||
    lab_fail "cannot fetch $*: $(tail -n 5 "$archive/log/fetch-${1%%=*}")"
}

fetched() {  # PACKAGE ARCHITECTURE: the file that came
  local -a found=("$archive/debs/$1"_*_"$2".deb)
  [[ -f ${found[0]} ]] || lab_fail "no package $1 for $2 came"
  echo "${found[0]}"
}
