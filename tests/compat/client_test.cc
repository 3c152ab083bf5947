// SPDX-License-Identifier: MIT
// A program as users of the vendor's library write it, from standard-api.md alone: loads small graphs, runs
// them in every way there is and compares the outputs bit for bit. The device is that of ZYNPU_DEVICE, the
// virtual one by default.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "compat/on_device.h"
#include "compat/vendor_files.h"
#include "standard_api.h"

namespace zynpu::test {
namespace {

using Words = std::array<std::uint32_t, 4>;

Words words(std::uint32_t seed) { return {seed, seed * 3 + 7, seed * 0x10001, ~seed}; }

Words plus_one(Words value) {
  for (std::uint32_t& word : value) ++word;
  return value;
}

class Client : public OnDevice {
 protected:
  std::uint64_t load(const Bytes& file) {
    std::uint64_t id = 0;
    EXPECT_EQ(aipu_load_graph_helper(ctx, reinterpret_cast<const char*>(file.data()),
                                     static_cast<std::uint32_t>(file.size()), &id),
              AIPU_STATUS_SUCCESS);
    return id;
  }
  std::uint64_t create(std::uint64_t graph) {
    std::uint64_t job = 0;
    EXPECT_EQ(aipu_create_job(ctx, graph, &job), AIPU_STATUS_SUCCESS);
    return job;
  }
  Words output(std::uint64_t job) {
    Words out = {};
    EXPECT_EQ(aipu_get_tensor(ctx, job, AIPU_TENSOR_TYPE_OUTPUT, 0, out.data()), AIPU_STATUS_SUCCESS);
    return out;
  }
  void feed(std::uint64_t job, const Words& in) {
    EXPECT_EQ(aipu_load_tensor(ctx, job, 0, in.data()), AIPU_STATUS_SUCCESS);
  }
  void run_and_check(std::uint64_t job, std::uint32_t seed) {
    feed(job, words(seed));
    ASSERT_EQ(aipu_finish_job(ctx, job, -1), AIPU_STATUS_SUCCESS);
    EXPECT_EQ(output(job), plus_one(words(seed)));
  }
};

TEST_P(Client, RunsTheMinimalGraphAgainAndAgain) {
  const std::uint64_t graph = load(minimal_graph(part()));
  EXPECT_EQ(graph, 0x100000000u);
  const std::uint64_t job = create(graph);
  EXPECT_EQ(job, 0x100000001u);
  for (std::uint32_t seed = 1; seed < 6; ++seed) run_and_check(job, seed);
  EXPECT_EQ(aipu_clean_job(ctx, job), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_unload_graph(ctx, graph), AIPU_STATUS_SUCCESS);
}

TEST_P(Client, LoadsFromAFile) {
  std::string path = std::filesystem::temp_directory_path() / "zynpu_client_XXXXXX";
  const int fd = mkstemp(path.data());
  ASSERT_GE(fd, 0);
  const Bytes file = minimal_graph(part());
  ASSERT_EQ(write(fd, file.data(), file.size()), static_cast<ssize_t>(file.size()));
  close(fd);
  std::uint64_t graph = 0;
  EXPECT_EQ(aipu_load_graph(ctx, path.c_str(), &graph), AIPU_STATUS_SUCCESS);
  std::filesystem::remove(path);
  run_and_check(create(graph), 5);
  EXPECT_EQ(aipu_load_graph(ctx, path.c_str(), &graph), AIPU_STATUS_ERROR_OPEN_FILE_FAIL);
}

TEST_P(Client, NumbersGraphsAndJobsLikeTheVendor) {
  const Bytes file = minimal_graph(part());
  const std::uint64_t one = load(file), two = load(file);
  EXPECT_EQ(one, std::uint64_t{1} << 32);
  EXPECT_EQ(two, std::uint64_t{2} << 32);
  EXPECT_EQ(create(two), two + 1);
  EXPECT_EQ(create(two), two + 2);
  EXPECT_EQ(create(one), one + 1);
  EXPECT_EQ(aipu_clean_job(ctx, two + 1), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(create(two), two + 1);
  EXPECT_EQ(aipu_unload_graph(ctx, one), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(load(file), one);
}

TEST_P(Client, DescribesItsTensors) {
  const std::uint64_t graph = load(minimal_graph(part())), job = create(graph);
  for (const std::uint64_t id : {graph, job}) {
    std::uint32_t count = 9;
    ASSERT_EQ(aipu_get_tensor_count(ctx, id, AIPU_TENSOR_TYPE_INPUT, &count), AIPU_STATUS_SUCCESS);
    EXPECT_EQ(count, 1u);
    ASSERT_EQ(aipu_get_tensor_count(ctx, id, AIPU_TENSOR_TYPE_PROFILER, &count), AIPU_STATUS_SUCCESS);
    EXPECT_EQ(count, 0u);
    aipu_tensor_desc_t desc = {};
    ASSERT_EQ(aipu_get_tensor_descriptor(ctx, id, AIPU_TENSOR_TYPE_OUTPUT, 0, &desc), AIPU_STATUS_SUCCESS);
    EXPECT_EQ(desc.id, 0u);
    EXPECT_EQ(desc.size, 16u);
    EXPECT_EQ(desc.scale, 1.0f);
    EXPECT_EQ(desc.zero_point, 0);
    EXPECT_EQ(desc.data_type, AIPU_DATA_TYPE_S8);
    EXPECT_EQ(aipu_get_tensor_descriptor(ctx, id, AIPU_TENSOR_TYPE_OUTPUT, 1, &desc),
              AIPU_STATUS_ERROR_INVALID_TENSOR_ID);
  }
}

TEST_P(Client, FlushesAndPolls) {
  const std::uint64_t job = create(load(minimal_graph(part())));
  feed(job, words(11));
  ASSERT_EQ(aipu_flush_job(ctx, job), AIPU_STATUS_SUCCESS);
  aipu_job_status_t status = AIPU_JOB_STATUS_NO_STATUS;
  ASSERT_EQ(aipu_get_job_status(ctx, job, &status, -1), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(status, AIPU_JOB_STATUS_DONE);
  EXPECT_EQ(output(job), plus_one(words(11)));
  // Asking again changes nothing.
  ASSERT_EQ(aipu_get_job_status(ctx, job, &status, 0), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(status, AIPU_JOB_STATUS_DONE);
}

std::atomic<std::uint64_t> called_for;
std::atomic<std::uint32_t> called_with;

TEST_P(Client, CallsBackFromTheStatusCall) {
  const std::uint64_t graph = load(minimal_graph(part())), job = create(graph), other = create(graph);
  called_for = 0;
  feed(job, words(1));
  feed(other, words(2));
  const auto callback = [](std::uint64_t id, aipu_job_status_t state) {
    called_for = id;
    called_with = state;
    return 0;
  };
  ASSERT_EQ(aipu_flush_job(ctx, job, callback), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(called_for, 0u);
  // Any job's status call delivers it.
  ASSERT_EQ(aipu_flush_job(ctx, other), AIPU_STATUS_SUCCESS);
  aipu_job_status_t status = AIPU_JOB_STATUS_NO_STATUS;
  ASSERT_EQ(aipu_get_job_status(ctx, other, &status, -1), AIPU_STATUS_SUCCESS);
  ASSERT_EQ(aipu_get_job_status(ctx, job, &status, -1), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(called_for, job);
  EXPECT_EQ(called_with, static_cast<std::uint32_t>(AIPU_JOB_STATUS_DONE));
  called_for = 0;
  ASSERT_EQ(aipu_get_job_status(ctx, job, &status, 0), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(called_for, 0u);  // once
}

TEST_P(Client, RunsBatches) {
  const std::uint64_t graph = load(minimal_graph(part()));
  std::uint32_t queue = 0;
  ASSERT_EQ(aipu_create_batch_queue(ctx, graph, &queue), AIPU_STATUS_SUCCESS);
  constexpr std::size_t kBatches = 7;
  std::vector<Words> in(kBatches), out(kBatches);
  for (int round = 0; round < 2; ++round) {  // the queue stays usable
    for (std::size_t i = 0; i < kBatches; ++i) {
      in[i] = words(static_cast<std::uint32_t>(100 * round + i));
      char* inputs[] = {reinterpret_cast<char*>(in[i].data())};
      char* outputs[] = {reinterpret_cast<char*>(out[i].data())};
      ASSERT_EQ(aipu_add_batch(ctx, graph, queue, inputs, outputs), AIPU_STATUS_SUCCESS);
    }
    aipu_create_job_cfg_t config = {};
    ASSERT_EQ(aipu_finish_batch(ctx, graph, queue, &config), AIPU_STATUS_SUCCESS);
    for (std::size_t i = 0; i < kBatches; ++i) EXPECT_EQ(out[i], plus_one(in[i]));
  }
  EXPECT_EQ(aipu_clean_batch_queue(ctx, graph, queue), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_clean_batch_queue(ctx, graph, queue), AIPU_STATUS_ERROR_NO_BATCH_QUEUE);
}

TEST_P(Client, ServesEightThreads) {
  const std::uint64_t graph = load(minimal_graph(part()));
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      const std::uint64_t job = create(graph);
      for (std::uint32_t round = 0; round < 5; ++round) run_and_check(job, 1000 * t + round);
      EXPECT_EQ(aipu_clean_job(ctx, job), AIPU_STATUS_SUCCESS);
    });
  for (std::thread& thread : threads) thread.join();
}

TEST_P(Client, SharesAGraphsIoBetweenJobs) {
  const std::uint64_t graph = load(minimal_graph(part())), first = create(graph), second = create(graph);
  aipu_share_buf_t shared = {};
  shared.size = 4096;
  ASSERT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_ALLOC_SHARE_BUF, &shared), AIPU_STATUS_SUCCESS);
  ASSERT_NE(shared.va, 0u);
  aipu_shared_tensor_info_t info = {};
  info.type = AIPU_TENSOR_TYPE_OUTPUT;
  info.pa = shared.pa;
  info.shared_case_type = AIPU_SHARE_BUF_IN_ONE_PROCESS;
  ASSERT_EQ(aipu_specify_iobuf(ctx, first, &info), AIPU_STATUS_SUCCESS);
  info.type = AIPU_TENSOR_TYPE_INPUT;
  ASSERT_EQ(aipu_specify_iobuf(ctx, second, &info), AIPU_STATUS_SUCCESS);
  feed(first, words(40));
  ASSERT_EQ(aipu_finish_job(ctx, first, -1), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(std::memcmp(reinterpret_cast<const void*>(shared.va), plus_one(words(40)).data(), 16), 0);
  ASSERT_EQ(aipu_finish_job(ctx, second, -1), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(output(second), plus_one(plus_one(words(40))));
  EXPECT_EQ(aipu_clean_job(ctx, first), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_clean_job(ctx, second), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_FREE_SHARE_BUF, &shared), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_FREE_SHARE_BUF, &shared), AIPU_STATUS_ERROR_SET_SHARED_TENSOR);
}

TEST_P(Client, TakesItsInputFromADmaBuf) {
  const std::uint64_t graph = load(minimal_graph(part())), job = create(graph);
  aipu_dma_buf_req_t request = {};
  request.bytes = 8192;
  ASSERT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_ALLOC_DMABUF, &request), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(request.bytes, part() == "x2" ? 8192u + 2048u : 8192u);
  aipu_dma_buf_desc_t description = {};
  description.fd = request.fd;
  ASSERT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_GET_DMABUF_INFO, &description), AIPU_STATUS_SUCCESS);
  EXPECT_GE(description.bytes, request.bytes);
  Words in = words(77);
  aipu_dmabuf_op_t transfer = {request.fd, 4096, 16, reinterpret_cast<char*>(in.data())};
  ASSERT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_WRITE_DMABUF, &transfer), AIPU_STATUS_SUCCESS);
  aipu_shared_tensor_info_t info = {};
  info.type = AIPU_TENSOR_TYPE_INPUT;
  info.dmabuf_fd = request.fd;
  info.offset_in_dmabuf = 4096;
  info.shared_case_type = AIPU_SHARE_BUF_DMABUF;
  ASSERT_EQ(aipu_specify_iobuf(ctx, job, &info), AIPU_STATUS_SUCCESS);
  ASSERT_EQ(aipu_finish_job(ctx, job, -1), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(output(job), plus_one(in));
  run_and_check(job, 78);
  Words back = {};
  transfer.data = reinterpret_cast<char*>(back.data());
  ASSERT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_READ_DMABUF, &transfer), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(back, words(78));
  transfer.offset_in_dmabuf = static_cast<std::uint32_t>(description.bytes) - 8;
  EXPECT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_READ_DMABUF, &transfer), AIPU_STATUS_ERROR_INVALID_SIZE);
  transfer.offset_in_dmabuf = 0xFFFFFFF8;
  EXPECT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_READ_DMABUF, &transfer), AIPU_STATUS_ERROR_INVALID_SIZE);
  EXPECT_EQ(aipu_clean_job(ctx, job), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(aipu_ioctl(ctx, AIPU_IOCTL_FREE_DMABUF, &request.fd), AIPU_STATUS_SUCCESS);
  EXPECT_NE(aipu_ioctl(ctx, AIPU_IOCTL_FREE_DMABUF, &request.fd), AIPU_STATUS_SUCCESS);
}

