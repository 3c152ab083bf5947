// SPDX-License-Identifier: MIT
// The register sequences, on a device that only records them.
#include <gtest/gtest.h>

#include <map>

#include "part/registers_x2.h"
#include "part/registers_z.h"
#include "runtime/virtual/driver.h"

namespace zynpu::runtime {
namespace {

constexpr std::uint64_t kBase = 0x4'0000'0000;

class RecordingDevice final : public vnpu::Device {
 public:
  explicit RecordingDevice(std::map<std::uint32_t, std::uint32_t> values) : values_(std::move(values)) {}
  std::uint32_t read32(std::uint32_t offset) override { return values_[offset]; }
  void write32(std::uint32_t offset, std::uint32_t value) override {
    writes.emplace_back(offset, value);
    if (on_write) on_write(offset, value);
  }
  std::uint32_t register_bytes() const override { return 0x10000; }
  bool busy() const override { return false; }
  bool run(std::uint64_t) override { return false; }
  void reset() override {}
  const vnpu::Diagnostic& diagnostic() const override { return diagnostic_; }
  const vnpu::Counters& counters() const override { return counters_; }
  const std::vector<vnpu::TaskRecord>& tasks() const override { return tasks_; }
  void reset_counters() override {}
  void set_regions(std::span<const vnpu::Region>) override {}
  std::span<const vnpu::Counters> region_counters() const override { return {}; }
  void set_trace(std::function<void(const vnpu::TraceEvent&)>) override {}

  std::uint32_t& value(std::uint32_t offset) { return values_[offset]; }
  std::vector<std::pair<std::uint32_t, std::uint32_t>> writes;
  std::function<void(std::uint32_t, std::uint32_t)> on_write;

