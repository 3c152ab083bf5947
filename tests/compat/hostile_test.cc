// SPDX-License-Identifier: MIT
// Files that crash the vendor's parser (graph-format.md 11), and callers that break every rule: each gets the
// documented status. Runs under AddressSanitizer, too.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "compat/vendor_files.h"
#include "standard_api.h"

namespace zynpu::test {
namespace {

class Hostile : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("ZYNPU_DEVICE", "virtual", 0);
    setenv("UMD_LOG_LEVEL", "6", 0);
    ASSERT_EQ(aipu_init_context(&ctx), AIPU_STATUS_SUCCESS);
  }
  void TearDown() override { aipu_deinit_context(ctx); }

  aipu_status_t load(const Bytes& file, std::uint64_t* id) {
    return aipu_load_graph_helper(ctx, reinterpret_cast<const char*>(file.data()),
                                  static_cast<std::uint32_t>(file.size()), id);
  }
  aipu_status_t status_of(const Bytes& file) {
    std::uint64_t id = 0;
    const aipu_status_t status = load(file, &id);
    EXPECT_EQ(id != 0, status == AIPU_STATUS_SUCCESS);  // the vendor's library leaves an id behind a failure
    return status;
  }
  void refused(const Bytes& file) { EXPECT_EQ(status_of(file), AIPU_STATUS_ERROR_INVALID_GBIN); }
  std::uint64_t graph(const char* part = "x2") {
    std::uint64_t id = 0;
    EXPECT_EQ(load(minimal_graph(part), &id), AIPU_STATUS_SUCCESS);
    return id;
  }
  std::uint64_t job(std::uint64_t of) {
    std::uint64_t id = 0;
    EXPECT_EQ(aipu_create_job(ctx, of, &id), AIPU_STATUS_SUCCESS);
    return id;
  }

  aipu_ctx_handle_t* ctx = nullptr;
};

// The minimal BSS with one static section of `type` at `source` in front.
std::vector<std::uint32_t> with_static(std::uint32_t source, std::uint32_t type) {
  std::vector<std::uint32_t> bss = minimal_bss();
  bss[2] = 1;
  const std::vector<std::uint32_t> section = {source, 16, 16, 1, 0, 16,         type, 0, 3,
                                              0,      0,  0,  0, 0, 0xFFFFFFFF, 1,    8};
  bss.insert(bss.begin() + 4, section.begin(), section.end());
  return bss;
}

// A file whose static section has 16 bytes of data behind the parameters.
Bytes with_data(const std::vector<std::uint32_t>& bss) {
  BinFields fields;
  Bytes file = minimal_bin("z1", add_one("z1"), 0x05000000, bss, {0}, &fields);
  file.insert(file.begin() + static_cast<std::ptrdiff_t>(fields.bss), 16, 7);
  const auto begin = static_cast<std::uint32_t>(fields.bss);
  put_u32(file, 32, static_cast<std::uint32_t>(file.size()));
  put_u32(file, 72, begin);
  put_u32(file, 76, 16);
  put_u32(file, 80, begin + 16);
  return file;
}

Bytes bin_with(std::size_t bss_word, std::uint32_t value) {
  std::vector<std::uint32_t> bss = minimal_bss();
  bss.at(bss_word) = value;
  return minimal_bin("z1", add_one("z1"), 0x05000000, bss);
}

Bytes elf_without(const char* note) {
  graph::ElfFile elf = minimal_elf(add_one("x2"));
  elf.drop(note);
  return elf.bytes();
}

Bytes elf_with(const char* note, std::size_t word, std::uint32_t value) {
  graph::ElfFile elf = minimal_elf(add_one("x2"));
  elf.set(note, word, value);
  return elf.bytes();
}

using CrashFile = Hostile;

