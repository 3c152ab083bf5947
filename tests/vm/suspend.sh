# SPDX-License-Identifier: MIT
# boot: SystemSleepsBetweenJobsOnX2 --arch arm64 --part x2
# boot: SystemSleepsBetweenJobsOnTheOlderKernel --arch amd64 --kernel older --part z2
# debug: SystemSleepsBetweenJobsOnX2 --part x2
guest_suspend
