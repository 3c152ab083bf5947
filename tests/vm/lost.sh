# SPDX-License-Identifier: MIT
# boot: X2OnArm64SurvivesTheLossOfTheDevice --arch arm64 --part x2
# boot: Z2OnArm64SurvivesTheLossOfTheDevice --arch arm64 --part z2
# The NPU's process is killed while jobs run: they fail, nothing hangs, the driver can be unloaded.
zynpu_conformance --device /dev/accel/accel0 --only again_and_again --jobs 100000 > /tmp/jobs 2>&1 &
jobs=$!
sleep 2
kill -0 $jobs || { echo "FAIL the jobs ended early"; cat /tmp/jobs; exit 1; }
echo "LAB: kill the server"
wait $jobs
status=$?
cat /tmp/jobs
[ $status = 1 ] || { echo "FAIL the jobs ended with status $status"; exit 1; }
grep -q '^FAIL a_job_runs_again_and_again' /tmp/jobs || exit 1
echo "PASS jobs fail when the device is gone"
rmmod zynpu_pci
for attempt in 1 2 3 4 5 6 7 8 9 10; do
  rmmod zynpu 2> /tmp/rmmod && echo "PASS the driver of a lost device is unloaded" && exit 0
  sleep 1
done
echo "FAIL the driver is in use for ever, references: $(cat /sys/module/zynpu/refcnt)"
exit 1
