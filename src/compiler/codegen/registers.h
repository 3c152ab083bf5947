// SPDX-License-Identifier: MIT
// Physical registers of one TEC, handed out by pools and returned when their handle dies.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "isa/table.h"

namespace zynpu::compiler {

// Names of registers as operands. They do not own anything; a handle (below) converts to one implicitly.
struct R {
  std::uint8_t n = isa::kZero;
};
struct V {
  std::uint8_t n = 0;
};
struct P {
  std::uint8_t n = isa::kP7;
};

// Registers with a fixed meaning inside layer programs (see layer.h); no pool hands them out.
inline constexpr R kZeroReg{isa::kZero};
inline constexpr R kProgramParams{isa::kPp};  // parameter block of the whole program
inline constexpr R kLayerParams{20};          // parameter words of the running layer
inline constexpr R kWorker{21};               // index of this worker within the layer
inline constexpr R kTaskIndex{22};            // index of this TEC in its core
inline constexpr R kLayerCount{24};           // bookkeeping of the program between layers
inline constexpr P kAll{isa::kP7};

// Free registers of one file. Round robin: a register that was just released is handed out last, so
// temporaries rotate and false dependences are rare.
class RegisterPool {
 public:
  // Bit n of `available`: register n belongs to the pool.
  explicit RegisterPool(std::uint32_t available) : free_(available) {}
  RegisterPool(const RegisterPool&) = delete;
  RegisterPool& operator=(const RegisterPool&) = delete;

  // The next free register, or -1 if there is none.
  int take() {
    if (free_ == 0) return -1;
    for (unsigned i = 0; i < 32; ++i) {
      const unsigned n = (next_ + i) % 32;
      if ((free_ >> n & 1U) == 0) continue;
      free_ &= ~(1U << n);
      next_ = (n + 1) % 32;
      return static_cast<int>(n);
    }
    return -1;
  }
  void give_back(std::uint8_t n) { free_ |= 1U << n; }
  std::uint32_t free_mask() const { return free_; }
  unsigned available() const { return static_cast<unsigned>(__builtin_popcount(free_)); }

 private:
  std::uint32_t free_;
  unsigned next_ = 0;
};

// Owns one register; move-only. The builder that made it must outlive it.
template <class Name>
class Handle {
 public:
  Handle() = default;
  Handle(RegisterPool* pool, std::uint8_t n) : pool_(pool), n_(n) {}
  Handle(Handle&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), n_(other.n_) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      release();
      pool_ = std::exchange(other.pool_, nullptr);
      n_ = other.n_;
    }
    return *this;
  }
  ~Handle() { release(); }

  operator Name() const { return Name{n_}; }  // NOLINT: a handle stands for its register
  Name name() const { return Name{n_}; }
  // Returns the register before the handle dies; the handle must not be used afterwards.
  void release() {
    if (pool_ != nullptr) pool_->give_back(n_);
    pool_ = nullptr;
  }

 private:
  RegisterPool* pool_ = nullptr;
  std::uint8_t n_ = 0;
};

using Gpr = Handle<R>;
using Vec = Handle<V>;
using Pred = Handle<P>;

}  // namespace zynpu::compiler
