// SPDX-License-Identifier: MIT
#include "runtime/virtual/tcb.h"

#include <algorithm>

namespace zynpu::runtime {
namespace {

// Flag word, tec-semantics.md 10.1.
constexpr std::uint32_t kFlagTask = 1;
constexpr std::uint32_t kFlagImmediate = 1u << 4;
constexpr std::uint32_t kFlagPreAll = 2u << 4;
constexpr std::uint32_t kFlagGroupEnd = 1u << 6;
constexpr std::uint32_t kFlagGridEnd = 1u << 7;
// Done, exception, fault, error, signal at TEC, core and cluster level. Dropping the TEC level hangs the part
// (tec-semantics.md 10.4).
constexpr std::uint32_t kInterruptEnable = 0x73D;
constexpr std::uint64_t kAsidReadWrite = 0x60;
constexpr std::uint32_t kSegMmuIdentity = 0x31;
constexpr std::uint32_t kPrintfBytes = 1024;  // of one task

class Writer {
 public:
  explicit Writer(std::span<std::uint8_t> memory) : memory_(memory) {}
  void u16(std::size_t offset, std::uint32_t value) { put(offset, value, 2); }
  void u32(std::size_t offset, std::uint32_t value) { put(offset, value, 4); }
  void u64(std::size_t offset, std::uint64_t value) { put(offset, value, 8); }