 private:
  std::map<std::uint32_t, std::uint32_t> values_;
  vnpu::Diagnostic diagnostic_;
  vnpu::Counters counters_;
  std::vector<vnpu::TaskRecord> tasks_;
};

using Writes = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

RecordingDevice flat_device(const part::Part& part) {
  return RecordingDevice({{part::z::kRevisionId, part.revision_id},
                          {part::z::kIsaVersion, part.isa_version},
                          {part::z::kTpcFeature, part.tpc_feature},
                          {part::z::kHwaFeature, part.hwa_feature},
                          {part::z::kStat, part::z::kIdle}});
}

TEST(FlatDriver, IdentifiesClearsCausesThenEnablesInterrupts) {
  const part::Part& z1 = *part::find("z1");
  RecordingDevice device = flat_device(z1);
  const auto driver = HostDriver::create(z1, device, 0);
  ASSERT_TRUE(driver->initialise());
  EXPECT_EQ(device.writes, (Writes{{4, 1}, {4, 2}, {4, 4}, {0, 7}}));
}

TEST(FlatDriver, RefusesABlockThatIsNotClocked) {
  const part::Part& z1 = *part::find("z1");
  RecordingDevice device({});
  const auto status = HostDriver::create(z1, device, 0)->initialise();
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("not clocked"), std::string::npos);
  EXPECT_TRUE(device.writes.empty());
}

TEST(FlatDriver, RefusesAnotherPart) {
  RecordingDevice device = flat_device(*part::find("z2"));
  EXPECT_FALSE(HostDriver::create(*part::find("z1"), device, 0)->initialise());
}

TEST(FlatDriver, WritesStartLastOnZ1) {
  const part::Part& z1 = *part::find("z1");
  RecordingDevice device = flat_device(z1);
  const auto driver = HostDriver::create(z1, device, 0);
  const StartRequest request{
      .start_pc = 0x1000, .handler_pc = 0x1010, .parameters = 0x2000, .stack = 0x3000, .chain = {}};
  ASSERT_TRUE(driver->start(request));
  EXPECT_EQ(device.writes, (Writes{{0x14, 0x2000}, {0x18, 0x3000}, {0x0C, 0x1010}, {0x08, 0x100D}}));
}

TEST(FlatDriver, ProgramsEveryAddressExtensionOnZ2) {
  const part::Part& z2 = *part::find("z2");
  RecordingDevice device = flat_device(z2);
  const auto driver = HostDriver::create(z2, device, kBase);
  ASSERT_TRUE(
      driver->start({.start_pc = 0x1000, .handler_pc = 0x1010, .parameters = 1, .stack = 2, .chain = {}}));
  EXPECT_EQ(device.writes, (Writes{{0x14, 1},
                                   {0x18, 2},
                                   {0x0C, 0x1010},
                                   {0xC0, 0xC0000000},
                                   {0xC4, 4},
                                   {0xC8, 0},
                                   {0xCC, 0x80000000},
                                   {0xD0, 4},
                                   {0xD4, 0},
                                   {0xD8, 0xC0000000},
                                   {0xDC, 4},
                                   {0xE0, 0},
                                   {0xE4, 0},
                                   {0xE8, 4},
                                   {0xEC, 0},
                                   {0x08, 0x100D}}));
}

TEST(FlatDriver, RefusesToStartABusyDevice) {
  const part::Part& z1 = *part::find("z1");
  RecordingDevice device = flat_device(z1);
  device.value(part::z::kStat) = 0x50000;
  EXPECT_FALSE(HostDriver::create(z1, device, 0)->start({}));
  EXPECT_TRUE(device.writes.empty());
}

TEST(FlatDriver, ClearsOneCauseAWriteAndJudgesThem) {
  const part::Part& z2 = *part::find("z2");
  RecordingDevice device = flat_device(z2);
  const auto driver = HostDriver::create(z2, device, kBase);
  const auto outcome = [&](std::uint32_t causes) {
    device.writes.clear();
    device.value(part::z::kStat) = part::z::kIdle | causes;
    return driver->service_interrupt();
  };
  EXPECT_EQ(outcome(0), HostDriver::Outcome::kRunning);
  EXPECT_TRUE(device.writes.empty());
  EXPECT_EQ(outcome(1), HostDriver::Outcome::kRunning) << "queue empty alone ends nothing";
  EXPECT_EQ(outcome(3), HostDriver::Outcome::kDone);
  EXPECT_EQ(device.writes, (Writes{{4, 1}, {4, 2}}));
  EXPECT_EQ(outcome(4), HostDriver::Outcome::kFailed);
  EXPECT_EQ(outcome(8), HostDriver::Outcome::kFailed) << "a fault must not be lost";
  EXPECT_EQ(outcome(0xF), HostDriver::Outcome::kFailed) << "done beside an exception is a failure";
  EXPECT_EQ(device.writes, (Writes{{4, 1}, {4, 2}, {4, 4}, {4, 8}}));
}

// X2
// --------------------------------------------------------------------------------------------------------------

class TsmDriverTest : public ::testing::Test {
 protected:
  const part::Part& part_ = *part::find("x2");
  RecordingDevice device_{{{part::x2::kRevision, 0x10000},
                           {part::x2::kSoftReset, 2},
                           {part::x2::kBuildInfo, 8 << 16},
                           {0xC00, 0x1314},
                           {0x804, 0x40}}};
  std::unique_ptr<HostDriver> driver_ = HostDriver::create(part_, device_, kBase);
  const StartRequest request_{.chain = {.head = 0x2000, .first_task = 0x2180, .last_task = 0x2300}};

