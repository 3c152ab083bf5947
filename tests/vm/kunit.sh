# SPDX-License-Identifier: MIT
# debug: TheDriversKunitTestsPass --null --append lab.nodevice=1
# The driver's KUnit tests run when it is loaded.
set -e
insmod /lib/lab/zynpu.ko
results=/sys/kernel/debug/kunit/zynpu/results
cat $results
grep -q '^# zynpu: pass:[1-9][0-9]* fail:0 skip:0 ' $results
! grep -q 'not ok' $results
echo "PASS the driver's KUnit tests"
