# SPDX-License-Identifier: MIT
# boot: X2FaultsStayWithTheirJob --arch arm64 --part x2
# boot: Z2FaultsStayWithTheirJob --arch arm64 --part z2
# boot: X2FaultsStayWithTheirJobOnTheOlderKernel --arch amd64 --kernel older --part x2
# boot: Z1FaultsStayWithTheirJob --arch arm64 --part z1
# debug: X2FaultsStayWithTheirJob --part x2
# debug: Z2FaultsStayWithTheirJob --part z2
guest_faults || exit 1
guest_isolation || exit 1
guest_device || exit 1
# With every file closed nothing holds the driver.
rmmod zynpu_pci
rmmod zynpu || exit 1
echo "PASS the driver was unloaded"
# Last, for the memory that this keeps from everybody would be missed at an unloading by a kernel that checks itself.
/etc/lab/load && sleep 1
guest_faults wedge