TEST_F(CrashFile, GoodFilesOfTheSameMakeLoad) {
  EXPECT_EQ(status_of(with_data(with_static(0, 4))), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(status_of(with_data(with_static(0, 15))), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(status_of(bin_with(0, 4096)), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(status_of(minimal_elf(add_one("x2")).bytes()), AIPU_STATUS_SUCCESS);
}

TEST_F(CrashFile, StaticSectionOfType3) { refused(with_data(with_static(0, 3))); }
TEST_F(CrashFile, StaticSectionWithoutData) {
  refused(minimal_bin("z1", add_one("z1"), 0x05000000, with_static(0, 4)));
}
TEST_F(CrashFile, StaticSourceOutOfRange) {
  refused(with_data(with_static(1, 4)));
  refused(with_data(with_static(0xFFFFFFF8, 4)));
}
TEST_F(CrashFile, PatchPositionOutOfRange) {
  refused(bin_with(20, 64));  // the last word of the first sub-section
  refused(bin_with(20, 0xFFFFFFFC));
}
TEST_F(CrashFile, RemapCountBeyondTheFile) {
  refused(minimal_bin("z1", add_one("z1"), 0x05000000, minimal_bss(), {0x7FFFFFFF}));
}
TEST_F(CrashFile, ReuseSectionOfNoBytes) { refused(bin_with(4, 0)); }
TEST_F(CrashFile, ElfWithoutRodata) { refused(elf_without("rodata")); }
TEST_F(CrashFile, ElfWithoutFmlist) { refused(elf_without("fmlist")); }
TEST_F(CrashFile, ElfWithoutSubgraphs) { refused(elf_without("subgraphs")); }
TEST_F(CrashFile, ElfWithEmptyText) {
  graph::ElfFile elf = minimal_elf({});
  refused(elf.bytes());
}
TEST_F(CrashFile, ElfWithoutPrivateData) { refused(elf_with("subgraphs", 11, 0)); }
TEST_F(CrashFile, ElfWithAnOversizedCompilerMessage) {
  graph::ElfFile elf = minimal_elf(add_one("x2"));
  elf.note("compilermsg").resize(4096);  // no more than 48 bytes of it are read
  EXPECT_EQ(status_of(elf.bytes()), AIPU_STATUS_SUCCESS);
  elf.note("compilermsg").resize(12);
  refused(elf.bytes());
}
TEST_F(CrashFile, ElfWithATruncatedBss) {
  graph::ElfFile elf = minimal_elf(add_one("x2"));
  for (std::size_t size = 12; size < elf.note("fmlist").size(); size += 4) {
    graph::ElfFile cut = elf;
    cut.note("fmlist").resize(size);
    refused(cut.bytes());
  }
}
TEST_F(CrashFile, ElfWithAMillionSubgraphs) { refused(elf_with("subgraphs", 0, 1 << 20)); }
TEST_F(CrashFile, ElfWithNoBss) { refused(elf_with("fmlist", 2, 0)); }

// graph-format.md 8.7: one input of (1,4,4,1)..(1,8,8,1); the program writes `out` as its output's extents.
Bytes dynamic_elf(const std::array<std::uint32_t, 4>& out) {
  std::string body = add_one("x2").empty() ? "" : "ld r2, [r1+8]\n";
  for (std::size_t i = 0; i < out.size(); ++i)
    body += "mov r4, " + std::to_string(out[i]) + "\nst r4, [r2+" + std::to_string(4 * i) + "]\n";
  graph::ElfFile elf = minimal_elf(program("x2", body));
  elf.set("compilermsg", 3, 1 << 6);
  elf.note("globalparam") = graph::ElfFile::words({8, 4, 0, 0, 0, 0});
  elf.note("inputshapeconstraint") = graph::ElfFile::words({2, 4, 1, 4, 4, 1, 4, 1, 8, 8, 1});
  elf.set("fmlist", 6, 3);  // a third reuse section with the output's shape
  const Bytes section =
      graph::ElfFile::words({256, 4096, 0, 1, 0, 16, 16, 0, 6, 0, 0, 0, 0, 0, 0xFFFFFFFF, 1, 8});
  Bytes& list = elf.note("fmlist");
  list.insert(list.end(), section.begin(), section.end());
  return elf.bytes();
}

TEST_F(CrashFile, DynamicShapeWithoutAJobConfiguration) {
  std::uint64_t id = 0;
  ASSERT_EQ(load(dynamic_elf({1, 2, 5, 1}), &id), AIPU_STATUS_SUCCESS);
  const std::uint64_t of = job(id);
  aipu_tensor_desc_t desc = {};
  ASSERT_EQ(aipu_get_tensor_descriptor(ctx, of, AIPU_TENSOR_TYPE_INPUT, 0, &desc), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(desc.size, 16u);  // the smallest extents
  const std::vector<char> in(16);
  ASSERT_EQ(aipu_load_tensor(ctx, of, 0, in.data()), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_finish_job(ctx, of, -1), AIPU_STATUS_SUCCESS);
}

TEST_F(Hostile, DynamicShapesFollowTheirConstraints) {
  std::uint64_t id = 0, of = 0;
  ASSERT_EQ(load(dynamic_elf({1, 2, 5, 1}), &id), AIPU_STATUS_SUCCESS);
  aipu_is_ds_t dynamic = {id, false};
  ASSERT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_IS_DS, &dynamic), AIPU_STATUS_SUCCESS);
  EXPECT_TRUE(dynamic.dynamic_shape);
  aipu_dynshape_rank_t rank = {id, 0, 0};
  ASSERT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_GET_DS_RANK, &rank), AIPU_STATUS_SUCCESS);
  ASSERT_EQ(rank.rank, 4u);
  std::array<std::uint32_t, 4> low = {}, high = {};
  aipu_dynshape_dimension_t range = {id, 0, low.data(), high.data()};
  ASSERT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_GET_DS_DIM_CONSTRAINT, &range), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(low, (std::array<std::uint32_t, 4>{1, 4, 4, 1}));
  EXPECT_EQ(high, (std::array<std::uint32_t, 4>{1, 8, 8, 1}));
  range.ds_idx = 1;
  EXPECT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_GET_DS_DIM_CONSTRAINT, &range), AIPU_STATUS_ERROR_GET_SHAPE_FAILED);

  std::array<std::uint32_t, 4> shape = {1, 6, 6, 1};
  aipu_dynshape_item_t item = {0, shape.data()};
  aipu_create_job_cfg_t config = {};
  config.dynshape_params = {1, &item};
  ASSERT_EQ(aipu_create_job(ctx, id, &of, &config), AIPU_STATUS_SUCCESS);
  aipu_tensor_desc_t desc = {};
  ASSERT_EQ(aipu_get_tensor_descriptor(ctx, of, AIPU_TENSOR_TYPE_INPUT, 0, &desc), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(desc.size, 36u);
  const std::vector<char> in(36);
  ASSERT_EQ(aipu_load_tensor(ctx, of, 0, in.data()), AIPU_STATUS_SUCCESS);
  ASSERT_EQ(aipu_finish_job(ctx, of, -1), AIPU_STATUS_SUCCESS);
  ASSERT_EQ(aipu_get_tensor_descriptor(ctx, of, AIPU_TENSOR_TYPE_OUTPUT, 0, &desc), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(desc.size, 10u);  // what the program said

  shape = {1, 9, 6, 1};
  std::uint64_t other = 0;
  EXPECT_EQ(aipu_create_job(ctx, id, &other, &config), AIPU_STATUS_ERROR_INVALID_SIZE);
  shape = {1, 8, 8, 1};
  EXPECT_EQ(aipu_config_job(ctx, of, AIPU_JOB_CONFIG_TYPE_DYNAMIC_PARAMS, &config.dynshape_params),
            AIPU_STATUS_SUCCESS);
  ASSERT_EQ(aipu_get_tensor_descriptor(ctx, of, AIPU_TENSOR_TYPE_INPUT, 0, &desc), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(desc.size, 64u);
  item.ds_idx = 7;
  EXPECT_EQ(aipu_create_job(ctx, id, &other, &config), AIPU_STATUS_ERROR_INVALID_TENSOR_ID);
  item = {0, nullptr};
  EXPECT_EQ(aipu_create_job(ctx, id, &other, &config), AIPU_STATUS_ERROR_NULL_PTR);
  EXPECT_EQ(aipu_config_job(ctx, job(graph()), AIPU_JOB_CONFIG_TYPE_DYNAMIC_PARAMS, &config.dynshape_params),
            AIPU_STATUS_ERROR_OP_NOT_SUPPORTED);
}

TEST_F(Hostile, OutputShapesThatTheProgramGetsWrongAreRefused) {
  std::uint64_t zero = 0, large = 0;
  ASSERT_EQ(load(dynamic_elf({1, 0, 5, 1}), &zero), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_finish_job(ctx, job(zero), -1), AIPU_STATUS_ERROR_ZERO_TENSOR_SIZE);
  ASSERT_EQ(load(dynamic_elf({1, 257, 1, 1}), &large), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_finish_job(ctx, job(large), -1), AIPU_STATUS_ERROR_UNMATCH_OUT_SHAPE);
}

// The rows of the vendor's test matrix that it refuses itself.
TEST_F(Hostile, FilesGetTheVendorsStatus) {
  const Bytes good = minimal_bin("z1", add_one("z1"));
  const auto with = [&](std::size_t at, std::uint32_t value) {
    Bytes file = good;
    put_u32(file, at, value);
    return status_of(file);
  };
  EXPECT_EQ(with(20, 0x04000000), AIPU_STATUS_ERROR_GVERSION_UNSUPPORTED);
  EXPECT_EQ(with(0, 0x12345678), AIPU_STATUS_ERROR_GVERSION_UNSUPPORTED);
  EXPECT_EQ(with(8, 1), AIPU_STATUS_ERROR_UNKNOWN_BIN);
  EXPECT_EQ(with(32, 1), AIPU_STATUS_ERROR_INVALID_GBIN);
  EXPECT_EQ(with(52, 0), AIPU_STATUS_ERROR_INVALID_GBIN);
  EXPECT_EQ(with(16, 0x000102BE), AIPU_STATUS_ERROR_TARGET_NOT_FOUND);
  EXPECT_EQ(with(16, 0x000103EA), AIPU_STATUS_ERROR_TARGET_NOT_FOUND);  // known, but there is no such device
  std::uint64_t id = 0;
  EXPECT_EQ(aipu_load_graph_helper(ctx, "", 0, &id), AIPU_STATUS_ERROR_GVERSION_UNSUPPORTED);
  EXPECT_EQ(status_of(Bytes(15, 'A')), AIPU_STATUS_ERROR_GVERSION_UNSUPPORTED);
  for (std::size_t size = 16; size < good.size(); size += 13)
    EXPECT_EQ(status_of(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))),
              AIPU_STATUS_ERROR_INVALID_GBIN)
        << size;
}

