# SPDX-License-Identifier: MIT
# boot: X2FaultsStayWithTheirJob --arch arm64 --part x2
# boot: Z2FaultsStayWithTheirJob --arch arm64 --part z2
# boot: X2FaultsStayWithTheirJobOnTheOlderKernel --arch amd64 --kernel older --part x2
# boot: Z1FaultsStayWithTheirJob --arch arm64 --part z1
# debug: X2FaultsStayWithTheirJob --part x2
# debug: Z2FaultsStayWithTheirJob --part z2
guest_faults || exit 1
guest_isolation || exit 1
# With every file closed nothing holds the driver.
rmmod zynpu_pci
rmmod zynpu || exit 1
echo "PASS the driver was unloaded"
# Last what keeps memory from everybody: a kernel that checks itself would miss it at an unloading.
/etc/lab/load || exit 1
for attempt in 1 2 3 4 5; do [ -e /dev/accel/accel0 ] && break; sleep 1; done
guest_device || exit 1
guest_faults wedge
