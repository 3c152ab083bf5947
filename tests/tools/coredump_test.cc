// SPDX-License-Identifier: MIT
// zynpu coredump: a dump as the kernel driver writes it, then each of its fields wrong.
#include "tools/command.h"

namespace zynpu::test {
namespace {

void put(std::string& bytes, std::size_t at, std::uint64_t value, unsigned count) {
  if (bytes.size() < at + count) bytes.resize(at + count);
  for (unsigned i = 0; i < count; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
}

class Coredump : public CommandTest {
 protected:
  Coredump() {
    dump_ = "ZYNPUDMP";
    put(dump_, 8, 1, 4);
    put(dump_, 12, 0, 4);
    dump_.resize(16 + 8 * 32);
    std::string info(72, '\0');
    put(info, 0, 1, 4);        // Z1
    put(info, 4, 701, 4);      // configuration
    put(info, 12, 1, 4);       // exception
    put(info, 16, 2, 4);       // cause
    put(info, 20, 0x1010, 4);  // pc
    put(info, 32, 1, 4);       // groups
    put(info, 48, 7, 8);       // job
    put(info, 56, 3, 8);       // client
    add(1, 0, info);
    std::string registers;
    put(registers, 0, 0x20, 4);
    put(registers, 4, 2, 4);
    add(2, 0, registers);
    std::string text;
    for (const std::uint32_t first : {0x014F8000u, 0x014C0060u})
      for (const std::uint32_t word : {first, 0x400C7FFFu, 0x400C7FFFu, 0xC00C7FFFu})
        put(text, text.size(), word, 4);
    add(4, 0x1000, text);
  }

  void add(std::uint32_t type, std::uint64_t address, const std::string& bytes) {
    const std::size_t entry = 16 + 32 * sections_;
    put(dump_, entry, type, 4);
    put(dump_, entry + 8, address, 8);
    put(dump_, entry + 16, dump_.size(), 8);
    put(dump_, entry + 24, bytes.size(), 8);
    dump_ += bytes;
    put(dump_, 12, ++sections_, 4);
  }

  std::string dump_;
  std::uint32_t sections_ = 0;
};

TEST_F(Coredump, TellsWhatFailedAndWhere) {
  const Outcome outcome = zynpu({"coredump", write("dump", dump_)});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  for (const char* text : {"Z1_0701", "job         7 of client 3", "exception", "INTR_CAUSE", "0x00000002",
                           "=> 0x00001010", "wfe r0, 3", "   0x00001000  { exit }"})
    EXPECT_NE(outcome.out.find(text), std::string::npos) << text << " is not in\n" << outcome.out;
}

TEST_F(Coredump, RefusesWrongFields) {
  const auto refused = [&](std::size_t at, std::uint64_t value, unsigned bytes, const std::string& text) {
    std::string bad = dump_;
    put(bad, at, value, bytes);
    expect_error({"coredump", write("bad", bad)}, 2, text);
  };
  refused(0, 'X', 1, "not a core dump");
  refused(8, 2, 4, "version 2");
  refused(12, 9, 4, "9 sections");
  refused(12, 0, 4, "no section that tells of the job");
  refused(16, 5, 4, "no section that tells of the job");
  refused(16 + 16, dump_.size() + 1, 8, "section 0");
  refused(16 + 16, ~std::uint64_t{0}, 8, "section 0");
  refused(16 + 24, ~std::uint64_t{0}, 8, "section 0");
  refused(16 + 24, 71, 8, "section of the job: 71 bytes");
}

TEST_F(Coredump, RefusesEveryShorterFileOrReadsIt) {
  for (std::size_t size = 1; size < dump_.size(); size += 7) {
    const Outcome outcome = zynpu({"coredump", write("cut", dump_.substr(0, size))});
    EXPECT_EQ(outcome.code, 2) << size;
  }
}

}  // namespace
}  // namespace zynpu::test