 private:
  void put(std::size_t offset, std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) memory_[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
  std::span<std::uint8_t> memory_;
};

unsigned segmmu_tcbs(const part::Part& part) { return (part.cores + 1) / 2; }

Status check_group(const part::Part& part, std::size_t index, const GroupDescription& group) {
  const auto bad = [&](const char* what) {
    return fail(ErrorCode::kInvalidArgument, "group {} of the job: {}", index, what);
  };
  if (group.text == nullptr) return bad("no text buffer");
  if (group.parameters == nullptr) return bad("no parameter buffer");
  if (group.stack == nullptr || group.stack_bytes == 0) return bad("no stack");
  if (group.private_data == nullptr || group.private_bytes == 0) return bad("no private data");
  if (group.text_offset % 16 != 0) return bad("the program's offset is not a multiple of 16");
  const auto holds = [](const Buffer* buffer, std::uint64_t offset, std::uint64_t bytes) {
    return offset <= buffer->bytes() && bytes <= buffer->bytes() - offset;
  };
  if (!holds(group.text, group.text_offset, 16)) return bad("the program begins outside its buffer");
  if (!holds(group.parameters, group.parameter_offset, 4))
    return bad("the parameters begin outside their buffer");
  if (!holds(group.stack, 0, std::uint64_t{group.stack_bytes} * part.tecs_per_core))
    return bad("the stack buffer is too small for its tasks");
  if (group.printf_log != nullptr &&
      !holds(group.printf_log, group.printf_offset, std::uint64_t{kPrintfBytes} * part.tecs_per_core))
    return bad("the printf buffer is too small for its tasks");
  if (!holds(group.private_data, 0, std::uint64_t{group.private_bytes} * part.tecs_per_core))
    return bad("the private data buffer is too small for its tasks");
  return {};
}

}  // namespace

std::uint64_t chain_bytes(const part::Part& part, std::size_t groups) {
  return (1 + segmmu_tcbs(part) + std::uint64_t{groups} * part.tecs_per_core) * kTcbBytes;
}

Result<TcbChain> build_chain(const part::Part& part, std::span<const GroupDescription> groups,
                             std::uint64_t bus_base, std::uint32_t head, std::uint32_t constant_page,
                             std::span<std::uint8_t> memory) {
  if (groups.empty())
    return fail(ErrorCode::kInvalidArgument, "a job for {} needs at least one group", part.name);
  if (groups.size() > 0xFFFF)
    return fail(ErrorCode::kInvalidArgument, "{} groups in one job; the limit is 65535", groups.size());
  if (head == 0 || head % 4096 != 0)
    return fail(ErrorCode::kInvalidArgument,
                "TCB chain at device address {:#x}: must be 4 KiB aligned, not 0", head);
  if (memory.size() < chain_bytes(part, groups.size()))
    return fail(ErrorCode::kInvalidArgument, "TCB chain of {} bytes does not fit into {}",
                chain_bytes(part, groups.size()), memory.size());
  for (std::size_t g = 0; g < groups.size(); ++g) ZYNPU_TRY(check_group(part, g, groups[g]));

  std::fill_n(memory.begin(), chain_bytes(part, groups.size()), std::uint8_t{0});
  const auto low32 = [&](std::uint32_t device) { return static_cast<std::uint32_t>(bus_base + device); };
  const unsigned segmmus = segmmu_tcbs(part);
  TcbChain chain;
  chain.head = head;
  chain.first_task = head + (1 + segmmus) * kTcbBytes;

  Writer init(memory.subspan(0, kTcbBytes));
  init.u32(0, segmmus == 1 ? 0x10000 : 0x30000);
  init.u32(4, low32(chain.first_task));
  init.u64(48, bus_base | kAsidReadWrite);
  init.u64(56,
           bus_base | kAsidReadWrite);  // ASID1 = ASID0 with no separate weight window (tec-semantics.md 6.2)

  for (unsigned i = 0; i < segmmus; ++i) {
    Writer segmmu(memory.subspan((1 + i) * kTcbBytes, kTcbBytes));
    segmmu.u32(24, kSegMmuIdentity);
    segmmu.u32(88, kSegMmuIdentity);
  }

  const unsigned tasks = part.tecs_per_core;
  std::uint32_t address = chain.first_task;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const GroupDescription& group = groups[g];
    for (unsigned t = 0; t < tasks; ++t, address += kTcbBytes) {
      const bool last_of_group = t + 1 == tasks;
      const bool last = last_of_group && g + 1 == groups.size();
      std::uint32_t flag = kFlagTask;
      if (t == 0 && group.dependency == GroupDescription::Dependency::kImmediate) flag |= kFlagImmediate;
      if (t == 0 && group.dependency == GroupDescription::Dependency::kAll) flag |= kFlagPreAll;
      if (last_of_group) flag |= kFlagGroupEnd;
      if (last) flag |= kFlagGridEnd;
      Writer tcb(memory.subspan(address - head, kTcbBytes));
      tcb.u32(0, flag);
      tcb.u32(4, last ? 0 : low32(address + kTcbBytes));
      tcb.u32(12, group.text->device_address() + group.text_offset);
      tcb.u32(16, kInterruptEnable);
      tcb.u16(20,
              static_cast<std::uint32_t>(g % part.cores));  // as the vendor library numbers them, round robin
      tcb.u16(26, t);
      for (std::size_t dimension : {28, 30, 32}) tcb.u16(dimension, 1);
      tcb.u16(34, tasks);
      tcb.u16(36, 1);
      tcb.u16(38, 1);
      tcb.u16(40, 1);  // the vendor writes 1 even for group 0 (tec-semantics.md 10.4)
      tcb.u16(46, t);
      tcb.u32(52, group.stack->device_address() + (t + 1) * group.stack_bytes);  // top: the stack grows down
      tcb.u32(56, group.parameters->device_address() + group.parameter_offset);
      tcb.u32(60, group.private_data->device_address() + t * group.private_bytes);
      tcb.u32(64, group.constants != nullptr ? group.constants->device_address() : constant_page);
      if (group.printf_log != nullptr)
        tcb.u32(68, group.printf_log->device_address() + group.printf_offset + t * kPrintfBytes);
      tcb.u32(108, address);
      if (group.model_parameters != nullptr) tcb.u32(112, group.model_parameters->device_address());
      if (last) chain.last_task = address;
    }
  }
  return chain;
}

}  // namespace zynpu::runtime