TEST_F(Hostile, NullPointersAreRefusedEverywhere) {
  const std::uint64_t g = graph(), j = job(g);
  const aipu_status_t null = AIPU_STATUS_ERROR_NULL_PTR;
  std::uint64_t id = 0, *ids = nullptr;
  std::uint32_t count = 0;
  const char* text = nullptr;
  aipu_tensor_desc_t desc = {};
  EXPECT_EQ(aipu_init_context(nullptr), null);
  EXPECT_EQ(aipu_deinit_context(nullptr), null);
  EXPECT_EQ(aipu_get_error_message(ctx, AIPU_STATUS_SUCCESS, nullptr), null);
  EXPECT_EQ(aipu_get_error_message(nullptr, AIPU_STATUS_SUCCESS, &text), null);
  EXPECT_STRNE(text, "");
  EXPECT_EQ(aipu_config_global(ctx, AIPU_CONFIG_TYPE_SIMULATION, nullptr), null);
  EXPECT_EQ(aipu_config_global(nullptr, 0, nullptr), null);
  EXPECT_EQ(aipu_load_graph(ctx, nullptr, &id), null);
  EXPECT_EQ(aipu_load_graph(ctx, "x", nullptr), null);
  EXPECT_EQ(aipu_load_graph_helper(ctx, nullptr, 5, &id), null);
  EXPECT_EQ(aipu_load_share_weight_graph(ctx, nullptr, &ids, &count), null);
  EXPECT_EQ(aipu_load_share_weight_graph(ctx, "x", nullptr, &count), null);
  EXPECT_EQ(aipu_create_job(ctx, g, nullptr), null);
  EXPECT_EQ(aipu_create_job(nullptr, g, &id), null);
  EXPECT_EQ(aipu_get_job_status(ctx, j, nullptr), null);
  EXPECT_EQ(aipu_get_tensor_count(ctx, g, AIPU_TENSOR_TYPE_INPUT, nullptr), null);
  EXPECT_EQ(aipu_get_tensor_descriptor(ctx, g, AIPU_TENSOR_TYPE_INPUT, 0, nullptr), null);
  EXPECT_EQ(aipu_get_tensor_descriptor(nullptr, g, AIPU_TENSOR_TYPE_INPUT, 0, &desc), null);
  EXPECT_EQ(aipu_load_tensor(ctx, j, 0, nullptr), null);
  EXPECT_EQ(aipu_get_tensor(ctx, j, AIPU_TENSOR_TYPE_OUTPUT, 0, nullptr), null);
  EXPECT_EQ(aipu_specify_iobuf(ctx, j, nullptr), null);
  EXPECT_EQ(aipu_get_partition_count(ctx, nullptr), null);
  EXPECT_EQ(aipu_get_cluster_count(ctx, 0, nullptr), null);
  EXPECT_EQ(aipu_get_core_count(ctx, 0, 0, nullptr), null);
  EXPECT_EQ(aipu_get_target(ctx, nullptr), null);
  EXPECT_EQ(aipu_get_device_status(ctx, nullptr), null);
  EXPECT_EQ(aipu_debugger_get_core_info(ctx, 0, nullptr), null);
  EXPECT_EQ(aipu_debugger_get_job_info(ctx, j, nullptr), null);
  EXPECT_EQ(aipu_debugger_malloc(ctx, 16, nullptr), null);
  EXPECT_EQ(aipu_debugger_free(ctx, nullptr), null);
  EXPECT_EQ(aipu_printf(nullptr, nullptr), null);
  EXPECT_EQ(aipu_create_batch_queue(ctx, g, nullptr), null);
  EXPECT_EQ(aipu_add_batch(ctx, g, 0, nullptr, nullptr), null);
  EXPECT_EQ(aipu_finish_batch(ctx, g, 0, nullptr), null);
  EXPECT_EQ(aipu_config_job(ctx, j, AIPU_CONFIG_TYPE_SIMULATION, nullptr), null);
  EXPECT_EQ(aipu_malloc(ctx, 16, 1, 0, nullptr), null);
  EXPECT_EQ(aipu_free(ctx, nullptr), null);
  EXPECT_EQ(aipu_memcpy(ctx, nullptr, "x", 1, 0), null);
  EXPECT_EQ(aipu_get_va(ctx, nullptr, nullptr), null);
  EXPECT_EQ(aipu_get_elf_note_size(ctx, g, nullptr, nullptr), null);
  EXPECT_EQ(aipu_read_elf_note(ctx, g, "rodata", nullptr, nullptr), null);
  for (std::uint32_t command = 255; command < 281; ++command) {
    const bool optional = command == AIPU_IOCTL_ABORT_CMDPOOL || command == AIPU_IOCTL_ENABLE_TICKCOUNTER ||
                          command == AIPU_IOCTL_DISABLE_TICKCOUNTER || command >= AIPU_IOCTL_SW_RESET;
    EXPECT_EQ(aipu_ioctl(ctx, command, nullptr), optional ? AIPU_STATUS_SUCCESS : null) << command;
  }
  EXPECT_EQ(aipu_ioctl(ctx, 254, &count), AIPU_STATUS_ERROR_INVALID_OP);
  EXPECT_EQ(aipu_ioctl(ctx, 281, &count), AIPU_STATUS_ERROR_INVALID_OP);
}

