# SPDX-License-Identifier: MIT
# boot: X2OnAmd64WorksByMsix --arch amd64 --part x2
# boot: X2OnAmd64WorksWithBouncedBuffers --arch amd64 --part x2 --append swiotlb=force
# boot: Z2OnAmd64WorksByMsi --arch amd64 --part z2 --interrupts msi
# boot: X2OnTheOlderKernelWorksByMsix --arch amd64 --kernel older --part x2
# boot: X2OnArm64WorksByIntx --arch arm64 --part x2 --interrupts intx
# boot: Z1OnArm64WorksWithMemoryServedByMessages --arch arm64 --part z1 --memory messages
# debug: X2WorksByIntx --part x2 --interrupts intx
# Other ways for interrupts and memory: few jobs, each with data in and out.
set -e
grep -i zynpu /proc/interrupts
part=$(zynpu devices | sed -n 's|^/dev/accel/accel0 *\([a-z0-9]*\) .*|\1|p')
models=
if [ -e "/graphs/hello_world_sine_int8.$part.zy" ]; then
  models="--model hello_world_sine_int8"
else
  echo "SKIP model: it was not there to be compiled"
fi
# shellcheck disable=SC2086  # words
ZYNPU_SHARED=/shared zynpu_conformance --device /dev/accel/accel0 --graphs /graphs $models --jobs 50
grep -i zynpu /proc/interrupts
