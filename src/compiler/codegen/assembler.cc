// SPDX-License-Identifier: MIT
#include "compiler/codegen/assembler.h"

#include <algorithm>
#include <utility>

#include "compiler/codegen/latency.h"

namespace zynpu::compiler {
namespace {

constexpr int kMaxStages = 4;
constexpr int kMaxBody = static_cast<int>(isa::kLoopBufferBundles) - 1;  // loopend has a bundle of its own

Node node(isa::Op op, std::uint8_t d, std::uint8_t a, std::int32_t imm = 0) {
  Node n;
  n.insn.op = op;
  n.insn.d = d;
  n.insn.a = a;
  n.insn.imm = imm;
  return n;
}

// A loop body that another trip may overlap: no DMA, no waiting, no control registers.
bool may_overlap_trips(const std::vector<Node>& body) {
  return std::none_of(body.begin(), body.end(), [](const Node& n) {
    const isa::Kind kind = isa::info(n.insn.op).kind;
    return isa::is_control(kind) || kind == isa::Kind::kDma || kind == isa::Kind::kAiff ||
           kind == isa::Kind::kControlRead || kind == isa::Kind::kControlWrite || kind == isa::Kind::kCacheOp;
  });
}

}  // namespace

void Assembler::append(const std::vector<isa::Bundle>& bundles) {
  out_.bundles.insert(out_.bundles.end(), bundles.begin(), bundles.end());
}

Status Assembler::flush(const Node* control, bool drain) {
  if (block_.empty() && control == nullptr && (!drain || pending_.empty())) return {};
  ZYNPU_ASSIGN_OR_RETURN(auto bundles, schedule_block(block_, control, drain, pending_));
  block_.clear();
  append(bundles);
  return {};
}

Status Assembler::branch_item(const Builder::Item& item) {
  const Node control{item.insn, {}};
  ZYNPU_TRY(flush(&control, true));
  branches_.emplace_back(out_.bundles.size() - 1, item.label);
  return {};
}

// Code for the counter register of a hardware loop, so that it holds trips - 1 + change.
void Assembler::set_counter(const Builder::Loop& loop, std::int64_t change) {
  const std::uint8_t r = loop.counter.n;
  if (loop.constant_trips != 0) {
    const auto value = static_cast<std::uint32_t>(loop.constant_trips - 1 + change);
    const auto low = static_cast<std::int16_t>(value & 0xFFFF);
    block_.push_back(node(isa::Op::kMov, r, 0, low));
    if (static_cast<std::uint32_t>(static_cast<std::int32_t>(low)) != value)
      block_.push_back(node(isa::Op::kMovh, r, 0, static_cast<std::int16_t>(value >> 16)));
  } else if (change < 0) {
    block_.push_back(node(isa::Op::kSubi, r, r, static_cast<std::int32_t>(-change)));
  } else if (change > 0) {
    block_.push_back(node(isa::Op::kAddi, r, r, static_cast<std::int32_t>(change)));
  }
}

Status Assembler::loop_item(const Builder::Loop& loop, const std::vector<Node>& body) {
  if (body.empty())
    return fail(ErrorCode::kInternal, "code of `{}`: loop `{}` is empty", out_.name, loop.name);
  std::optional<Pipelined> schedule;
  Pending none;
  ZYNPU_ASSIGN_OR_RETURN(const auto straight, schedule_block(body, nullptr, true, none));
  double straight_cycles = 1;
  for (const isa::Bundle& bundle : straight) straight_cycles += issue_cycles(bundle);
  if (static_cast<int>(straight.size()) > kMaxBody) straight_cycles = 1e9;
  if (loop.pipeline && loop.min_trips > 1 && may_overlap_trips(body))
    schedule =
        schedule_loop(body, loop.free, kMaxBody, std::min<int>(kMaxStages, static_cast<int>(loop.min_trips)));
  if (schedule && schedule->cycles < straight_cycles) return pipelined_loop(loop, *schedule);
  return plain_loop(loop, body);
}

Status Assembler::pipelined_loop(const Builder::Loop& loop, const Pipelined& schedule) {
  const std::vector<Node>& body = schedule.nodes;
  const int period = static_cast<int>(schedule.bundles.size()) + 1;
  const int before = schedule.stages - 1;
  set_counter(loop, -before);
  // What the first trips do before all stages are busy.
  for (const int i : schedule.in_order(0, before, 0, before * period))
    block_.push_back(body[static_cast<std::size_t>(i)]);
  const Node control = node(isa::Op::kLoop, 0, loop.counter.n);
  ZYNPU_TRY(flush(&control, true));
  append(schedule.bundles);
  isa::Bundle end;
  end.slot[0].op = isa::Op::kLoopend;
  append({end});
  out_.loops.push_back({loop.name, static_cast<unsigned>(schedule.bundles.size()),
                        static_cast<unsigned>(schedule.stages), true});
  // Results that are still on their way when the loop is left.
  for (std::size_t i = 0; i < body.size(); ++i)
    isa::for_each_write(body[i].insn, [&](isa::File file, std::uint8_t reg) {
      int& ready = pending_.ready[static_cast<std::size_t>(file)][reg];
      ready = std::max(ready, schedule.time[i] % period + longest_latency(body[i].insn) - period);
    });
  // What the last trips still have to do.
  for (const int i : schedule.in_order(0, before - 1, before * period, 2 * before * period))
    block_.push_back(body[static_cast<std::size_t>(i)]);
  return {};
}

Status Assembler::plain_loop(const Builder::Loop& loop, const std::vector<Node>& body) {
  Pending none;
  ZYNPU_ASSIGN_OR_RETURN(auto bundles, schedule_block(body, nullptr, true, none));
  const bool hardware = static_cast<int>(bundles.size()) <= kMaxBody;
  if (hardware) {
    set_counter(loop, 0);
    const Node control = node(isa::Op::kLoop, 0, loop.counter.n);
    ZYNPU_TRY(flush(&control, true));
    append(bundles);
    isa::Bundle end;
    end.slot[0].op = isa::Op::kLoopend;
    append({end});
  } else {
    set_counter(loop, 1);
    ZYNPU_TRY(flush(nullptr, true));
    const std::size_t start = out_.bundles.size();
    block_ = body;
    block_.push_back(node(isa::Op::kSubi, loop.counter.n, loop.counter.n, 1));
    Node control = node(isa::Op::kCbnz, 0, loop.counter.n);
    ZYNPU_TRY(flush(&control, true));
    bundles.assign(out_.bundles.begin() + static_cast<std::ptrdiff_t>(start), out_.bundles.end());
    const auto displacement =
        static_cast<std::int32_t>(start) - static_cast<std::int32_t>(out_.bundles.size() - 1);
    for (isa::Instruction& insn : out_.bundles.back().slot)
      if (insn.op == isa::Op::kCbnz) insn.imm = displacement;
  }
  out_.loops.push_back({loop.name, static_cast<unsigned>(bundles.size()), 1, hardware});
  return {};
}

Status Assembler::fix_branches() {
  for (const auto& [at, label] : branches_) {
    const int target = label >= 0 && label < static_cast<int>(label_at_.size())
                           ? label_at_[static_cast<std::size_t>(label)]
                           : -1;
    if (target < 0)
      return fail(ErrorCode::kInternal, "code of `{}`: label {} is not bound", out_.name, label);
    for (isa::Instruction& insn : out_.bundles[at].slot)
      if (isa::info(insn.op).kind == isa::Kind::kBranch) insn.imm = target - static_cast<int>(at);
  }
  return {};
}

Result<Fragment> Assembler::run() {
  out_.name = builder_.name_;
  label_at_.assign(static_cast<std::size_t>(builder_.labels_), -1);
  const Builder::Loop* loop = nullptr;
  std::vector<Node> outside;
  for (const Builder::Item& item : builder_.items_) {
    switch (item.kind) {
      case Builder::Item::Kind::kLoopBegin:
        loop = &builder_.loops_[static_cast<std::size_t>(item.loop)];
        outside = std::exchange(block_, {});
        break;
      case Builder::Item::Kind::kLoopEnd: {
        if (loop == nullptr)
          return fail(ErrorCode::kInternal, "code of `{}`: a loop ends that never began", out_.name);
        const std::vector<Node> body = std::exchange(block_, std::exchange(outside, {}));
        ZYNPU_TRY(loop_item(*loop, body));
        loop = nullptr;
        break;
      }
      case Builder::Item::Kind::kBind:
        ZYNPU_TRY(flush(nullptr, true));
        if (label_at_[static_cast<std::size_t>(item.label)] >= 0)
          return fail(ErrorCode::kInternal, "code of `{}`: label {} is bound twice", out_.name, item.label);
        label_at_[static_cast<std::size_t>(item.label)] = static_cast<int>(out_.bundles.size());
        break;
      case Builder::Item::Kind::kBarrier:
        ZYNPU_TRY(flush(nullptr, true));
        break;
      case Builder::Item::Kind::kInstruction:
        if (isa::info(item.insn.op).kind == isa::Kind::kBranch) {
          ZYNPU_TRY(branch_item(item));
        } else if (item.insn.op == isa::Op::kExit) {
          const Node control{item.insn, {}};
          ZYNPU_TRY(flush(&control, true));
        } else {
          block_.push_back({item.insn, item.area});
        }
        break;
    }
  }
  ZYNPU_TRY(flush(nullptr, true));
  ZYNPU_TRY(fix_branches());
  return std::move(out_);
}

}  // namespace zynpu::compiler
