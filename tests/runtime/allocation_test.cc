// SPDX-License-Identifier: MIT
// Nothing is allocated between the start and the end of a run, by libzynpu or by the reference operators. The
// virtual NPU is a machine of its own and left out.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "runtime/devices.h"
#include "runtime/file.h"
#include "runtime/job.h"

namespace {
std::atomic<std::size_t> allocations{0};

void* counted(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  void* memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes == 0 ? 1 : bytes, 16); }
void* operator new[](std::size_t bytes) { return counted(bytes == 0 ? 1 : bytes, 16); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace zynpu::runtime {
namespace {

TEST(Allocation, NoneHappensDuringARun) {
  auto backend = open_device("virtual:x2");
  ASSERT_TRUE(backend);
  const auto context = std::make_shared<Context>("test", *backend);
  const auto file = read_file(ZYNPU_SOURCE_DIR "/models/fashion_mnist/fashion_mnist_int8.tflite");
  ASSERT_TRUE(file);
  LoadOptions options;
  options.compile.cpu_only = true;
  const auto program = Program::load_file(context, *file, options);
  ASSERT_TRUE(program) << program.error().message;
  const auto job = Job::create(*program);
  ASSERT_TRUE(job) << job.error().message;
  const std::size_t before = allocations;
  EXPECT_GT(before, 0u) << "or the counter does not count";
  bool good = true;
  for (int round = 0; round < 3; ++round) {
    good = (*job)->run().has_value() && good;
    good = (*job)->submit().has_value() && good;
    good = (*job)->wait(-1).has_value() && good;
    good = (*job)->reset_state().has_value() && good;
  }
  EXPECT_EQ(allocations - before, 0u);
  EXPECT_TRUE(good);
}

}  // namespace
}  // namespace zynpu::runtime
