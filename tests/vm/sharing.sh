# SPDX-License-Identifier: MIT
# boot: X2SharesMemory --arch arm64 --part x2
# boot: Z2SharesMemory --arch amd64 --part z2
# boot: X2SharesMemoryBehindAnIommu --arch arm64 --part x2 --iommu
# boot: X2SharesMemoryThatIsBounced --arch amd64 --part x2 --append swiotlb=force
# Memory by file descriptors: the driver's own, and that of two exporters, udmabuf (two pages of a memfd, in both orders)
# and a dma-buf heap. What is in pieces is one buffer behind an IOMMU, and without one it must be refused in words.
run() { # FILE ARGUMENT...: the suite, with its lines in FILE
  lines=$1
  shift
  zynpu_conformance "$@" > "$lines" || { cat "$lines"; exit 1; }
  cat "$lines"
}
has() { # TEXT
  grep -q -- "$1" "$lines" || { echo "FAIL there is no line '$1'"; exit 1; }
}
device=/dev/accel/accel0

if grep -q swiotlb=force /proc/cmdline; then
  # Imported memory is copied at each job.
  run bounced --device "$device" --only shared_memory
  has '^NOTE 1 pages of the dma-buf heap imported'
  exit 0
fi

if dmesg | grep -q 'engines, IOMMU'; then
  # With a domain of its own everybody may import.
  chmod 666 "$device" /dev/udmabuf
  for user in 0 65534; do
    run "user-$user" --user "$user" --device "$device" --only shared_memory
    has '^NOTE 1 pages of udmabuf imported'
    [ "$(grep -c '^NOTE 2 pages of udmabuf imported' "$lines")" = 2 ] || { echo "FAIL imports in pieces"; exit 1; }
  done
  exit 0
fi

run root --device "$device" --only shared_memory
has '^NOTE 1 pages of udmabuf imported'
has '^NOTE 2 pages of udmabuf refused: .*its memory is in pieces'
# Debian's kernel for arm64 has no heaps.
heap=/dev/dma_heap/system imports=3
if [ -e $heap ]; then
  imports=5
  has '^NOTE 1 pages of the dma-buf heap imported'
fi
[ "$(sed -n 's|^bo_count ||p' /sys/kernel/debug/accel/*/status)" = 0 ] || { echo "FAIL buffers are left"; exit 1; }

# A virtual NPU in process takes real dma-bufs too, in as many pieces as they are.
part=$(zynpu devices | sed -n "s|^$device *\([a-z0-9]*\) .*|\1|p")
run virtual --device "virtual:$part" --only shared_memory
[ "$(grep -c '^NOTE .* imported' virtual)" = $imports ] || { echo "FAIL imports of the virtual NPU"; exit 1; }

# Without root's rights: Z2 gives a private window, whose memory can be shared but into which none can be imported.
[ "$part" = z2 ] || exit 0
chmod 666 "$device" /dev/udmabuf $heap
run user --user 65534 --device "$device" --only shared_memory
has '^NOTE 1 pages of udmabuf refused: .*private window'
has '^NOTE 1 pages of the dma-buf heap refused: .*private window'
! grep -q '^NOTE .* imported' user || { echo "FAIL imports into a window"; exit 1; }
