# SPDX-License-Identifier: MIT
# debug: AnyAllocationMayFailOnX2 --part x2
# debug: AnyAllocationMayFailOnZ2 --part z2
# Each call once for each memory allocation in it, which fails: the call fails or not, nothing breaks, nothing is lost.
guest_nomem || exit 1
rmmod zynpu_pci
rmmod zynpu && echo "PASS the driver was unloaded"
