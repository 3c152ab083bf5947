# SPDX-License-Identifier: MIT
# boot: ProcessesShareX2 --arch arm64 --part x2
# boot: ProcessesShareZ2 --arch amd64 --part z2
# boot: ProcessesShareX2OnTheOlderKernel --arch amd64 --kernel older --part x2
# debug: ProcessesShareX2 --part x2
set -e
jobs=${LAB_SLOW:+100}
guest_stress 2 "${jobs:-1000}"
guest_stress 8 "${jobs:-1000}"
guest_stress bench
