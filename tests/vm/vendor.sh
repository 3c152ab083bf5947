# SPDX-License-Identifier: MIT
# boot: VendorClientOnX2 --arch amd64 --part x2
# boot: VendorClientOnZ2 --arch amd64 --part z2
# The client that is written from the vendor's documentation alone, on the kernel driver: sync, async, batches, threads,
# shared buffers, dma-bufs. Not here: the program that fails by reading address 0, which is memory of the guest where no
# IOMMU stands before the device.
cd /tmp || exit 1
part=$(zynpu devices | sed -n 's|^/dev/accel/accel0 *\([a-z0-9]*\) .*|\1|p')
ZYNPU_DEVICE=/dev/accel/accel0 ZYNPU_TEST_PART=$part compat_client_test \
  --gtest_filter="*/$part:-*ReportsAProgramThatFails*" --gtest_color=no > client 2>&1
status=$?
cat client
[ "$status" = 0 ] && grep -q 'PASSED.*12 tests' client || { echo "FAIL the vendor's client"; exit 1; }
echo "PASS the vendor's client on /dev/accel/accel0"
