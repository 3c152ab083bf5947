# SPDX-License-Identifier: MIT
# boot: X2OnArm64EqualsTheInProcessResults --arch arm64 --part x2
# boot: Z1OnArm64EqualsTheInProcessResults --arch arm64 --part z1
# boot: Z2OnArm64EqualsTheInProcessResults --arch arm64 --part z2
# The models that were compiled before, the command line as it is in process, and the driver unloaded and loaded again.
set -e
# What a process left behind is cleaned up after its end, so the last reference may go a moment later.
unload_zynpu() {
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    rmmod zynpu 2> /tmp/rmmod && return 0
    sleep 1
  done
  echo "FAIL the driver is in use for ever, references: $(cat /sys/module/zynpu/refcnt)"
  return 1
}
part=$(zynpu devices | sed -n 's|^/dev/accel/accel0 *\([a-z0-9]*\) .*|\1|p')
echo "the device is a $part"
models=
for graph in /graphs/*."$part".zy; do
  [ -e "$graph" ] || { echo "SKIP models: none were there to be compiled"; break; }
  name=${graph##*/}
  models="$models --model ${name%."$part".zy}"
done
# shellcheck disable=SC2086  # words
ZYNPU_SHARED=/shared zynpu_conformance --device /dev/accel/accel0 --graphs /graphs $models

zynpu run /models/fashion_mnist_int8.tflite --device /dev/accel/accel0 --image /models/sneaker.png \
  --labels /models/labels.txt --output-dir /tmp/kernel
zynpu run /models/fashion_mnist_int8.tflite --device "virtual:$part" --image /models/sneaker.png \
  --labels /models/labels.txt --output-dir /tmp/process
cmp /tmp/kernel/out0.bin /tmp/process/out0.bin
echo "PASS the command line gives the same bytes through the kernel and in process"

# The vendor's API on zynpu's kernel driver, with a graph and an input made here.
zynpu compile /models/fashion_mnist_int8.tflite --part "$part" -o /tmp/fashion.zy
head -c 784 /dev/urandom > /tmp/picture.bin
ZYNPU_DEVICE=/dev/accel/accel0 vendor_api_static /tmp/fashion.zy /tmp/picture.bin | tee /tmp/vendor-kernel
ZYNPU_DEVICE=virtual:$part vendor_api_static /tmp/fashion.zy /tmp/picture.bin > /tmp/vendor-process
grep -q 'class [0-9]' /tmp/vendor-kernel
cmp /tmp/vendor-kernel /tmp/vendor-process
echo "PASS the vendor's API gives the same class and score through the kernel and in process"

rmmod zynpu_pci
unload_zynpu
/etc/lab/load
zynpu_conformance --device /dev/accel/accel0 --only job --jobs 20
echo "PASS the driver was unloaded and loaded again"