TEST_F(Hostile, HandlesThatWereClosedAreUnknown) {
  aipu_ctx_handle_t* gone = nullptr;
  ASSERT_EQ(aipu_init_context(&gone), AIPU_STATUS_SUCCESS);
  const std::uint32_t number = gone->handle;
  EXPECT_EQ(number, ctx->handle - 1);  // downward from 0xFFFFFFFF
  ASSERT_EQ(aipu_deinit_context(gone), AIPU_STATUS_SUCCESS);
  const aipu_status_t unknown = AIPU_STATUS_ERROR_INVALID_CTX;
  std::uint64_t id = 0;
  const char* text = nullptr;
  EXPECT_EQ(aipu_deinit_context(gone), unknown);
  EXPECT_EQ(aipu_load_graph(gone, "x", &id), unknown);
  EXPECT_EQ(aipu_get_error_message(gone, AIPU_STATUS_SUCCESS, &text), unknown);
  EXPECT_EQ(aipu_finish_job(gone, 0x100000001, -1), unknown);
  const aipu_ctx_handle_t invented = {12345};
  EXPECT_EQ(aipu_unload_graph(&invented, std::uint64_t{1} << 32), unknown);
  aipu_ctx_handle_t* next = nullptr;
  ASSERT_EQ(aipu_init_context(&next), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(next->handle, number);  // the first free number
  EXPECT_EQ(aipu_deinit_context(next), AIPU_STATUS_SUCCESS);
}

TEST_F(Hostile, IdsThatAreNotOrNoLongerKnown) {
  const std::uint64_t g = graph(), j = job(g);
  std::uint32_t count = 0;
  std::uint64_t id = 0;
  char word[16] = {};
  aipu_job_status_t status = AIPU_JOB_STATUS_NO_STATUS;
  EXPECT_EQ(aipu_unload_graph(ctx, g + (std::uint64_t{1} << 32)), AIPU_STATUS_ERROR_INVALID_GRAPH_ID);
  EXPECT_EQ(aipu_unload_graph(ctx, 7), AIPU_STATUS_ERROR_INVALID_GRAPH_ID);
  EXPECT_EQ(aipu_get_tensor_count(ctx, 7, AIPU_TENSOR_TYPE_INPUT, &count),
            AIPU_STATUS_ERROR_INVALID_GRAPH_ID);
  EXPECT_EQ(aipu_create_job(ctx, 7, &id), AIPU_STATUS_ERROR_INVALID_GRAPH_ID);
  EXPECT_EQ(aipu_finish_job(ctx, g, -1), AIPU_STATUS_ERROR_INVALID_JOB_ID);
  EXPECT_EQ(aipu_load_tensor(ctx, g, 0, word), AIPU_STATUS_ERROR_INVALID_JOB_ID);
  EXPECT_EQ(aipu_get_job_status(ctx, j + 1, &status), AIPU_STATUS_ERROR_INVALID_JOB_ID);
  EXPECT_EQ(aipu_clean_job(ctx, j + 1), AIPU_STATUS_SUCCESS);  // as the vendor's
  EXPECT_EQ(aipu_clean_job(ctx, g), AIPU_STATUS_ERROR_INVALID_JOB_ID);
  EXPECT_EQ(aipu_clean_job(ctx, j), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_clean_job(ctx, j), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_finish_job(ctx, j, -1), AIPU_STATUS_ERROR_INVALID_JOB_ID);
  const std::uint64_t again = job(g);
  EXPECT_EQ(aipu_unload_graph(ctx, g), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_unload_graph(ctx, g), AIPU_STATUS_ERROR_INVALID_GRAPH_ID);
  EXPECT_EQ(aipu_finish_job(ctx, again, -1), AIPU_STATUS_ERROR_INVALID_JOB_ID);
  EXPECT_EQ(aipu_clean_job(ctx, again), AIPU_STATUS_ERROR_INVALID_JOB_ID);
  // An unknown id does not leave a lock behind, as it does in the vendor's library.
  std::thread([&] { EXPECT_EQ(aipu_unload_graph(ctx, graph()), AIPU_STATUS_SUCCESS); }).join();
  // Jobs of another context are unknown.
  aipu_ctx_handle_t* other = nullptr;
  ASSERT_EQ(aipu_init_context(&other), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_finish_job(other, job(graph()), -1), AIPU_STATUS_ERROR_INVALID_JOB_ID);
  EXPECT_EQ(aipu_deinit_context(other), AIPU_STATUS_SUCCESS);
}

TEST_F(Hostile, StatesAreKept) {
  const std::uint64_t j = job(graph());
  char word[16] = {};
  aipu_job_status_t status = AIPU_JOB_STATUS_DONE;
  EXPECT_EQ(aipu_get_tensor(ctx, j, AIPU_TENSOR_TYPE_OUTPUT, 0, word), AIPU_STATUS_ERROR_INVALID_OP);
  EXPECT_EQ(aipu_get_job_status(ctx, j, &status, 0), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(status, AIPU_JOB_STATUS_NO_STATUS);
  EXPECT_EQ(aipu_debugger_run_job(ctx, j), AIPU_STATUS_ERROR_INVALID_OP);
  EXPECT_EQ(aipu_debugger_bind_job(ctx, 9, j), AIPU_STATUS_ERROR_INVALID_CORE_ID);
  EXPECT_EQ(aipu_debugger_bind_job(ctx, 0, j), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_debugger_run_job(ctx, j), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_get_job_status(ctx, j, &status, -1), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(status, AIPU_JOB_STATUS_DONE);
  EXPECT_EQ(aipu_load_tensor(ctx, j, 1, word), AIPU_STATUS_ERROR_INVALID_TENSOR_ID);
  EXPECT_EQ(aipu_get_tensor(ctx, j, AIPU_TENSOR_TYPE_OUTPUT, 1, word), AIPU_STATUS_ERROR_INVALID_TENSOR_ID);
  EXPECT_EQ(aipu_get_tensor(ctx, j, AIPU_TENSOR_TYPE_PRINTF, 0, word), AIPU_STATUS_ERROR_INVALID_TENSOR_ID);
  EXPECT_EQ(aipu_get_tensor(ctx, j, static_cast<aipu_tensor_type_t>(99), 0, word),
            AIPU_STATUS_ERROR_INVALID_TENSOR_TYPE);
  std::uint32_t count = 0;
  EXPECT_EQ(aipu_get_tensor_count(ctx, j, static_cast<aipu_tensor_type_t>(0xFFFFFFFF), &count),
            AIPU_STATUS_ERROR_INVALID_TENSOR_TYPE);
  EXPECT_EQ(aipu_rewrite_rodata(ctx, j, 60, 1), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_rewrite_rodata(ctx, j, 61, 1), AIPU_STATUS_ERROR_INVALID_SIZE);
  EXPECT_EQ(aipu_rewrite_rodata(ctx, j, 0xFFFFFFFF, 1), AIPU_STATUS_ERROR_INVALID_SIZE);
}

Bytes endless() { return minimal_elf(program("x2", "here: add r4, r4, 1\nb here\n")).bytes(); }

TEST_F(Hostile, TimeoutsLeaveTheJobScheduled) {
  std::uint64_t g = 0;
  ASSERT_EQ(load(endless(), &g), AIPU_STATUS_SUCCESS);
  const std::uint64_t j = job(g);
  aipu_job_status_t status = AIPU_JOB_STATUS_DONE;
  char word[16] = {};
  EXPECT_EQ(aipu_finish_job(ctx, j, 20), AIPU_STATUS_ERROR_TIMEOUT);
  EXPECT_EQ(aipu_get_job_status(ctx, j, &status, 0), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(status, AIPU_JOB_STATUS_NO_STATUS);
  EXPECT_EQ(aipu_get_job_status(ctx, j, &status, 5), AIPU_STATUS_ERROR_TIMEOUT);
  EXPECT_EQ(aipu_flush_job(ctx, j), AIPU_STATUS_ERROR_INVALID_OP);
  EXPECT_EQ(aipu_load_tensor(ctx, j, 0, word), AIPU_STATUS_ERROR_INVALID_OP);
  EXPECT_EQ(aipu_get_tensor(ctx, j, AIPU_TENSOR_TYPE_OUTPUT, 0, word), AIPU_STATUS_ERROR_INVALID_OP);
  device_status_t device = DEV_IDLE;
  EXPECT_EQ(aipu_get_device_status(ctx, &device), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(device, DEV_BUSY);
  EXPECT_EQ(aipu_clean_job(ctx, j), AIPU_STATUS_SUCCESS);  // stops it
}

TEST_F(Hostile, CleaningUnloadingAndClosingUnderAWaiterEndTheWait) {
  for (const int how : {0, 1, 2}) {
    aipu_ctx_handle_t* own = nullptr;
    ASSERT_EQ(aipu_init_context(&own), AIPU_STATUS_SUCCESS);
    const Bytes file = endless();
    std::uint64_t g = 0, j = 0;
    ASSERT_EQ(aipu_load_graph_helper(own, reinterpret_cast<const char*>(file.data()),
                                     static_cast<std::uint32_t>(file.size()), &g),
              AIPU_STATUS_SUCCESS);
    ASSERT_EQ(aipu_create_job(own, g, &j), AIPU_STATUS_SUCCESS);
    ASSERT_EQ(aipu_flush_job(own, j), AIPU_STATUS_SUCCESS);
    std::atomic<bool> waiting{false};
    std::thread waiter([&] {
      aipu_job_status_t status = AIPU_JOB_STATUS_NO_STATUS;
      waiting = true;
      // Either it was in the wait, or the job had gone before it came there.
      const aipu_status_t code = aipu_get_job_status(own, j, &status, -1);
      EXPECT_TRUE((code == AIPU_STATUS_SUCCESS && status == AIPU_JOB_STATUS_EXCEPTION) ||
                  code == AIPU_STATUS_ERROR_INVALID_JOB_ID || code == AIPU_STATUS_ERROR_INVALID_CTX)
          << code;
    });
    while (!waiting) std::this_thread::yield();
    if (how == 0) {
      EXPECT_EQ(aipu_clean_job(own, j), AIPU_STATUS_SUCCESS);
    } else if (how == 1) {
      EXPECT_EQ(aipu_unload_graph(own, g), AIPU_STATUS_SUCCESS);
    }
    EXPECT_EQ(aipu_deinit_context(own), AIPU_STATUS_SUCCESS);
    waiter.join();
  }
}

TEST_F(Hostile, ConfigurationsAreChecked) {
  const std::uint64_t g = graph(), j = job(g);
  EXPECT_EQ(aipu_config_global(ctx, 0, nullptr), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_config_global(ctx, 1, nullptr), AIPU_STATUS_ERROR_INVALID_CONFIG);
  aipu_global_config_simulation_t simulation = {};
  for (const std::uint32_t size : {0u, 1u << 19, 1u << 20, 1u << 26}) {
    simulation.gm_size = size;
    EXPECT_EQ(aipu_config_global(ctx, AIPU_CONFIG_TYPE_SIMULATION, &simulation), AIPU_STATUS_SUCCESS) << size;
  }
  for (const std::uint32_t size : {3u, 1u << 18, 1u << 27, 0x180000u}) {
    simulation.gm_size = size;
    EXPECT_EQ(aipu_config_global(ctx, AIPU_CONFIG_TYPE_SIMULATION, &simulation),
              AIPU_STATUS_ERROR_INVALID_CONFIG)
        << size;
  }
  aipu_global_config_hw_t hardware = {false, true};
  EXPECT_EQ(aipu_config_global(ctx, AIPU_CONFIG_TYPE_HW, &hardware), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_config_global(ctx, AIPU_GLOBAL_CONFIG_TYPE_DISABLE_VER_CHECK, nullptr), AIPU_STATUS_SUCCESS);
  EXPECT_NE(graph("z1"), 0u);  // crashes the vendor's simulator build

  std::uint64_t id = 0;
  aipu_create_job_cfg_t config = {};
  config.partition_id = 2;
  EXPECT_EQ(aipu_create_job(ctx, g, &id, &config), AIPU_STATUS_ERROR_INVALID_PARTITION_ID);
  config = {};
  config.qos_level = 2;
  EXPECT_EQ(aipu_create_job(ctx, g, &id, &config), AIPU_STATUS_ERROR_INVALID_QOS);
  config.qos_level = AIPU_JOB_QOS_HIGH;
  config.bind_enable = true;
  EXPECT_EQ(aipu_create_job(ctx, g, &id, &config), AIPU_STATUS_ERROR_INVALID_QOS);
  EXPECT_EQ(aipu_config_job(ctx, j, 0, nullptr), AIPU_STATUS_ERROR_INVALID_CONFIG);
  EXPECT_EQ(aipu_config_job(ctx, j, 0x800, nullptr), AIPU_STATUS_ERROR_INVALID_CONFIG);
  aipu_load_graph_cfg_t load_config = {};
  load_config.put_weight_gm = true;
  const Bytes file = minimal_graph("x2");
  EXPECT_EQ(aipu_load_graph_helper(ctx, reinterpret_cast<const char*>(file.data()),
                                   static_cast<std::uint32_t>(file.size()), &id, &load_config),
            AIPU_STATUS_ERROR_OP_NOT_SUPPORTED);
  load_config = {};
  load_config.extra_weight_path = "/no/such/folder";
  EXPECT_EQ(aipu_load_graph_helper(ctx, reinterpret_cast<const char*>(file.data()),
                                   static_cast<std::uint32_t>(file.size()), &id, &load_config),
            AIPU_STATUS_ERROR_OPEN_FILE_FAIL);
}

TEST_F(Hostile, SharedMemoryIsCheckedBeforeUse) {
  const std::uint64_t j = job(graph());
  aipu_shared_tensor_info_t info = {};
  info.type = AIPU_TENSOR_TYPE_PRINTF;
  EXPECT_EQ(aipu_specify_iobuf(ctx, j, &info), AIPU_STATUS_ERROR_INVALID_TENSOR_ID);
  info.type = AIPU_TENSOR_TYPE_INPUT;
  info.tensor_idx = 1;
  EXPECT_EQ(aipu_specify_iobuf(ctx, j, &info), AIPU_STATUS_ERROR_INVALID_TENSOR_ID);
  info.tensor_idx = 0;
  info.pa = 0x1234;
  EXPECT_EQ(aipu_specify_iobuf(ctx, j, &info), AIPU_STATUS_ERROR_MARK_SHARED_TENSOR);
  info.shared_case_type = AIPU_SHARE_BUF_DMABUF;
  for (const int fd : {-1, 0, 9999}) {
    info.dmabuf_fd = fd;
    EXPECT_EQ(aipu_specify_iobuf(ctx, j, &info), AIPU_STATUS_ERROR_DEV_ABNORMAL) << fd;
  }
  info.shared_case_type = 77;
  EXPECT_EQ(aipu_specify_iobuf(ctx, j, &info), AIPU_STATUS_ERROR_INVALID_OP);
  info.shared_case_type = AIPU_SHARE_BUF_ATTACH_DMABUF;
  EXPECT_EQ(aipu_specify_iobuf(ctx, j, &info), AIPU_STATUS_ERROR_INVALID_CONFIG);  // X2
  aipu_share_buf_t shared = {};
  EXPECT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_ALLOC_SHARE_BUF, &shared), AIPU_STATUS_ERROR_INVALID_SIZE);
  shared.size = 64;
  ASSERT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_ALLOC_SHARE_BUF, &shared), AIPU_STATUS_SUCCESS);
  info.shared_case_type = AIPU_SHARE_BUF_IN_ONE_PROCESS;
  info.pa = shared.pa;
  EXPECT_EQ(aipu_specify_iobuf(ctx, j, &info), AIPU_STATUS_ERROR_INVALID_SIZE);  // the section has 256 bytes
  int fd = 77777;
  EXPECT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_FREE_DMABUF, &fd), AIPU_STATUS_ERROR_DEV_ABNORMAL);
  EXPECT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_DETACH_DMABUF, &fd), AIPU_STATUS_ERROR_DEV_ABNORMAL);
  aipu_dma_buf_req_t request = {0, UINT64_MAX};
  EXPECT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_ALLOC_DMABUF, &request), AIPU_STATUS_ERROR_INVALID_SIZE);
  aipu_mem_rw_t access = {AIPU_IOCTL_READ_MEM, j, 16, 0, &request};
  EXPECT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_RW_MEMORY, &access), AIPU_STATUS_ERROR_INVALID_SIZE);

  void* memory = nullptr;
  ASSERT_EQ(aipu_malloc(ctx, 64, 1, 0, &memory), AIPU_STATUS_SUCCESS);
  char bytes[128] = {};
  EXPECT_EQ(aipu_memcpy(ctx, memory, bytes, 64, 0), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_memcpy(ctx, memory, bytes, 65, 0), AIPU_STATUS_ERROR_INVALID_SIZE);
  EXPECT_EQ(aipu_memcpy(ctx, bytes, memory, 64, 1), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_memcpy(ctx, bytes, bytes + 64, 64, 1), AIPU_STATUS_ERROR_INVALID_SIZE);
  EXPECT_EQ(aipu_memcpy(ctx, memory, memory, 64, 3), AIPU_STATUS_ERROR_INVALID_OP);
  void* copy = memory;
  EXPECT_EQ(aipu_free(ctx, &memory), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_free(ctx, &copy), AIPU_STATUS_ERROR_BUF_FREE_FAIL);
  EXPECT_EQ(aipu_debugger_free(ctx, bytes), AIPU_STATUS_ERROR_BUF_FREE_FAIL);
}

