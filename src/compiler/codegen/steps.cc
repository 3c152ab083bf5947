// SPDX-License-Identifier: MIT
#include "compiler/codegen/steps.h"

#include <algorithm>

#include "compiler/codegen/bytes.h"

namespace zynpu::compiler {
namespace {

// A record: header, arguments, fills, loads, stores. Words of the header:
constexpr std::int32_t kFills = 0, kLoads = 4, kWaitMask = 8, kSkip = 12, kStores = 16, kStoreList = 20;
constexpr std::uint32_t kFillBytes = 8, kRequestBytes = 20;
constexpr std::uint32_t kDirectoryEntry = 16;  // offset of the first record, number of records, 0, 0

void put_request(std::vector<std::uint8_t>& out, const StepRequest& step, std::uint32_t descriptor) {
  put_word(out, step.request.param * 4);
  put_word(out, step.request.ddr_offset);
  put_word(out, step.request.lsram);
  put_word(out, descriptor);
  put_word(out, step.flag << 8 | step.flag);
}

// Issues `count` requests of the list at `cursor` and moves the cursor behind it. `blob`: its address.
void emit_requests(Builder& b, R count, R cursor, R blob, bool to_lsram) {
  b.if_nonzero(count, [&] {
    b.repeat(count, [&] {
      Gpr param = b.gpr(), ddr = b.gpr(), lsram = b.gpr(), descriptor = b.gpr(), sync = b.gpr(),
          base = b.gpr();
      b.ld(param, cursor, 0);
      b.ld(ddr, cursor, 4);
      b.add(param, kLayerParams, param);
      b.ld(base, param, 0);
      b.ld(lsram, cursor, 8);
      b.ld(descriptor, cursor, 12);
      b.ld(sync, cursor, 16);
      b.add(descriptor, descriptor, blob);
      b.add(ddr, ddr, base);
      if (to_lsram)
        b.dma_to_lsram(descriptor, lsram, ddr, sync);
      else
        b.dma_to_ddr(descriptor, lsram, ddr, sync);
      b.add(cursor, cursor, static_cast<std::int32_t>(kRequestBytes));
    });
  });
}

void emit_fills(Builder& b, R count, R cursor, int fill_param) {
  b.if_nonzero(count, [&] {
    Vec value = b.vec();
    {
      Gpr word = b.gpr();
      b.ld(word, kLayerParams, 4 * fill_param);
      b.bcast(value, word);
    }
    b.repeat(count, [&] {
      Gpr at = b.gpr(), vectors = b.gpr();
      b.ld(at, cursor, 0);
      b.ld(vectors, cursor, 4);
      b.loop(vectors, 1,
             [&] {
               b.vst(value, at, 0);
               b.add(at, at, 32);
             },
             {"fill"});
      b.add(cursor, cursor, static_cast<std::int32_t>(kFillBytes));
    });
  });
}

}  // namespace

std::vector<Step> pipeline(std::span<const Tile> tiles, bool prefetch) {
  std::vector<Step> steps;
  const auto load_step = [&](std::size_t i, Step& step) {
    step.fills = tiles[i].fills;
    for (const Request& r : tiles[i].loads) step.loads.push_back({r, static_cast<unsigned>(i % 2)});
  };
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const bool loads_now = i == 0 || !prefetch;
    if (loads_now && (!tiles[i].loads.empty() || !tiles[i].fills.empty())) {
      Step& before = steps.emplace_back();
      before.compute = false;
      before.args.resize(tiles[i].args.size());
      load_step(i, before);
    }
    Step& step = steps.emplace_back();
    if (prefetch && i + 1 < tiles.size()) load_step(i + 1, step);
    if (!tiles[i].loads.empty()) step.wait_flags |= 1U << i % 2;
    if (i >= 2 && !tiles[i - 2].stores.empty()) step.wait_flags |= 1U << (2 + i % 2);
    step.args = tiles[i].args;
    for (const Request& r : tiles[i].stores) step.stores.push_back({r, static_cast<unsigned>(2 + i % 2)});
  }
  return steps;
}

