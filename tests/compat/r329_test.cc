// SPDX-License-Identifier: MIT
// A program of the R329's generation, written from standard-api.md 12: the flow of its known client, its
// statuses and its symbols.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <sstream>

#include "compat/vendor_files.h"
#include "r329.h"

namespace zynpu::test {
namespace {

static_assert(sizeof(graph_desc) == 64 && offsetof(graph_desc, build_major) == 8 &&
              offsetof(graph_desc, build_number) == 10 && offsetof(graph_desc, inputs) == 16 &&
              offsetof(graph_desc, dumps) == 48);
static_assert(sizeof(aipu_r329_tensor_desc) == 32 && offsetof(aipu_r329_tensor_desc, data_type) == 28);
static_assert(sizeof(aipu_buffer_alloc_info) == 88 && offsetof(aipu_buffer_alloc_info, inputs) == 8 &&
              offsetof(aipu_buffer_alloc_info, profiler) == 72);
static_assert(sizeof(aipu_r329_buffer) == 24 && offsetof(aipu_r329_buffer, va) == 8 &&
              offsetof(aipu_r329_buffer, size) == 16);
static_assert(sizeof(runtime_config) == 2 && sizeof(aipu_debugger_job_info) == 24 && sizeof(ctx_handle) == 4);
static_assert(offsetof(dump_option, suffix) == 8 && offsetof(dump_option, dir) == 16);

// graph-format.md 2.9: short reuse descriptors, shapes in place of quantisation.
Bytes old_graph(std::uint32_t version, const Bytes& text) {
  const std::vector<std::uint32_t> bss = {4096, 4096, 0, 2,                                                //
                                          256,  4096, 1, 0, 16, 0, 0, 2, 1, 1, 2, 8, 1, 0xFFFFFFFF, 1, 0,  //
                                          256,  4096, 1, 0, 16, 1, 0, 3, 1, 1, 4, 4, 1, 0xFFFFFFFF, 1, 4};
  return minimal_bin("z1", text, version, bss, {});
}

class R329 : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("ZYNPU_DEVICE", "virtual", 0);
    setenv("UMD_LOG_LEVEL", "6", 0);
    ASSERT_EQ(AIPU_init_ctx(&ctx), AIPU_R329_SUCCESS);
  }
  void TearDown() override { AIPU_deinit_ctx(ctx); }
  aipu_status_t load(const Bytes& file, graph_desc* desc) {
    return AIPU_load_graph(ctx, file.data(), static_cast<std::uint32_t>(file.size()), desc);
  }

  ctx_handle* ctx = nullptr;
};

TEST_F(R329, RunsFrameAfterFrame) {
  for (const std::uint32_t version : {0x03000000u, 0x04000000u}) {
    graph_desc graph = {};
    ASSERT_EQ(load(old_graph(version, add_one("z1")), &graph), AIPU_R329_SUCCESS);
    EXPECT_EQ(graph.id, 1u);
    EXPECT_EQ(graph.graph_version, version);
    ASSERT_EQ(graph.inputs.number, 1u);
    const aipu_r329_tensor_desc& in = graph.inputs.desc[0];
    EXPECT_EQ(in.size, 16u);
    EXPECT_EQ(in.layout, 1u);
    EXPECT_EQ(in.h, 2u);
    EXPECT_EQ(in.w, 8u);
    EXPECT_EQ(in.c, 1u);
    EXPECT_EQ(in.data_type, 1u);
    EXPECT_EQ(graph.outputs.desc[0].data_type, 2u);
    aipu_buffer_alloc_info buffers = {};
    ASSERT_EQ(AIPU_alloc_tensor_buffers(ctx, &graph, &buffers), AIPU_R329_SUCCESS);
    EXPECT_EQ(buffers.handle, 0x10000u);
    EXPECT_EQ(buffers.printf.number, 0u);
    ASSERT_EQ(buffers.inputs.number, 1u);
    EXPECT_EQ(buffers.inputs.tensors[0].size, 16u);
    for (std::uint32_t frame = 0; frame < 5; ++frame) {
      const std::array<std::uint32_t, 4> data = {frame, frame * 77, 0xFFFFFFFF, 1u << frame};
      std::memcpy(buffers.inputs.tensors[0].va, data.data(), 16);
      std::uint32_t job = 0;
      ASSERT_EQ(AIPU_create_job(ctx, &graph, buffers.handle, &job), AIPU_R329_SUCCESS);
      EXPECT_EQ(job, 0x10000u);
      ASSERT_EQ(AIPU_finish_job(ctx, job, -1), AIPU_R329_SUCCESS);
      std::array<std::uint32_t, 4> out = {};
      std::memcpy(out.data(), buffers.outputs.tensors[0].va, 16);
      for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(out[i], data[i] + 1);
      EXPECT_EQ(AIPU_clean_job(ctx, job), AIPU_R329_SUCCESS);
    }
    EXPECT_EQ(AIPU_free_tensor_buffers(ctx, buffers.handle), AIPU_R329_SUCCESS);
    EXPECT_EQ(AIPU_unload_graph(ctx, &graph), AIPU_R329_SUCCESS);
  }
}

