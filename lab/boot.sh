#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Boots a guest with a virtual NPU and runs a shell script in it.
#   lab/boot.sh --arch arm64|amd64 --part z1|z2|x2 --initramfs FILE --server ZYNPU --run SCRIPT
#               [--kernel usual|older|debug] [--interrupts msix|msi|intx] [--memory shared|messages] [--append KERNEL_PARAMETERS]
#               [--timeout SECONDS] [--ram SIZE] [--log FILE] [--input FILE=PATH_IN_GUEST]... [--null] [--shell] [--iommu]
# The guest's console goes to the output, and to FILE with --log. The exit status is that of the script in the guest.
# With a line `LAB: kill the server` on the console the guest has the NPU's process killed. --null starts no NPU; --shell hands
# this terminal to the guest's console, and then no status is reported. --iommu puts the NPU behind an IOMMU.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

original=("$@")
architecture=arm64 kernel=usual part=x2 interrupts=msix memory=shared append='' limit='' log=/dev/null ram='' null='' shell=''
iommu=''
initramfs='' server='' run=''
inputs=()
while (($#)); do
  case $1 in
    --arch) architecture=$2 ;;
    --kernel) kernel=$2 ;;
    --part) part=$2 ;;
    --interrupts) interrupts=$2 ;;
    --memory) memory=$2 ;;
    --append) append=$2 ;;
    --timeout) limit=$2 ;;
    --initramfs) initramfs=$2 ;;
    --server) server=$2 ;;
    --run) run=$2 ;;
    --ram) ram=$2 ;;
    --log) log=$2 ;;
    --input) inputs+=("$2") ;;
    --null | --shell | --iommu)
      declare "${1#--}=1"
      shift
      continue
      ;;
    *) lab_fail "unknown argument $1" ;;
  esac
  shift 2
done
[[ -n $initramfs && -n $run && (-n $server || -n $null) ]] || lab_fail "--initramfs, --server and --run are needed"
[[ -f $initramfs ]] || lab_fail "the guest is not built, there is no $initramfs (make vm-builds; make test-vm-debug for its kernel)"
name=$(lab_guest "$architecture" "$kernel")
vmlinuz=$(lab_guest_folder "$name")/vmlinuz

# Short, because a socket's path is at most 107 bytes long.
scratch=$(mktemp -d /tmp/lab.XXXXXX)
server_pid=
clean() {
  [[ -z $server_pid ]] || kill "$server_pid" 2>/dev/null || true
  rm -rf "$scratch"
}
trap clean EXIT

# What differs from boot to boot comes as a second archive behind the common one.
mkdir -p "$scratch/extra/etc/lab"
cp "$run" "$scratch/extra/etc/lab/run"
for pair in "${inputs[@]}"; do
  mkdir -p "$(dirname "$scratch/extra/${pair#*=}")"
  cp -rL "${pair%%=*}" "$scratch/extra/${pair#*=}"
done
cp "$initramfs" "$scratch/initramfs"
(cd "$scratch/extra" && find . -mindepth 1 -print0 | cpio --null --quiet -o -H newc -R 0:0) | gzip -1 >> "$scratch/initramfs"

# Where the kernel checks itself, what it says of itself counts too, and all takes longer and more.
if [[ $kernel == debug ]]; then
  append+=' lab.strict=1'
  : "${limit:=1500}" "${ram:=2G}"
else
  : "${limit:=300}" "${ram:=1G}"
fi

device=()
if [[ -z $null ]]; then
  timeout "$((limit + 30))" "$server" serve --part "$part" --socket "$scratch/npu" --interrupts "$interrupts" --once \
    > "$scratch/server.log" 2>&1 &
  server_pid=$!
  for ((i = 0; i < 300; ++i)); do
    [[ ! -S $scratch/npu ]] || break
    kill -0 "$server_pid" 2>/dev/null || lab_fail "the virtual NPU does not start: $(<"$scratch/server.log")"
    sleep 0.1
  done
  device=(-device '{"driver":"vfio-user-pci","socket":{"type":"unix","path":"'"$scratch"'/npu"},"rombar":0,"x-msg-timeout":60000}')
fi

case $architecture in
  arm64) machine=virt,gic-version=3 cpu=cortex-a53 console=ttyAMA0 ;;
  amd64) machine=q35 cpu=max console=ttyS0 ;;
  *) lab_fail "no guest of architecture $architecture" ;;
esac
object=()
if [[ $memory == shared ]]; then
  machine+=,memory-backend=mem
  object=(-object "memory-backend-memfd,id=mem,size=$ram,share=on")
fi

# Before the NPU: a device gets the address space that its bus has when the device is made.
[[ -z $iommu ]] || device=(-device virtio-iommu-pci "${device[@]}")

status=none
watch() {
  local line
  while IFS= read -r line; do
    line=${line%$'\r'}
    printf '%s\n' "$line"
    case $line in
      *'LAB: kill the server'*) [[ -z $server_pid ]] || pkill -9 -P "$server_pid" || true ;;
      # QEMU 11.1 aborts now and then when its device's process dies in the middle of an access: nothing of ours.
      *'error_setv: Assertion'*) touch "$scratch/aborted" ;;
      *'LAB: exit '*) echo "${line##*LAB: exit }" > "$scratch/status" ;;
    esac
  done
}
# `panic=-1` with -no-reboot ends QEMU on a panic, with status 0: what counts is the line that the guest prints.
# init_on_alloc=0: Debian's kernels zero all memory, which hides it when a driver does not.
guest() {
  lab_qemu_limit=$limit
  lab_qemu "$architecture" -accel tcg,thread=multi -machine "$machine" -cpu "$cpu" -smp 2 -m "$ram" \
    "${object[@]}" -nodefaults -display none -monitor none -serial stdio -no-reboot -kernel "$vmlinuz" \
    -initrd "$scratch/initramfs" \
    -append "console=$console panic=-1 quiet panic_on_warn=1 oops=panic cma=256M init_on_alloc=0 $append" \
    "${device[@]}"
}
if [[ -n $shell ]]; then
  (guest) || true
  exit 0
fi
(guest 2>&1 < /dev/null) | watch | tee "$log" || true

if [[ -f $scratch/aborted && ! -f $scratch/status && ${LAB_ATTEMPT:-1} -lt 12 ]]; then
  echo "lab: QEMU aborted on the loss of its device; once more"
  clean
  LAB_ATTEMPT=$((${LAB_ATTEMPT:-1} + 1)) exec "$0" "${original[@]}"
fi
[[ ! -f $scratch/status ]] || status=$(<"$scratch/status")
[[ ! -s $scratch/server.log ]] || sed 's/^/server: /' "$scratch/server.log" | tail -n 5
if [[ $status == none ]]; then
  echo "lab: the guest ended without reporting (limit $limit s)" >&2
  exit 1
fi
[[ $status =~ ^[0-9]+$ ]] || exit 1
exit "$status"
