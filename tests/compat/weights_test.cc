// SPDX-License-Identifier: MIT
// Static data outside a graph's file: files of their own and bundles (graph-format.md 8.8, 8.9), and what a
// long life of loads and jobs leaves behind.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "compat/bundle_file.h"
#include "compat/vendor_files.h"
#include "sha256.h"
#include "standard_api.h"

namespace zynpu::test {
namespace {

namespace fs = std::filesystem;

TEST(Sha256, MatchesTheStandardsExamples) {
  const auto hex = [](const std::string& text) {
    return compat::sha256_hex({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  EXPECT_EQ(hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

class Weights : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("ZYNPU_DEVICE", "virtual", 0);
    setenv("UMD_LOG_LEVEL", "6", 0);
    folder = fs::path(::testing::TempDir()) / ("zynpu_weights_" + std::to_string(getpid()));
    fs::create_directories(folder);
    ASSERT_EQ(aipu_init_context(&ctx), AIPU_STATUS_SUCCESS);
  }
  void TearDown() override {
    aipu_deinit_context(ctx);
    fs::remove_all(folder);
  }
  std::string write(const std::string& name, const Bytes& bytes) const {
    std::ofstream(folder / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return (folder / name).string();
  }
  // The first word of the output after a run.
  std::uint32_t run(std::uint64_t graph) {
    std::uint64_t job = 0;
    std::uint32_t in[4] = {}, out[4] = {};
    EXPECT_EQ(aipu_create_job(ctx, graph, &job), AIPU_STATUS_SUCCESS);
    EXPECT_EQ(aipu_load_tensor(ctx, job, 0, in), AIPU_STATUS_SUCCESS);
    EXPECT_EQ(aipu_finish_job(ctx, job, -1), AIPU_STATUS_SUCCESS);
    EXPECT_EQ(aipu_get_tensor(ctx, job, AIPU_TENSOR_TYPE_OUTPUT, 0, out), AIPU_STATUS_SUCCESS);
    EXPECT_EQ(aipu_clean_job(ctx, job), AIPU_STATUS_SUCCESS);
    return out[0];
  }

  fs::path folder;
  aipu_ctx_handle_t* ctx = nullptr;
};

const std::vector<std::uint32_t> kStatic = {0, 16, 16, 1, 0, 16, 4, 0, 3, 0, 0, 0, 0, 0, 0xFFFFFFFF, 1, 8};

// out[0] = first word of the constant that is patched at rodata + 8.
Bytes copy_constant() {
  return program("x2", "ld r2, [r1+8]\nld r3, [r1+4]\nld r4, [r2+0]\nst r4, [r3+0]\n");
}

// Two BSS; the constant belongs to the second one. Its reuse section is never touched.
graph::ElfFile two_bss() {
  graph::ElfFile elf = minimal_elf(copy_constant());
  elf.set("fmlist", 2, 2);
  std::vector<std::uint32_t> second = {4096, 4096, 1, 1};
  second.insert(second.end(), kStatic.begin(), kStatic.end());
  second.insert(second.end(), {256, 4096, 0, 0});
  const Bytes stream = graph::ElfFile::words(second);
  Bytes& list = elf.note("fmlist");
  list.insert(list.end(), stream.begin(), stream.end());
  return elf;
}

Bytes constant(std::uint32_t first) { return graph::ElfFile::words({first, 2, 3, 4}); }

Bytes extra_note(const std::string& name, const Bytes& content) {
  const std::string text = name + "+" + compat::sha256_hex(content);
  Bytes note;
  put_u64(note, 1);
  put_u64(note, text.size());
  note.insert(note.end(), text.begin(), text.end());
  return note;
}

TEST_F(Weights, ComeFromAFileOfTheirOwn) {
  graph::ElfFile elf = two_bss();
  elf.note("extra_weight_name") = extra_note("part1.bin", constant(0xCAFE));
  const std::string graph = write("graph.elf", elf.bytes()), path = write("part1.bin", constant(0xCAFE));
  std::uint64_t id = 0;
  aipu_load_graph_cfg_t config = {};
  config.extra_weight_path = folder.c_str();
  ASSERT_EQ(aipu_load_graph(ctx, graph.c_str(), &id, &config), AIPU_STATUS_SUCCESS);
  EXPECT_EQ(run(id), 0xCAFEu);
  write("part1.bin", constant(0xBEEF));
  EXPECT_EQ(aipu_load_graph(ctx, graph.c_str(), &id, &config), AIPU_STATUS_ERROR_UNKNOWN_BIN);
  fs::remove(path);
  EXPECT_EQ(aipu_load_graph(ctx, graph.c_str(), &id, &config), AIPU_STATUS_ERROR_READ_FILE_FAIL);
  // A section that reaches past the file, whose hash is right.
  elf.note("extra_weight_name") = extra_note("short.bin", {1, 2, 3});
  write("short.bin", {1, 2, 3});
  const std::string bad = write("bad.elf", elf.bytes());
  EXPECT_EQ(aipu_load_graph(ctx, bad.c_str(), &id, &config), AIPU_STATUS_ERROR_INVALID_GBIN);
  elf.note("extra_weight_name") = extra_note("../part1.bin", constant(1));
  const std::string away = write("away.elf", elf.bytes());
  EXPECT_EQ(aipu_load_graph(ctx, away.c_str(), &id, &config), AIPU_STATUS_ERROR_INVALID_GBIN);
}

BundleFiles good_bundle() { return bundle_files(copy_constant(), 0x1111, 0x2222); }

TEST_F(Weights, OfBundlesComeFromTheirPool) {
  const std::string path = write("bundle.bin", bundle(good_bundle()));
  std::uint64_t* ids = nullptr;
  std::uint32_t count = 0;
  ASSERT_EQ(aipu_load_share_weight_graph(ctx, path.c_str(), &ids, &count), AIPU_STATUS_SUCCESS);
  ASSERT_EQ(count, 2u);
  EXPECT_EQ(run(ids[0]), 0x1111u);
  EXPECT_EQ(run(ids[1]), 0x2222u);
}

TEST_F(Weights, OfBrokenBundlesAreRefused) {
  std::uint64_t* ids = nullptr;
  std::uint32_t count = 0;
  const auto status = [&](const Bytes& file) {
    return aipu_load_share_weight_graph(ctx, write("bad.bin", file).c_str(), &ids, &count);
  };
  const Bytes good = bundle(good_bundle());
  EXPECT_EQ(status(Bytes(3)), AIPU_STATUS_ERROR_INVALID_GBIN);
  EXPECT_EQ(status(graph::ElfFile::words({1, 0, 0, 0, 0})), AIPU_STATUS_ERROR_INVALID_GBIN);
  EXPECT_EQ(status(graph::ElfFile::words({0x0FFFFFFF, 0, 0, 0, 0})), AIPU_STATUS_ERROR_INVALID_GBIN);
  for (std::size_t size = 8; size < good.size(); size += 97)
    EXPECT_EQ(status(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))),
              AIPU_STATUS_ERROR_INVALID_GBIN)
        << size;
  BundleFiles one = good_bundle();
  one.erase(one.begin());
  EXPECT_EQ(status(bundle(one)), AIPU_STATUS_ERROR_INVALID_GBIN);
  BundleFiles outside = good_bundle();
  outside[3].second.assign(16, 0xFF);
  EXPECT_EQ(status(bundle(outside)), AIPU_STATUS_ERROR_INVALID_GBIN);
  BundleFiles no_table = good_bundle();
  no_table[0].second = minimal_graph("x2");
  EXPECT_EQ(status(bundle(no_table)), AIPU_STATUS_ERROR_INVALID_GBIN);
  EXPECT_EQ(count, 0u);
}

std::uint64_t resident_kib() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) / 1024;
}

TEST_F(Weights, AThousandLoadsRunsAndUnloadsLeaveNothingBehind) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "AddressSanitizer keeps freed memory";
#endif
  const Bytes file = minimal_graph("x2");
  std::uint64_t warm = 0;
  for (int round = 0; round < 1000; ++round) {
    std::uint64_t id = 0, job = 0;
    ASSERT_EQ(aipu_load_graph_helper(ctx, reinterpret_cast<const char*>(file.data()),
                                     static_cast<std::uint32_t>(file.size()), &id),
              AIPU_STATUS_SUCCESS);
    ASSERT_EQ(aipu_create_job(ctx, id, &job), AIPU_STATUS_SUCCESS);
    ASSERT_EQ(aipu_finish_job(ctx, job, -1), AIPU_STATUS_SUCCESS);
    ASSERT_EQ(aipu_unload_graph(ctx, id), AIPU_STATUS_SUCCESS);
    if (round == 100) warm = resident_kib();
  }
  EXPECT_LT(resident_kib(), warm + 1024) << "started at " << warm << " KiB";
}

}  // namespace
}  // namespace zynpu::test
