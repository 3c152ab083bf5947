# SPDX-License-Identifier: MIT
# boot: X2OnArm64TellsItsLatency --arch arm64 --part x2
# boot: Z2OnArm64TellsItsLatency --arch arm64 --part z2
# Figures for people: no limit is set, for they are those of an emulated processor.
set -e
zynpu_conformance --device /dev/accel/accel0 --latency 1000

# Once more with the driver's tracepoints: from the ioctl to the doorbell, from there to the handled interrupt.
events=/sys/kernel/tracing/events/zynpu
echo 1 > $events/enable
zynpu_conformance --device /dev/accel/accel0 --latency 300 > /dev/null
echo 0 > $events/enable
grep -c zynpu_done: /sys/kernel/tracing/trace > /dev/null
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# TIME EVENT JOB, times in microseconds
sed -n 's/^.* \([0-9]*\)\.\([0-9]*\): zynpu_\([a-z]*\): .* job=\([0-9]*\) .*$/\1\2 \3 \4/p' /sys/kernel/tracing/trace > /tmp/events
awk '$2 == "submit" { t[$3] = $1 } $2 == "run" && $3 in t { print $1 - t[$3] }' /tmp/events > /tmp/kick
awk '$2 == "run" { t[$3] = $1 } $2 == "done" && $3 in t { print $1 - t[$3] }' /tmp/events > /tmp/run
[ -s /tmp/kick ] && [ -s /tmp/run ] || { echo "FAIL the tracepoints show no job"; exit 1; }
echo "traced: submission to doorbell $(median < /tmp/kick) us, doorbell to handled interrupt $(median < /tmp/run) us (medians)"
