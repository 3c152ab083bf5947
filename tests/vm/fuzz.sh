# SPDX-License-Identifier: MIT
# boot: RandomIoctlsOnNullHardware --null --arch arm64 --append lab.nodevice=1
# boot: RandomIoctlsOnX2 --arch amd64 --part x2 --append lab.nodevice=1
# debug: RandomIoctlsOnNullHardware --null --append lab.nodevice=1
# debug: RandomIoctlsOnX2 --part x2 --append lab.nodevice=1
# A warning of the kernel is a panic here. Without a device of the bus the driver makes one without hardware.
set -e
less=${LAB_SLOW:+5}  # a kernel that checks itself is slow
if [ -d /sys/bus/pci/devices/0000:00:01.0 ] && grep -q 0x1b36 /sys/bus/pci/devices/0000:00:0*/vendor; then
  LAB_INSMOD_ARGUMENTS="ban_after=0" /etc/lab/load
  sleep 1
  guest_fuzz $((100000 / ${less:-1})) 7
else
  for part in x2 z2; do
    insmod /lib/lab/zynpu.ko "null_hw=$part"
    sleep 1
    guest_fuzz $((50000 / ${less:-1})) "${#part}"
    sleep 1
    grep -q '^bo_count 0$' /sys/kernel/debug/accel/*/status
    rmmod zynpu
  done
fi
