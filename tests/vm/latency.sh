# SPDX-License-Identifier: MIT
# boot: X2OnArm64TellsItsLatency --arch arm64 --part x2
# Figures for people: no limit is set, for they are those of an emulated processor.
zynpu_conformance --device /dev/accel/accel0 --latency 1000