TEST_F(Hostile, EveryStatusHasAText) {
  for (std::uint32_t status = 0; status <= 0x500; ++status) {
    const char* text = nullptr;
    ASSERT_EQ(aipu_get_error_message(ctx, static_cast<aipu_status_t>(status), &text), AIPU_STATUS_SUCCESS);
    ASSERT_NE(text, nullptr);
    EXPECT_STRNE(text, "") << status;
  }
}

TEST_F(Hostile, TargetAndVersionsEndWithNul) {
  char target[32];
  std::fill_n(target, sizeof target, 'x');
  ASSERT_EQ(aipu_get_target(ctx, target), AIPU_STATUS_SUCCESS);
  EXPECT_STREQ(target, "null");
  aipu_driver_version_t version;
  std::fill_n(reinterpret_cast<char*>(&version), sizeof version, 'x');
  ASSERT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_GET_VERSION, &version), AIPU_STATUS_SUCCESS);
  EXPECT_STREQ(version.umd_version, "6.1.0");
  EXPECT_EQ(version.kmd_version[15], '\0');
}

TEST_F(Hostile, PrintfStaysInsideItsTensor) {
  // A printf piece of 24 bytes (type 12) whose program claims to have written a million.
  std::vector<std::uint32_t> bss = minimal_bss();
  bss[3] = 3;
  for (const std::uint32_t word :
       {256u, 4096u, 0u, 1u, 0u, 24u, 12u, 0u, 2u, 0u, 0u, 0u, 0u, 0u, 0xFFFFFFFFu, 1u, 8u})
    bss.push_back(word);
  const Bytes code =
      program("z1", "ld r2, [r1+8]\nmov r4, 0\nmovh r4, 16\nst r4, [r2+4]\nmov r4, 0x4948\nst r4, [r2+8]\n");
  std::uint64_t g = 0;
  ASSERT_EQ(load(minimal_bin("z1", code, 0x05000000, bss), &g), AIPU_STATUS_SUCCESS);
  const std::uint64_t j = job(g);
  ASSERT_EQ(aipu_finish_job(ctx, j, -1), AIPU_STATUS_SUCCESS);
  std::vector<char> copy(24);
  ASSERT_EQ(aipu_get_tensor(ctx, j, AIPU_TENSOR_TYPE_PRINTF, 0, copy.data()), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(std::string(copy.data() + 8, 2), "HI");
  std::string path = "/tmp/zynpu_printf_XXXXXX";
  const int fd = mkstemp(path.data());
  ASSERT_GE(fd, 0);
  EXPECT_EQ(aipu_printf(copy.data(), path.data()), AIPU_STATUS_SUCCESS);
  char text[64] = {};
  EXPECT_EQ(read(fd, text, sizeof text), 16);
  EXPECT_EQ(std::string(text, 2), "HI");
  close(fd);
  unlink(path.c_str());
  std::string missing = "/no/such/folder/file";
  EXPECT_EQ(aipu_printf(copy.data(), missing.data()), AIPU_STATUS_ERROR_PRINTF_FAIL);
}

TEST_F(Hostile, NotesAreReadWithinTheirBounds) {
  const std::uint64_t g = graph(), z = graph("z1");
  std::uint64_t size = 0;
  ASSERT_EQ(aipu_get_elf_note_size(ctx, g, "rodata", &size), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(size, 64u);
  EXPECT_EQ(aipu_get_elf_note_size(ctx, g, "nothing", &size), AIPU_STATUS_ERROR_INVALID_GBIN);
  EXPECT_EQ(aipu_get_elf_note_size(ctx, z, "rodata", &size), AIPU_STATUS_ERROR_GVERSION_UNSUPPORTED);
  std::vector<char> data(64);
  size = 63;
  EXPECT_EQ(aipu_read_elf_note(ctx, g, "rodata", data.data(), &size), AIPU_STATUS_ERROR_INVALID_SIZE);
  size = 64;
  EXPECT_EQ(aipu_read_elf_note(ctx, g, "rodata", data.data(), &size), AIPU_STATUS_SUCCESS);
}

TEST_F(Hostile, RandomDamageNeverLoadsIntoACrash) {
  std::uint32_t state = 1;
  const auto random = [&] { return state = state * 1664525 + 1013904223; };
  for (const char* part : {"z1", "x2"}) {
    const Bytes good = minimal_graph(part);
    for (int round = 0; round < 2000; ++round) {
      Bytes file = good;
      for (std::uint32_t i = 0, n = 1 + random() % 4; i < n; ++i)
        file[(random() >> 8) % file.size()] = static_cast<std::uint8_t>(random() >> 16);
      std::uint64_t g = 0, j = 0;
      if (load(file, &g) != AIPU_STATUS_SUCCESS) continue;
      if (aipu_create_job(ctx, g, &j) == AIPU_STATUS_SUCCESS) {
        aipu_tensor_desc_t desc = {};
        EXPECT_EQ(
            aipu_get_tensor_descriptor(ctx, j, AIPU_TENSOR_TYPE_INPUT, 0, &desc) == AIPU_STATUS_SUCCESS ||
                desc.size == 0,
            true);
      }
      EXPECT_EQ(aipu_unload_graph(ctx, g), AIPU_STATUS_SUCCESS);
    }
  }
}

}  // namespace
}  // namespace zynpu::test
