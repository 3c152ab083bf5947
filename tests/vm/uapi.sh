# SPDX-License-Identifier: MIT
# boot: EveryIoctlIsCheckedOnX2 --arch arm64 --part x2
# boot: EveryIoctlIsCheckedOnZ2 --arch arm64 --part z2
# boot: EveryIoctlIsCheckedOnAmd64WithBouncedBuffers --arch amd64 --part z1 --append swiotlb=force
# boot: EveryIoctlIsCheckedOnTheOlderKernel --arch amd64 --kernel older --part z2
# debug: EveryIoctlIsCheckedOnX2 --part x2
# debug: EveryIoctlIsCheckedOnZ2WithBouncedBuffers --part z2 --append swiotlb=force
guest_uapi