Result<Blob> StepLists::blob() const {
  DescriptorTable descriptors;
  for (const auto& list : lists_)
    for (const Step& step : list)
      for (const auto* requests : {&step.loads, &step.stores})
        for (const StepRequest& r : *requests) ZYNPU_TRY(descriptors.add(r.request.transfer));

  const auto directory = static_cast<std::uint32_t>((lists_.size() * kDirectoryEntry + 63) / 64 * 64);
  const auto records = static_cast<std::uint32_t>(directory + descriptors.bytes().size());
  std::vector<std::uint8_t> heads, body;
  for (const auto& list : lists_) {
    put_word(heads, records + static_cast<std::uint32_t>(body.size()));
    put_word(heads, static_cast<std::uint32_t>(list.size()));
    put_word(heads, 0);
    put_word(heads, 0);
    for (const Step& step : list) {
      if (step.args.size() != shape_.args)
        return fail(ErrorCode::kInternal, "a step has {} arguments, the layer's steps have {}",
                    step.args.size(), shape_.args);
      const auto lists_at = static_cast<std::uint32_t>(StepShape::arg(shape_.args));
      put_word(body, static_cast<std::uint32_t>(step.fills.size()));
      put_word(body, static_cast<std::uint32_t>(step.loads.size()));
      put_word(body, ~step.wait_flags);
      put_word(body, step.compute ? 0 : 1);
      put_word(body, static_cast<std::uint32_t>(step.stores.size()));
      put_word(body, lists_at + static_cast<std::uint32_t>(step.fills.size()) * kFillBytes +
                         static_cast<std::uint32_t>(step.loads.size()) * kRequestBytes);
      for (const std::uint32_t arg : step.args) put_word(body, arg);
      for (const Fill& fill : step.fills) {
        if (fill.vectors == 0 || fill.lsram % 32 != 0)
          return fail(ErrorCode::kInternal, "a fill of {} vectors at {:#x}", fill.vectors, fill.lsram);
        put_word(body, fill.lsram);
        put_word(body, fill.vectors - 1);
      }
      for (const auto* requests : {&step.loads, &step.stores})
        for (const StepRequest& r : *requests) {
          ZYNPU_ASSIGN_OR_RETURN(const std::uint32_t at, descriptors.add(r.request.transfer));
          put_request(body, r, directory + at);
        }
    }
  }
  Blob blob;
  blob.bytes = std::move(heads);
  blob.bytes.resize(directory);
  blob.bytes.insert(blob.bytes.end(), descriptors.bytes().begin(), descriptors.bytes().end());
  blob.bytes.insert(blob.bytes.end(), body.begin(), body.end());
  return blob;
}

void emit_steps(Builder& b, const StepShape& shape, int fill_param, const std::function<void(R)>& compute) {
  if (StepShape::arg(shape.args) > 256) b.mistake("a step has too many arguments");
  Gpr step = b.gpr(), left = b.gpr();
  {
    Gpr blob = b.gpr(), entry = b.gpr();
    b.ld(blob, kLayerParams, 0);
    b.scale(entry, kWorker, kDirectoryEntry);
    b.add(entry, entry, blob);
    b.ld(step, entry, 0);
    b.ld(left, entry, 4);
    b.add(step, step, blob);
  }
  b.if_nonzero(left, [&] {
    b.repeat(left, [&] {
      const Label after = b.label();
      {
        // Loaded together, so that their latency is paid once.
        Gpr cursor = b.gpr(), fills = b.gpr(), loads = b.gpr(), mask = b.gpr(), skip = b.gpr(),
            blob = b.gpr();
        if (fill_param >= 0) b.ld(fills, step, kFills);
        b.ld(loads, step, kLoads);
        b.ld(mask, step, kWaitMask);
        b.ld(skip, step, kSkip);
        b.ld(blob, kLayerParams, 0);
        b.add(cursor, step, StepShape::arg(shape.args));
        if (fill_param >= 0) emit_fills(b, fills, cursor, fill_param);
        emit_requests(b, loads, cursor, blob, true);
        b.wait_flags(mask);
        b.branch_if_nonzero(skip, after);
      }
      compute(step);
      b.bind(after);
      Gpr count = b.gpr(), list = b.gpr(), blob = b.gpr();
      b.ld(count, step, kStores);
      b.ld(list, step, kStoreList);
      b.ld(blob, kLayerParams, 0);
      b.add(step, step, list);  // the list ends where the next record begins
      emit_requests(b, count, step, blob, false);
    });
    b.wait_all_flags();
  });
}

}  // namespace zynpu::compiler
