# SPDX-License-Identifier: MIT
# boot: ProcessesShareX2 --arch arm64 --part x2
# boot: ProcessesShareZ2 --arch amd64 --part z2
# boot: ProcessesShareX2OnTheOlderKernel --arch amd64 --kernel older --part x2
set -e
guest_stress 2 1000
guest_stress 8 1000
guest_stress bench