  HostDriver::Outcome interrupt(std::uint32_t status, std::uint32_t tcb, std::uint32_t signals = 0) {
    device_.writes.clear();
    device_.value(0x80C) = status;
    device_.value(0x824) = tcb;
    device_.value(0x820) = signals;
    return driver_->service_interrupt();
  }
};

TEST_F(TsmDriverTest, ResetsThenConfiguresClusterAndPool) {
  ASSERT_TRUE(driver_->initialise());
  EXPECT_EQ(device_.writes,
            (Writes{{0x20, 1}, {0xC04, 0x1314}, {0x800, 0}, {0x81C, 1}, {0x808, 0x73D}, {0x68, 3}}));
}

TEST_F(TsmDriverTest, RefusesOtherRevisionsFailedResetsAndOtherShapes) {
  const auto refused_with = [&](std::uint32_t offset, std::uint32_t value) {
    const std::uint32_t before = device_.value(offset);
    device_.value(offset) = value;
    const bool refused = !driver_->initialise();
    device_.value(offset) = before;
    return refused;
  };
  EXPECT_TRUE(refused_with(part::x2::kRevision, 0x10210));
  EXPECT_FALSE(refused_with(part::x2::kRevision, 0x10003));
  EXPECT_TRUE(refused_with(part::x2::kSoftReset, 1));
  EXPECT_TRUE(refused_with(part::x2::kSoftReset, 3));
  EXPECT_TRUE(refused_with(part::x2::kBuildInfo, 0));
  EXPECT_TRUE(refused_with(0xC00, 0x0314)) << "no cluster";
  EXPECT_TRUE(refused_with(0xC00, 0x1214)) << "two cores";
  EXPECT_TRUE(refused_with(0xC00, 0x1312)) << "two TECs";
}

TEST_F(TsmDriverTest, CreatesThePoolThenDispatches) {
  ASSERT_TRUE(driver_->start(request_));
  EXPECT_EQ(device_.writes, (Writes{{0, 0x1001}, {8, 4}, {0xC, 0x2000}, {4, 1}, {0, 4}}));
  device_.writes.clear();
  ASSERT_TRUE(driver_->finish());
  EXPECT_EQ(device_.writes, (Writes{{8, 0}, {0xC, 0}, {4, 0}, {0, 2}}));
  device_.writes.clear();
  ASSERT_TRUE(driver_->start(request_));
  EXPECT_EQ(device_.writes[3], (std::pair<std::uint32_t, std::uint32_t>{4, 2}))
      << "each job has a tag of its own";
}

TEST_F(TsmDriverTest, CreatesAgainAfterARefusal) {
  int creates = 0;
  device_.on_write = [&](std::uint32_t offset, std::uint32_t value) {
    if (offset == 0 && (value & 0xF) == 1) device_.value(0x18) = creates++ == 0 ? 0x80000000 : 0;
    if (offset == 0x18) device_.value(0x18) = value;
  };
  ASSERT_TRUE(driver_->start(request_));
  EXPECT_EQ(creates, 2);
  EXPECT_EQ(device_.writes[1], (std::pair<std::uint32_t, std::uint32_t>{0x18, 0}))
      << "the refusal is cleared";
}

TEST_F(TsmDriverTest, ReportsRefusalsThatLast) {
  for (const std::uint32_t refused : {1u, 4u}) {
    device_.on_write = [&](std::uint32_t offset, std::uint32_t value) {
      if (offset == 0) device_.value(0x18) = (value & 0xF) == refused ? 0x80000000 : 0;
    };
    EXPECT_FALSE(driver_->start(request_)) << refused;
  }
  device_.on_write = {};
  device_.value(0x804) = 0;
  EXPECT_FALSE(driver_->start(request_)) << "the pool is not idle";
}

TEST_F(TsmDriverTest, IsDoneOnlyWithTheLastTaskAtJobLevel) {
  ASSERT_TRUE(driver_->start(request_));
  EXPECT_EQ(interrupt(0x101, 0x2300), HostDriver::Outcome::kRunning) << "a TEC's done";
  EXPECT_EQ(interrupt(0x201, 0x2180), HostDriver::Outcome::kRunning) << "another task";
  EXPECT_EQ(interrupt(0, 0x2300), HostDriver::Outcome::kRunning) << "spurious";
  EXPECT_TRUE(device_.writes.empty());
  EXPECT_EQ(interrupt(0x201, 0x2300), HostDriver::Outcome::kDone);
  EXPECT_EQ(device_.writes, (Writes{{0x804, 1}}));
  EXPECT_EQ(interrupt(0x701, 0x2300), HostDriver::Outcome::kDone);
}

TEST_F(TsmDriverTest, FailsOnExceptionFaultErrorAndExceptionSignals) {
  ASSERT_TRUE(driver_->start(request_));
  EXPECT_EQ(interrupt(0x104, 0x2180), HostDriver::Outcome::kFailed);
  EXPECT_NE(driver_->failure().find("exception"), std::string::npos);
  EXPECT_EQ(interrupt(0x209, 0x2300), HostDriver::Outcome::kFailed) << "fault and done together are a fault";
  EXPECT_EQ(device_.writes, (Writes{{0x814, 0}, {0x804, 8}, {0x804, 1}}));
  EXPECT_EQ(interrupt(0x110, 0x2180), HostDriver::Outcome::kFailed);
  EXPECT_EQ(interrupt(0x120, 0x2180, 1u << 31), HostDriver::Outcome::kFailed);
  EXPECT_EQ(interrupt(0x120, 0x2180, 1u << 30), HostDriver::Outcome::kFailed);
  EXPECT_EQ(interrupt(0x120, 0x2180, 1u << 29), HostDriver::Outcome::kRunning)
      << "printf is a service, no failure";
}

}  // namespace
}  // namespace zynpu::runtime