TEST_P(Client, ReportsAProgramThatFails) {
  // A load from device address 0, which is never mapped.
  const Bytes wild = program(part(), "ld r2, [zero+0]\nadd r2, r2, r2\n");
  const std::uint64_t graph = load(part() == "x2" ? minimal_elf(wild).bytes() : minimal_bin(part(), wild));
  const std::uint64_t job = create(graph), good = create(load(minimal_graph(part())));
  EXPECT_EQ(aipu_finish_job(ctx, job, -1), AIPU_STATUS_ERROR_JOB_EXCEPTION);
  aipu_job_status_t status = AIPU_JOB_STATUS_NO_STATUS;
  EXPECT_EQ(aipu_get_job_status(ctx, job, &status, 0), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(status, AIPU_JOB_STATUS_EXCEPTION);
  EXPECT_EQ(aipu_finish_job(ctx, job, -1), AIPU_STATUS_ERROR_INVALID_OP);  // only cleaning is left
  EXPECT_EQ(aipu_clean_job(ctx, job), AIPU_STATUS_SUCCESS);
  run_and_check(good, 3);
}

TEST_P(Client, PassesTheProgramsErrorCodeOn) {
  // A third section with an error-code piece (type 14), patched at rodata + 8; the program writes 0x480
  // there.
  std::vector<std::uint32_t> bss = minimal_bss();
  bss[3] = 3;
  for (const std::uint32_t word : {256, 4096, 0, 1, 0, 4, 14, 0, 6, 0, 0, 0, 0, 0, -1, 1, 8})
    bss.push_back(word);
  const Bytes code = program(part(), "ld r2, [r1+8]\nmov r4, 0x480\nst r4, [r2+0]\n");
  Bytes file;
  if (part() == "x2") {
    graph::ElfFile elf = minimal_elf(code);
    elf.note("fmlist") = graph::ElfFile::words({0, 0, 1});
    const Bytes stream = graph::ElfFile::words(bss);
    elf.note("fmlist").insert(elf.note("fmlist").end(), stream.begin(), stream.end());
    file = elf.bytes();
  } else {
    file = minimal_bin(part(), code, 0x05000000, bss);
  }
  const std::uint64_t job = create(load(file));
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(aipu_finish_job(ctx, job, -1), AIPU_STATUS_ERROR_ARITHMETIC_ERR);
    const char* text = nullptr;
    ASSERT_EQ(aipu_get_error_message(ctx, AIPU_STATUS_ERROR_ARITHMETIC_ERR, &text), AIPU_STATUS_SUCCESS);
    EXPECT_NE(std::string(text).find("0x480"), std::string::npos) << text;
  }
}