TEST_F(R329, FlushesAndPolls) {
  graph_desc graph = {};
  ASSERT_EQ(load(old_graph(0x04000000, add_one("z1")), &graph), AIPU_R329_SUCCESS);
  aipu_buffer_alloc_info one = {}, two = {};
  ASSERT_EQ(AIPU_alloc_tensor_buffers(ctx, &graph, &one), AIPU_R329_SUCCESS);
  ASSERT_EQ(AIPU_alloc_tensor_buffers(ctx, &graph, &two), AIPU_R329_SUCCESS);
  EXPECT_EQ(two.handle, 0x10001u);
  std::uint32_t first = 0, second = 0, count = 0;
  ASSERT_EQ(AIPU_create_job(ctx, &graph, one.handle, &first), AIPU_R329_SUCCESS);
  ASSERT_EQ(AIPU_create_job(ctx, &graph, two.handle, &second), AIPU_R329_SUCCESS);
  EXPECT_EQ(second, 0x10001u);
  aipu_job_status_t status = AIPU_R329_JOB_DONE;
  EXPECT_EQ(AIPU_get_job_status(ctx, first, -1, &status), AIPU_R329_JOB_NOT_SCHED);
  EXPECT_EQ(AIPU_poll_jobs_status(ctx, &count, -1), AIPU_R329_JOB_NOT_SCHED);
  ASSERT_EQ(AIPU_flush_job(ctx, first), AIPU_R329_SUCCESS);
  ASSERT_EQ(AIPU_flush_job(ctx, second), AIPU_R329_SUCCESS);
  ASSERT_EQ(AIPU_poll_jobs_status(ctx, &count, -1), AIPU_R329_SUCCESS);
  EXPECT_GE(count, 1u);
  for (const std::uint32_t job : {first, second}) {
    ASSERT_EQ(AIPU_get_job_status(ctx, job, -1, &status), AIPU_R329_SUCCESS);
    EXPECT_EQ(status, AIPU_R329_JOB_DONE);
    EXPECT_EQ(AIPU_flush_job(ctx, job), AIPU_R329_JOB_SCHED);
  }
}

TEST_F(R329, GivesItsOwnStatuses) {
  graph_desc graph = {};
  const Bytes good = old_graph(0x04000000, add_one("z1"));
  const auto with = [&](std::size_t at, std::uint32_t value) {
    Bytes file = good;
    put_u32(file, at, value);
    return load(file, &graph);
  };
  EXPECT_EQ(with(0, 0), AIPU_R329_UNKNOWN_BIN);
  EXPECT_EQ(with(20, 0x05000000), AIPU_R329_GVERSION_UNSUPPORTED);
  EXPECT_EQ(with(28, 108), AIPU_R329_INVALID_GBIN);
  EXPECT_EQ(with(16, 0x000102BE), AIPU_R329_TARGET_NOT_FOUND);
  EXPECT_EQ(AIPU_load_graph_helper(ctx, "/no/such/file", &graph), AIPU_R329_OPEN_FILE_FAIL);
  EXPECT_EQ(AIPU_load_graph(ctx, good.data(), 50, &graph), AIPU_R329_INVALID_GBIN);
  for (std::uint32_t size = 104; size < good.size(); size += 7)
    EXPECT_EQ(AIPU_load_graph(ctx, good.data(), size, &graph), AIPU_R329_INVALID_GBIN) << size;

  ASSERT_EQ(load(good, &graph), AIPU_R329_SUCCESS);
  aipu_buffer_alloc_info buffers = {};
  ASSERT_EQ(AIPU_alloc_tensor_buffers(ctx, &graph, &buffers), AIPU_R329_SUCCESS);
  std::uint32_t job = 0, other = 0;
  EXPECT_EQ(AIPU_create_job(ctx, &graph, 0x10009, &job), AIPU_R329_INVALID_HANDLE);
  ASSERT_EQ(AIPU_create_job(ctx, &graph, buffers.handle, &job), AIPU_R329_SUCCESS);
  EXPECT_EQ(AIPU_create_job(ctx, &graph, buffers.handle, &other), AIPU_R329_BUSY_HANDLE);
  EXPECT_EQ(AIPU_free_tensor_buffers(ctx, buffers.handle), AIPU_R329_BUSY_HANDLE);
  EXPECT_EQ(AIPU_clean_job(ctx, job), AIPU_R329_SUCCESS);
  EXPECT_EQ(AIPU_clean_job(ctx, job), AIPU_R329_JOB_NOT_EXIST);
  EXPECT_EQ(AIPU_finish_job(ctx, job, -1), AIPU_R329_JOB_NOT_EXIST);
  EXPECT_EQ(AIPU_free_tensor_buffers(ctx, buffers.handle), AIPU_R329_SUCCESS);
  EXPECT_EQ(AIPU_free_tensor_buffers(ctx, buffers.handle), AIPU_R329_INVALID_HANDLE);
  EXPECT_EQ(AIPU_config_simulation(ctx, nullptr), AIPU_R329_OP_NOT_SUPPORTED);
  EXPECT_EQ(AIPU_unload_graph(ctx, &graph), AIPU_R329_SUCCESS);
  EXPECT_EQ(AIPU_unload_graph(ctx, &graph), AIPU_R329_GRAPH_NOT_EXIST);
  EXPECT_EQ(AIPU_alloc_tensor_buffers(ctx, &graph, &buffers), AIPU_R329_GRAPH_NOT_EXIST);

  EXPECT_EQ(AIPU_init_ctx(nullptr), AIPU_R329_NULL_PTR);
  EXPECT_EQ(AIPU_unload_graph(ctx, nullptr), AIPU_R329_NULL_PTR);
  EXPECT_EQ(AIPU_load_graph(nullptr, good.data(), 5, &graph), AIPU_R329_NULL_PTR);
  ctx_handle* gone = nullptr;
  ASSERT_EQ(AIPU_init_ctx(&gone), AIPU_R329_SUCCESS);
  ASSERT_EQ(AIPU_deinit_ctx(gone), AIPU_R329_SUCCESS);
  EXPECT_EQ(AIPU_deinit_ctx(gone), AIPU_R329_INVALID_CTX);
  for (std::uint32_t status = 0; status < 64; ++status) {
    const char* text = nullptr;
    EXPECT_EQ(AIPU_get_status_msg(static_cast<aipu_status_t>(status), &text), AIPU_R329_SUCCESS);
    EXPECT_STRNE(text, "");
  }
}

