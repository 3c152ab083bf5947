# SPDX-License-Identifier: MIT
# boot: VendorClientOnX2 --arch amd64 --part x2
# boot: VendorClientOnX2BehindAnIommu --arch amd64 --part x2 --iommu
# boot: VendorClientOnZ2 --arch amd64 --part z2
# The client that is written from the vendor's documentation alone, on the kernel driver: sync, async, batches, threads,
# shared buffers, dma-bufs. The program that fails by reading address 0 is one only behind an IOMMU: without one that is
# memory of the guest.
cd /tmp || exit 1
part=$(zynpu devices | sed -n 's|^/dev/accel/accel0 *\([a-z0-9]*\) .*|\1|p')
tests="*/$part" expected=13
dmesg | grep -q 'engines, IOMMU' || tests="*/$part:-*ReportsAProgramThatFails*" expected=12
ZYNPU_DEVICE=/dev/accel/accel0 ZYNPU_TEST_PART=$part compat_client_test --gtest_filter="$tests" --gtest_color=no > client 2>&1
status=$?
cat client
[ "$status" = 0 ] && grep -q "PASSED.*$expected tests" client || { echo "FAIL the vendor's client"; exit 1; }
echo "PASS the vendor's client on /dev/accel/accel0"
