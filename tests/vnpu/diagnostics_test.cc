// SPDX-License-Identifier: MIT
// Every silent failure of the part stops a job with a message that names the place
// (tec-semantics.md 3.6, 6.4); and with diagnosis off, what silicon does instead.
#include <gtest/gtest.h>

#include "vnpu/dma_plan.h"
#include "vnpu/x2_machine.h"

namespace zynpu::vnpu {
namespace {

constexpr Options kSilent = {
    .diagnose = false, .rounding_half_up = false, .max_bundles_per_task = 20000, .timing = true};

// Descriptors at kData + 64 * n, so that r0 + 64 n names one.
void put_descriptor(X2Machine& m, unsigned n, const DmaDescriptor& descriptor) {
  const auto words = pack_descriptor(descriptor);
  for (unsigned i = 0; i < 6; ++i) m.bus.put32(kData + 64 * n + 4 * i, words[i]);
}
DmaDescriptor copy_of(std::uint32_t bytes) {
  const std::uint32_t width = std::min<std::uint32_t>(bytes, 32768);
  const DmaHalf half{width, width, bytes, 0, 1};
  return {half, half};
}

void expect_stop(std::string_view body, const std::string& why, bool enable = true) {
  X2Machine m;
  put_descriptor(m, 0, copy_of(256));
  EXPECT_FALSE(m.run_body(body, enable)) << body;
  EXPECT_NE(m.message().find(why), std::string::npos) << m.message() << "\n  lacks: " << why;
  EXPECT_NE(m.message().find("pc 0x000"), std::string::npos) << m.message();
  EXPECT_FALSE(m.device->busy());
}
void expect_silence(std::string_view body, bool enable = true) {
  X2Machine m(kSilent);
  put_descriptor(m, 0, copy_of(256));
  EXPECT_TRUE(m.run_body(body, enable)) << body << ": " << m.message();
}

// r4 = kData + 0x1000, r6 = LSRAM, descriptor 0 copies 256 bytes.
const std::string kDmaIn = "mov r4, 0x1000\nadd r4, r0, r4\ndma 0, zero, 0, 4, 0, 1, 0, r0, r1, r4\n";
const std::string kDmaOut = "mov r4, 0x1000\nadd r4, r0, r4\ndma 0, zero, 0, 4, 0, 0, 0, r0, r1, r4\n";
const std::string kWait = "wfe zero, 2\n";

TEST(Diagnostic, NamesCoreTecPcInstructionAndReason) {
  X2Machine m;
  EXPECT_FALSE(m.run_body("mov r5, 0x4000\nadd r5, r1, r5\nadd r5, r5, 1\nld r6, [r5+4]\n"));
  EXPECT_NE(m.message().find("core 0 TEC 0, pc 0x000102"), std::string::npos) << m.message();
  EXPECT_NE(m.message().find("`ld r6, [r5+4]`: address 0xfa004005 is not a multiple of 4"), std::string::npos)
      << m.message();
  EXPECT_EQ(m.device->diagnostic().core, 0u);
  EXPECT_EQ(m.device->diagnostic().tec, 0u);
}

TEST(Diagnostic, LsramBeyondItsEnd) {
  const char* load = "mov r5, 0x7fe0\nadd r5, r1, r5\nld t0, [r5+0]\nld t0, [r5+32]\n";
  expect_stop(load, "`ld t0, [r5+32]`: address 0xfa008000 is beyond the 32 KiB of LSRAM");
  expect_stop("mov r5, 0x7fe0\nadd r5, r1, r5\nst t0, [r5+32]\n", "beyond the 32 KiB of LSRAM");
  // On the part it wraps.
  X2Machine m(kSilent);
  ASSERT_TRUE(m.run_body(
      "mov r6, 77\nst r6, [r1+0]\nmov r5, 0x7ffc\nadd r5, r1, r5\nld r7, [r5+4]\nst r7, [r0+0]\n"));
  EXPECT_EQ(m.bus.get32(kData), 77u);
}

TEST(Diagnostic, GsramBeyondItsEnd) {
  expect_stop("mov r5, 0\nmovh r5, 4\nadd r5, sdp, r5\nld r6, [r5+0]\n", "beyond the 256 KiB of GSRAM");
  expect_stop("mov r5, 0\nmovh r5, 4\nadd r5, sdp, r5\nst r6, [r5+0]\n", "beyond the 256 KiB of GSRAM");
  expect_silence("mov r5, 0\nmovh r5, 4\nadd r5, sdp, r5\nld r6, [r5+0]\nst r6, [r5+0]\n");
}

TEST(Diagnostic, MisalignedAccesses) {
  expect_stop("ld t0, [r1+16]\n", "address 0xfa000010 is not a multiple of 32");
  expect_stop("st t0, [r1+1]\n", "is not a multiple of 32");
  expect_stop("add r5, r1, 2\nst r6, [r5+0]\n", "is not a multiple of 4");
  expect_stop("add r5, r0, 2\nld r6, [r5+0]\n", "is not a multiple of 4");
  expect_stop("ld t0, [sdp+16]\n", "is not a multiple of 32");
  expect_silence("ld t0, [r1+16]\nadd r5, r0, 2\nld r6, [r5+0]\nld t1, [r0+48]\n");
}

TEST(Diagnostic, UnmappedMemoryIsAFault) {
  for (const char* body :
       {"mov r5, 0\nmovh r5, 0x40\nld r6, [r5+0]\n", "mov r5, 0\nmovh r5, 0x40\nst r6, [r5+0]\n",
        "mov r5, 0\nmovh r5, -16384\nld r6, [r5+0]\n"}) {
    X2Machine m;
    m.load(with_prologue(body));
    m.dispatch(m.write_chain({GroupSpec{}}));
    m.device->run();
    EXPECT_EQ(m.device->read32(x2::kPoolBase + x2::kPoolIntrStatus) & x2::kTypes, x2::kFault | x2::kDone)
        << m.message();
    EXPECT_EQ(m.device->read32(x2::kPoolBase + x2::kPoolIntrTcb), m.last_tcb);
  }
  expect_stop("mov r5, 0\nmovh r5, 0x40\nld r6, [r5+0]\n", "no memory is mapped there");
  expect_stop("mov r5, 0\nmovh r5, -16384\nld r6, [r5+0]\n", "outside the window");
  // The part waits for ever: busy, no interrupt, and run() has nothing left to do.
  X2Machine m(kSilent);
  m.load(with_prologue("mov r5, 0\nmovh r5, 0x40\nld r6, [r5+0]\n"));
  m.dispatch(m.write_chain({GroupSpec{}}));
  EXPECT_FALSE(m.device->run());
  EXPECT_TRUE(m.device->busy());
  EXPECT_EQ(m.device->read32(x2::kPoolBase + x2::kPoolIntrStatus), 0u);
  m.device->write32(x2::kHandle, 3);
  EXPECT_FALSE(m.device->busy());
}

// A page that an IOMMU maps for reading: the store stays in the cache, and shows when the line is written
// back.
TEST(Diagnostic, AStoreIntoReadOnlyMemoryIsAFault) {
  constexpr std::uint64_t kPage = 0x400000;
  const std::string load = "mov r5, 0\nmovh r5, 0x40\nld r6, [r5+0]\n";
  for (const bool store : {false, true}) {
    X2Machine m;
    m.bus.map(kPage, 4096);
    m.bus.put32(kPage, 77);
    m.bus.protect(kPage);
    m.load(with_prologue(load + (store ? "add r6, r6, 1\nst r6, [r5+0]\n" : "") + std::string(kEpilogue)));
    m.dispatch(m.write_chain({GroupSpec{}}));
    m.device->run();
    EXPECT_EQ(m.device->read32(x2::kPoolBase + x2::kPoolIntrStatus) & x2::kTypes,
              store ? x2::kFault | x2::kDone : +x2::kDone)
        << m.message();
    EXPECT_EQ(m.bus.get32(kPage), 77u);
    if (store) {
      EXPECT_NE(m.message().find("bus address 0x400000, stored into, cannot be written back"),
                std::string::npos)
          << m.message();
    }
  }
}

TEST(Diagnostic, SramToSramDmaNeverCompletes) {
  expect_stop("add r4, r1, 512\ndma 0, zero, 0, 4, 4, 1, 0, r0, r1, r4\n", "the external end is LSRAM");
  expect_stop("dma 0, zero, 0, 4, 8, 1, 0, r0, r1, sdp\n", "the external end is GSRAM");
  X2Machine m(kSilent);
  put_descriptor(m, 0, copy_of(256));
  m.load(with_prologue("dma 0, zero, 0, 4, 8, 1, 0, r0, r1, sdp\nwfe zero, 2\nexit\n"));
  m.dispatch(m.write_chain({GroupSpec{}}));
  EXPECT_FALSE(m.device->run());
  EXPECT_TRUE(m.device->busy());
}

TEST(Diagnostic, MemsetAndUpsampleNeedSramInside) {
  expect_stop("dma 3, zero, 0, 0, 0, 1, 0, r0, r0, r4\n", "memset with DDR as its internal end times out");
  expect_stop("dma 2, zero, 0, 0, 0, 1, 0, r0, r0, r4\n", "upsample with DDR as its internal end times out");
}

TEST(Diagnostic, WaitForAFlagThatNobodyRaised) {
  expect_stop("sub r7, zero, 3\nwfe r7, 1\n", "waits for flag 1 that no request has raised");
  expect_stop(kDmaIn + "mov r7, 0\nwfe r7, 1\n", "waits for flag 1");
  expect_silence("sub r7, zero, 3\nwfe r7, 1\n");
}

TEST(Diagnostic, SyncSelectorBeyondTheFlags) {
  expect_stop("mov r7, 4\ndma 0, r7, 0, 4, 0, 1, 0, r0, r1, r0\n", "sync selector 4 lands on flag 0");
  expect_stop("mov r7, 30\ndma 0, r7, 0, 4, 0, 1, 0, r0, r1, r0\n", "sync selector 30");
  // On the part it is flag 0.
  expect_silence("mov r7, 4\ndma 0, r7, 0, 4, 0, 1, 0, r0, r1, r0\nsub r7, zero, 2\nwfe r7, 1\n");
}

TEST(Diagnostic, LoadOfLsramThatADmaStillWrites) {
  expect_stop(kDmaIn + "ld t0, [r1+224]\n" + kWait,
              "loads from 0xfa0000e0 while it is written by the DMA request of TEC 0");
  expect_stop(kDmaIn + "ldb r5, [r1+255]\n" + kWait, "while it is written by");
  // Its neighbours are free, and so is all of it behind the wait.
  X2Machine m;
  put_descriptor(m, 0, copy_of(256));
  const std::string free = "mov r5, 256\nadd r5, r1, r5\nld t0, [r5+0]\n";
  EXPECT_TRUE(m.run_body(kDmaIn + free + kWait + "ld t0, [r1+224]\n")) << m.message();
  expect_silence(kDmaIn + "ld t0, [r1+224]\n" + kWait);
}

TEST(Diagnostic, RacesAreByteExact) {
  X2Machine m;
  put_descriptor(m, 0, copy_of(40));  // half of the second granule
  EXPECT_TRUE(m.run_body(kDmaIn + "ld r5, [r1+40]\nst r5, [r1+60]\n" + kWait)) << m.message();
  X2Machine bad;
  put_descriptor(bad, 0, copy_of(40));
  EXPECT_FALSE(bad.run_body(kDmaIn + "ld r5, [r1+36]\n" + kWait));
}

TEST(Diagnostic, StoreIntoLsramThatADmaStillReads) {
  expect_stop(kDmaOut + "st t0, [r1+0]\n" + kWait, "stores to 0xfa000000 while it is read or written by");
  X2Machine m;
  put_descriptor(m, 0, copy_of(256));
  EXPECT_TRUE(m.run_body(kDmaOut + "ld t0, [r1+0]\n" + kWait)) << m.message();  // two may read
}

TEST(Diagnostic, DmaRequestsThatTouchEachOther) {
  expect_stop(kDmaIn + "mov r7, 1\nadd r6, r1, 128\ndma 0, r7, 0, 4, 0, 1, 0, r0, r6, r4\n" + kWait,
              "DMA request touches the bytes of the one of TEC 0 at pc");
  expect_stop(
      kDmaIn + "mov r7, 1\nmov r8, 0x2000\nadd r8, r0, r8\ndma 0, r7, 0, 4, 0, 0, 0, r0, r1, r8\n" + kWait,
      "DMA request touches the bytes");
}

TEST(Diagnostic, GsramRacesWithTheDmaOfAnotherTec) {
  X2Machine m;
  put_descriptor(m, 0, copy_of(256));
  // TEC 0 starts a request into GSRAM and waits late; TEC 1 reads there at once.
  m.load(with_prologue(
      "cbnz r20, other\nmov r4, 0x1000\nadd r4, r0, r4\ndma 0, zero, 0, 8, 0, 1, 0, r0, sdp, r4\n"
      "mov r5, 2000\nspin0: sub r5, r5, 1\ncbnz r5, spin0\nwfe zero, 2\nb out\n"
      "other: mov r5, 300\nspin1: sub r5, r5, 1\ncbnz r5, spin1\nld r6, [sdp+4]\nout: add r0, r0, 0\n" +
      std::string(kEpilogue)));
  EXPECT_FALSE(m.run({GroupSpec{.tasks = 2}}));
  EXPECT_NE(m.message().find("TEC 1"), std::string::npos) << m.message();
  EXPECT_NE(m.message().find("loads from 0xf8000004 while it is written by the DMA request of TEC 0"),
            std::string::npos)
      << m.message();
}

TEST(Diagnostic, ExitWithUnfinishedDma) {
  X2Machine m;
  put_descriptor(m, 0, copy_of(256));
  EXPECT_FALSE(m.run_body(kDmaIn));
  EXPECT_NE(m.message().find("exits while a DMA request on flag 0 is unfinished"), std::string::npos)
      << m.message();
}

TEST(Diagnostic, ExitWithoutWriteBack) {
  X2Machine m;
  m.load(with_prologue("st r0, [r0+0]\nexit\n"));
  EXPECT_FALSE(m.run({GroupSpec{}}));
  EXPECT_NE(m.message().find("exits without writing back the data cache"), std::string::npos) << m.message();
  // On the part the store is lost.
  X2Machine silent(kSilent);
  silent.load(with_prologue("st r0, [r0+0]\nexit\n"));
  EXPECT_TRUE(silent.run({GroupSpec{}})) << silent.message();
  EXPECT_EQ(silent.bus.get32(kData), 0u);
}

TEST(Diagnostic, StoresAreInvisibleBeforeTheWriteBack) {
  // The DMA takes the old bytes from memory although the TEC has stored new ones.
  const std::string body =
      "mov r4, 0x1000\nadd r4, r0, r4\nmov r5, 99\nst r5, [r4+0]\n"
      "dma 0, zero, 0, 4, 0, 1, 0, r0, r1, r4\nwfe zero, 2\nld r6, [r1+0]\nst r6, [r0+252]\n";
  expect_stop(body, "DMA request reads bytes that are not in memory yet");
  X2Machine m(kSilent);
  put_descriptor(m, 0, copy_of(64));
  m.bus.put32(kData + 0x1000, 11);
  EXPECT_TRUE(m.run_body(body)) << m.message();
  EXPECT_EQ(m.bus.get32(kData + 252), 11u);
  EXPECT_EQ(m.bus.get32(kData + 0x1000), 99u);  // the epilogue wrote it back
}

TEST(Diagnostic, WriteBackOverDmaData) {
  const std::string body =
      "mov r4, 0x1000\nadd r4, r0, r4\nmov r5, 99\nst r5, [r4+0]\n"
      "dma 0, zero, 0, 4, 0, 0, 0, r0, r1, r4\nwfe zero, 2\n";
  expect_stop(body, "DMA request writes bytes that a write-back will overwrite");
  X2Machine m(kSilent);
  put_descriptor(m, 0, copy_of(64));
  EXPECT_TRUE(m.run_body("mov r5, 5\nst r5, [r1+0]\nst r5, [r1+4]\n" + body)) << m.message();
  EXPECT_EQ(m.bus.get32(kData + 0x1000), 99u);
  EXPECT_EQ(m.bus.get32(kData + 0x1004), 0u);  // the whole line came back, the DMA's 5 is gone
}

TEST(Diagnostic, StaleLoadAfterDma) {
  const std::string body =
      "mov r5, 5\nst r5, [r1+0]\nmov r4, 0x1000\nadd r4, r0, r4\nld r6, [r4+0]\n"
      "dma 0, zero, 0, 4, 0, 0, 0, r0, r1, r4\nwfe zero, 2\nld r6, [r4+0]\nst r6, [r0+252]\n";
  expect_stop(body, "a cached line that DMA has since changed in memory");
  X2Machine m(kSilent);
  put_descriptor(m, 0, copy_of(64));
  m.bus.put32(kData + 0x1000, 11);
  EXPECT_TRUE(m.run_body(body)) << m.message();
  EXPECT_EQ(m.bus.get32(kData + 252), 11u);
}

TEST(Diagnostic, LoadOfDdrThatADmaStillWrites) {
  expect_stop(kDmaOut + "ld r6, [r4+0]\n" + kWait, "while it is written by");
}

TEST(Diagnostic, TwoCoresStoreIntoOneLine) {
  X2Machine m;
  // Every group stores one word of the same line; which one, its parameters say.
  m.load(with_prologue("ld r5, [tcbp+12]\nst r20, [r0+0]\n" + std::string(kEpilogue)));
  EXPECT_FALSE(m.run({GroupSpec{}, GroupSpec{}}));
  EXPECT_NE(m.message().find("core 1 TEC 0"), std::string::npos) << m.message();
  EXPECT_NE(m.message().find("core 0 wrote to the same 64-byte line"), std::string::npos) << m.message();
  // A pre-all boundary between makes it legal.
  X2Machine good;
  good.load(with_prologue("st r20, [r0+0]\n" + std::string(kEpilogue)));
  EXPECT_TRUE(good.run({GroupSpec{}, GroupSpec{.dependency = 2}})) << good.message();
}

TEST(Diagnostic, DmaIntoALineThatAnotherCoreStored) {
  X2Machine m;
  put_descriptor(m, 0, copy_of(32));
  m.load(with_prologue("mov r4, 0x1000\nadd r4, r0, r4\nst r20, [r4+32]\n" + std::string(kEpilogue)));
  m.load(
      with_prologue("mov r4, 0x1000\nadd r4, r0, r4\ndma 0, zero, 0, 4, 0, 0, 0, r0, r1, r4\nwfe zero, 2\n" +
                    std::string(kEpilogue)),
      0x14000);
  EXPECT_FALSE(m.run({GroupSpec{}, GroupSpec{.pc = 0x14000}}));
  EXPECT_NE(m.message().find("into which core 0 stored"), std::string::npos) << m.message();
}

TEST(Diagnostic, MissingSegmentMmuBlocks) {
  const std::string text = with_prologue("st r0, [r0+0]\n" + std::string(kEpilogue));
  X2Machine m;
  m.load(text);
  EXPECT_FALSE(m.run({GroupSpec{}}, 0));
  EXPECT_NE(m.message().find("no segment-MMU block set up core 0"), std::string::npos) << m.message();
  X2Machine silent(kSilent);
  silent.load(text);
  EXPECT_TRUE(silent.run({GroupSpec{}}, 0));
  EXPECT_EQ(silent.bus.get32(kData), 0u);
  // One block covers cores 0 and 1.
  X2Machine one;
  one.load(text);
  EXPECT_TRUE(one.run({GroupSpec{}}, 1)) << one.message();
}

TEST(Diagnostic, LastTaskWithoutAnInterruptLevel) {
  X2Machine m;
  m.load(with_prologue(std::string(kEpilogue)));
  const std::uint64_t head = m.write_chain({GroupSpec{}});
  m.bus.put32(m.last_tcb + 16, 0x3D);
  m.dispatch(head);
  m.device->run();
  EXPECT_NE(m.message().find("enables no interrupt level"), std::string::npos) << m.message();
}

TEST(Diagnostic, VectorArithmeticWhileDisabledIsException3) {
  for (const char* body : {"add t0.w, t1.w, t2.w\n", "qdpa t0.w, t1.b, t2.b, p7.b\n",
                           "mma t0.fp32, t1.fp32, t2.fp16, t3.fp16\n", "cmp.eq p1.b, t0.b, t1.b, p7.b\n"}) {
    X2Machine m;
    m.load(with_prologue(body, false));
    m.dispatch(m.write_chain({GroupSpec{}}));
    m.device->run();
    EXPECT_EQ(m.device->read32(x2::kPoolBase + x2::kPoolIntrStatus) & x2::kTypes, x2::kException)
        << m.message();
    EXPECT_NE(m.message().find("exception 3"), std::string::npos) << m.message();
  }
  // Loads, stores, moves and scalar code need no enable; one enable of the two is not enough.
  X2Machine m;
  EXPECT_TRUE(m.run_body("mov4 t0, 1\nst t0, [r1+0]\nld t1, [r1+0]\nadd r5, r5, 1\n", false)) << m.message();
  expect_stop("mfctrl1 r9, 2\nbfs r9, r9, 31, 0\nmtctrl1 r9, 2\nadd t0.w, t0.w, t0.w\n", "exception 3",
              false);
}

TEST(Diagnostic, WfeModesBeyondTwoAreException2) {
  expect_stop("wfe r0, 3\n", "exception 2: wfe mode 3 does not exist");
  expect_stop("wfe r0, 31\n", "exception 2");
}

TEST(Diagnostic, ExceptionsEnterTheirVectorWithDiagnosisOff) {
  // Vector 3 stores a mark and leaves; vector 2 would spin.
  X2Machine m(kSilent);
  m.load(
      "b start\nb spin\nb spin\nb mark\nb spin\nb spin\nb spin\nb spin\nb spin\nb spin\nb spin\nb spin\nb "
      "spin\nb "
      "spin\nb spin\nb spin\nspin: b spin\nstart: mov r0, 0\nmovh r0, 0x10\nadd t0.w, t0.w, t0.w\nexit\n"
      "mark: mov r5, 33\nst r5, [r0+0]\n" +
      std::string(kEpilogue));
  EXPECT_TRUE(m.run({GroupSpec{}})) << m.message();
  EXPECT_EQ(m.bus.get32(kData), 33u);
}

TEST(Diagnostic, AVectorThatTrapsItselfUsesUpItsTime) {
  // Vector 1 does not decode either.
  X2Machine m(kSilent);
  m.load("b start\n.bundle 0, 0, 0, 0\nstart: .bundle 0, 0, 0, 0\n");
  m.dispatch(m.write_chain({GroupSpec{}}));
  EXPECT_TRUE(m.device->run(1000));
  EXPECT_FALSE(m.device->run());
  EXPECT_NE(m.message().find("has not ended after 20000 bundles"), std::string::npos) << m.message();
}

TEST(Diagnostic, FormsOfUnknownEffectAreRefused) {
  expect_stop("sld.r t0.b, t1.b, 3\n",
              "`sld.r t0.b, t1.b, 3`: what the operation does to its lanes is not known");
  for (const char* form : {"sld.dl", "sld.dr", "sld.fr", "sld.dfr"})
    expect_stop(std::string(form) + " t0.b, t1.b, 3\n", "is not known");
  expect_stop("movh p3, 1\n", "the meaning of a predicate move with immediate 1 is not known");
  expect_stop("aiff 0, zero, 0, zero, zero, zero\n", "the fixed-function engine is not modelled");
  expect_stop("cacheop [r0+0], 3\n", "the meaning of cache mode 3 is not known");
  expect_stop("break\n", "raised an exception on purpose");
  expect_stop("irtn\n", "what a return from an interrupt does is not known");
  expect_silence("cacheop [r0+0], 3\n");
}

TEST(Diagnostic, UndecodableBundles) {
  expect_stop(".bundle 0x12345678, 0x400c7fff, 0x400c7fff, 0xc00c7fff\n", "undecodable bundle");
  expect_stop(".bundle 0x400c7fff, 0x400c7fff, 0x400c7fff, 0x400c7fff\n", "the end-of-bundle mark");
}

TEST(Diagnostic, JumpOutOfMappedText) {
  X2Machine m;
  EXPECT_FALSE(m.run_body("mov r5, 0\nmovh r5, 0x40\nbr r5\n"));
  EXPECT_NE(m.message().find("instruction fetch from an address where no memory is mapped"),
            std::string::npos)
      << m.message();
  expect_stop("add r5, r0, 4\nbr r5\n", "which is not a multiple of 16");
}

TEST(Diagnostic, HardwareLoopsThatDoNotNest) {
  expect_stop("mov r4, 2\nloop r4\nloop r4\nadd r5, r5, 1\nloopend\nloopend\n",
              "a hardware loop inside a hardware loop");
  expect_stop("loopend\n", "loopend without a hardware loop");
}

TEST(Diagnostic, TasksThatNeverEnd) {
  expect_stop("self: b self\n", "branches to itself");
  X2Machine m({.diagnose = true, .rounding_half_up = false, .max_bundles_per_task = 1000, .timing = true});
  EXPECT_FALSE(m.run_body("again: add r5, r5, 1\nb again\n"));
  EXPECT_NE(m.message().find("the task has not ended after 1000 bundles"), std::string::npos) << m.message();
}

TEST(Diagnostic, AllTecsPollGsramForEver) {
  X2Machine m;
  m.load(with_prologue("mov r5, 1\nst zero, [sdp+0]\npoll: ld r6, [sdp+0]\nsub r6, r6, r5\ncbnz r6, poll\n" +
                       std::string(kEpilogue)));
  EXPECT_FALSE(m.run({GroupSpec{.tasks = 2}}));
  EXPECT_NE(m.message().find("every TEC of the core polls GSRAM"), std::string::npos) << m.message();
}

TEST(Diagnostic, ControlRegistersThatAreNotThere) {
  expect_stop("mfctrl0 r5, 0x55\n", "control register 0.0x55 is not implemented");
  expect_stop("mtctrl2 r5, 0x55\n", "control register 2.0x55 is not implemented");
  expect_stop("mfctrl0 r5, 0x15\n", "control register 0.0x15 is not implemented");  // only on the flat parts
  // On the part the destination keeps its value.
  X2Machine m(kSilent);
  EXPECT_TRUE(m.run_body("mov r5, 7\nmfctrl0 r5, 0x55\nst r5, [r0+0]\n")) << m.message();
  EXPECT_EQ(m.bus.get32(kData), 7u);
}

TEST(Diagnostic, WriteThroughAReadOnlyWindow) {
  X2Machine m;
  m.load(with_prologue("st r5, [r0+0]\n" + std::string(kEpilogue)));
  const std::uint64_t head = m.write_chain({GroupSpec{}});
  m.bus.put32(head + 48, 0x40);
  m.dispatch(head);
  m.device->run();
  EXPECT_NE(m.message().find("the address space is not writable"), std::string::npos) << m.message();
}

TEST(Diagnostic, DmaBeyondItsSram) {
  X2Machine m;
  put_descriptor(m, 0, copy_of(256));
  EXPECT_FALSE(
      m.run_body("mov r6, 0x7f80\nadd r6, r1, r6\ndma 0, zero, 0, 4, 0, 1, 0, r0, r6, r0\n" + kWait));
  EXPECT_NE(m.message().find("outside the 32 KiB of LSRAM"), std::string::npos) << m.message();
  X2Machine silent(kSilent);
  put_descriptor(silent, 0, copy_of(256));
  EXPECT_TRUE(
      silent.run_body("mov r6, 0x7f80\nadd r6, r1, r6\ndma 0, zero, 0, 4, 0, 1, 0, r0, r6, r0\n" + kWait));
}

TEST(Diagnostic, DmaDescriptorMisaligned) {
  expect_stop("add r5, r0, 4\ndma 0, zero, 0, 4, 0, 1, 0, r5, r1, r0\n", "is not aligned to 32 bytes");
}

}  // namespace
}  // namespace zynpu::vnpu