TEST_P(Client, DumpsWhatItIsAskedFor) {
  std::string folder = std::filesystem::temp_directory_path() / "zynpu_dump_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::uint64_t job = create(load(minimal_graph(part())));
  aipu_job_config_dump_t config = {folder.c_str(), "emu", "out", nullptr};
  ASSERT_EQ(aipu_config_job(ctx, job,
                            AIPU_JOB_CONFIG_TYPE_DUMP_INPUT | AIPU_JOB_CONFIG_TYPE_DUMP_OUTPUT |
                                AIPU_JOB_CONFIG_TYPE_DUMP_TEXT | AIPU_JOB_CONFIG_TYPE_DUMP_EMULATION,
                            &config),
            AIPU_STATUS_SUCCESS);
  run_and_check(job, 9);
  int outputs = 0, inputs = 0, texts = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (name.find("Graph_0x100000000_Job_0x100000001_Output0_Dump_in_DRAM_PA_") == 0) {
      ++outputs;
      std::ifstream file(entry.path(), std::ios::binary);
      Words out = {};
      file.read(reinterpret_cast<char*>(out.data()), 16);
      EXPECT_EQ(out, plus_one(words(9)));
    }
    inputs += name.find("_Input0_Dump_in_DRAM_PA_") != std::string::npos;
    texts += name.find("_Text_BeforeRun_Dump_in_DRAM_PA_") != std::string::npos;
  }
  EXPECT_EQ(outputs, 1);
  EXPECT_EQ(inputs, 1);
  EXPECT_EQ(texts, 1);
  EXPECT_TRUE(std::filesystem::exists(folder + "/emu.input0"));
  EXPECT_TRUE(std::filesystem::exists(folder + "/out.output0"));
  std::filesystem::remove_all(folder);
  EXPECT_EQ(aipu_config_job(ctx, job, AIPU_JOB_CONFIG_TYPE_DUMP_INPUT, &config),
            AIPU_STATUS_ERROR_INVALID_CONFIG);
}

INSTANTIATE_TEST_SUITE_P(Part, Client, ::testing::Values("z1", "z2", "x2"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace zynpu::test