TEST_F(R329, ReportsAProgramThatFails) {
  graph_desc graph = {};
  ASSERT_EQ(load(old_graph(0x04000000, program("z1", "ld r2, [zero+0]\nadd r2, r2, r2\n")), &graph),
            AIPU_R329_SUCCESS);
  aipu_buffer_alloc_info buffers = {};
  ASSERT_EQ(AIPU_alloc_tensor_buffers(ctx, &graph, &buffers), AIPU_R329_SUCCESS);
  std::uint32_t job = 0;
  ASSERT_EQ(AIPU_create_job(ctx, &graph, buffers.handle, &job), AIPU_R329_SUCCESS);
  EXPECT_EQ(AIPU_finish_job(ctx, job, -1), AIPU_R329_JOB_EXCEPTION);
}

TEST(R329Abi, ExportsTheMangledNamesAndNothingElse) {
  const std::set<std::string> expected = {
      "_Z13AIPU_init_ctxPP10ctx_handle",
      "_Z15AIPU_deinit_ctxPK10ctx_handle",
      "_Z19AIPU_get_status_msg13aipu_status_tPPKc",
      "_Z22AIPU_config_simulationPK10ctx_handlePK17simulation_config",
      "_Z23AIPU_set_runtime_configPK10ctx_handlePK14runtime_config",
      "_Z15AIPU_load_graphPK10ctx_handlePKvjP10graph_desc",
      "_Z22AIPU_load_graph_helperPK10ctx_handlePKcP10graph_desc",
      "_Z17AIPU_unload_graphPK10ctx_handlePK10graph_desc",
      "_Z25AIPU_alloc_tensor_buffersPK10ctx_handlePK10graph_descP22aipu_buffer_alloc_info",
      "_Z24AIPU_free_tensor_buffersPK10ctx_handlej",
      "_Z15AIPU_create_jobPK10ctx_handlePK10graph_descjPj",
      "_Z14AIPU_flush_jobPK10ctx_handlej",
      "_Z15AIPU_finish_jobPK10ctx_handleji",
      "_Z19AIPU_get_job_statusPK10ctx_handlejiP17aipu_job_status_t",
      "_Z21AIPU_poll_jobs_statusPK10ctx_handlePji",
      "_Z14AIPU_clean_jobPK10ctx_handlej",
      "_Z21AIPU_set_dump_optionsPK10ctx_handlejPK11dump_option",
      "_Z26AIPU_debugger_get_core_cntPK10ctx_handlePj",
      "_Z27AIPU_debugger_get_core_infoPK10ctx_handlejP14aipu_core_info",
      "_Z26AIPU_debugger_get_job_infoPK10ctx_handlejP22aipu_debugger_job_info",
      "_Z22AIPU_debugger_bind_jobPK10ctx_handlejj",
      "_Z21AIPU_debugger_run_jobPK10ctx_handlej",
      "_Z20AIPU_debugger_mallocPK10ctx_handlejPPv",
      "_Z18AIPU_debugger_freePK10ctx_handlePv",
      "_Z11AIPU_printfP13tensor_bufferPc",
      "_Z11aipu_printfPcS_"};
  std::set<std::string> names;
  FILE* pipe = popen("nm -D --defined-only " ZYNPU_BINARY_DIR "/lib/libaipudrv.so.4", "r");
  ASSERT_NE(pipe, nullptr);
  std::array<char, 4096> line{};
  while (std::fgets(line.data(), line.size(), pipe) != nullptr) {
    std::istringstream fields(line.data());
    std::string address, kind, name;
    fields >> address >> kind >> name;
    names.insert(name);
  }
  pclose(pipe);
  EXPECT_EQ(names, expected);
}

}  // namespace
}  // namespace zynpu::test
