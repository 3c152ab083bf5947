// SPDX-License-Identifier: MIT
#include "vfio/interrupts.h"

namespace zynpu::vfio {

void Interrupts::send(std::uint32_t index) {
  const std::uint64_t one = 1;
  // An eventfd's counter is full only after 2^64 - 2 interrupts that nobody took: then one is pending anyway.
  if (::write(eventfds_[index].get(), &one, sizeof one) == sizeof one) ++sent_;
}

void Interrupts::raise() {
  if (eventfds_[kMsixIndex]) {
    send(kMsixIndex);
  } else if (eventfds_[kMsiIndex]) {
    send(kMsiIndex);
  } else if (eventfds_[kIntxIndex] && !masked_) {
    masked_ = true;  // automasked: once until the client unmasks
    send(kIntxIndex);
  }
}

void Interrupts::set_level(bool high) {
  std::lock_guard lock(mutex_);
  if (high == high_) return;
  high_ = high;
  if (high_) raise();
}

void Interrupts::acknowledged() {
  std::lock_guard lock(mutex_);
  if (high_ && (eventfds_[kMsixIndex] || eventfds_[kMsiIndex])) raise();
}

void Interrupts::spurious() {
  std::lock_guard lock(mutex_);
  raise();
}

void Interrupts::attach(std::uint32_t index, FileDescriptor eventfd) {
  std::lock_guard lock(mutex_);
  const bool enabled = static_cast<bool>(eventfd);
  eventfds_[index] = std::move(eventfd);
  if (index == kIntxIndex) masked_ = false;
  // A cause that was there before is delivered to the vector that has come.
  if (enabled && high_) raise();
}

void Interrupts::set_mask(bool masked) {
  std::lock_guard lock(mutex_);
  masked_ = masked;
  if (!masked_ && high_ && eventfds_[kIntxIndex] && !eventfds_[kMsixIndex] && !eventfds_[kMsiIndex]) raise();
}

void Interrupts::detach_all() {
  std::lock_guard lock(mutex_);
  for (FileDescriptor& eventfd : eventfds_) eventfd = FileDescriptor();
}

std::uint64_t Interrupts::sent() const {
  std::lock_guard lock(mutex_);
  return sent_;
}

}  // namespace zynpu::vfio
