# SPDX-License-Identifier: MIT
# boot: X2OnArm64WorksBehindAnIommu --arch arm64 --part x2 --iommu
# boot: Z2OnAmd64WorksBehindAnIommu --arch amd64 --part z2 --iommu
# debug: X2WorksBehindAnIommu --part x2 --iommu
# Each context in a domain of its own: what it reaches, what it does not, and that all else is as without an IOMMU.
set -e
dmesg | grep 'engines, IOMMU' || { echo "FAIL the driver sees no IOMMU"; exit 1; }
guest_isolation
guest_uapi
guest_faults
part=$(zynpu devices | sed -n 's|^/dev/accel/accel0 *\([a-z0-9]*\) .*|\1|p')
models=
for model in hello_world_sine_int8 kws_dscnn_int8; do
  if [ -e "/graphs/$model.$part.zy" ]; then models="$models --model $model"; else echo "SKIP $model: it was not there to be compiled"; fi
done
# shellcheck disable=SC2086  # words
ZYNPU_SHARED=/shared zynpu_conformance --device /dev/accel/accel0 --graphs /graphs $models --jobs 50
guest_stress 2 200
rmmod zynpu_pci
rmmod zynpu
LAB_INSMOD_ARGUMENTS='ban_after=0' /etc/lab/load
sleep 1
guest_fuzz 2000 11
