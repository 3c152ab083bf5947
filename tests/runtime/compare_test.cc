// SPDX-License-Identifier: MIT
// The comparison with the reference finds what is wrong, and in which layer.
#include "runtime/compare.h"

#include <gtest/gtest.h>

#include <atomic>

#include "runtime/devices.h"
#include "runtime/file.h"

namespace zynpu::runtime {
namespace {

const std::string kModel = ZYNPU_SOURCE_DIR "/models/fashion_mnist/fashion_mnist_int8.tflite";

// A virtual X2 that damages all memory but its programs when a run is over, while `damage` is set.
class LyingBackend final : public Backend {
 public:
  explicit LyingBackend(std::shared_ptr<Backend> honest) : honest_(std::move(honest)) {}
  const part::Part& part() const override { return honest_->part(); }
  bool is_virtual() const override { return true; }
  std::string description() const override { return "lying"; }
  Result<std::unique_ptr<Buffer>> allocate(std::uint64_t bytes, std::uint64_t alignment) override {
    return honest_->allocate(bytes, alignment);
  }
  Result<std::unique_ptr<BackendJob>> prepare(const JobDescription& description) override {
    ZYNPU_ASSIGN_OR_RETURN(std::unique_ptr<BackendJob> job, honest_->prepare(description));
    return std::make_unique<LyingJob>(*this, std::move(job), description);
  }
  std::atomic<bool> damage{false};

 private:
  class LyingJob final : public BackendJob {
   public:
    LyingJob(LyingBackend& owner, std::unique_ptr<BackendJob> honest, const JobDescription& description)
        : owner_(owner), honest_(std::move(honest)), buffers_(description.buffers), text_(description.text) {}
    Status submit() override { return honest_->submit(); }
    Status wait(std::int64_t timeout_ns) override {
      ZYNPU_TRY(honest_->wait(timeout_ns));
      for (const Buffer* buffer : buffers_)
        if (owner_.damage && buffer != text_)
          for (std::uint8_t& byte : const_cast<Buffer*>(buffer)->host()) byte ^= 1;
      return {};
    }
    void cancel() override { honest_->cancel(); }
    void set_regions(std::span<const Region> regions) override { honest_->set_regions(regions); }
    const JobProfile& profile() const override { return honest_->profile(); }

   private:
    LyingBackend& owner_;
    std::unique_ptr<BackendJob> honest_;
    std::vector<const Buffer*> buffers_;
    const Buffer* text_;
  };
  std::shared_ptr<Backend> honest_;
};

std::shared_ptr<Backend> open() {
  auto backend = open_device("virtual:x2");
  EXPECT_TRUE(backend) << backend.error().message;
  return *backend;
}

Result<std::shared_ptr<const Program>> load(const std::shared_ptr<Backend>& backend) {
  const auto context = std::make_shared<Context>("test", backend);
  ZYNPU_ASSIGN_OR_RETURN(const std::vector<std::uint8_t> file, read_file(kModel));
  return Program::load_file(context, file, {.compile = {}, .keep_model = true, .name = "fashion"});
}

void fill(Job& job) {
  for (std::size_t i = 0; i < job.input(0).size(); ++i) job.input(0)[i] = static_cast<std::uint8_t>(i * 7);
}

TEST(Comparator, FindsNothingInAnHonestRun) {
  const auto program = load(open());
  ASSERT_TRUE(program) << program.error().message;
  const auto comparator = Comparator::create(*program);
  ASSERT_TRUE(comparator) << comparator.error().message;
  const auto job = Job::create(*program, *comparator);
  ASSERT_TRUE(job) << job.error().message;
  fill(**job);
  for (std::uint64_t round = 1; round <= 3; ++round) {
    ASSERT_TRUE((*job)->run());
    EXPECT_EQ((*comparator)->runs(), round);
    EXPECT_FALSE((*comparator)->difference());
  }
}

TEST(Comparator, NamesTheFirstLayerThatDiffers) {
  const auto backend = std::make_shared<LyingBackend>(open());
  const auto program = load(backend);
  ASSERT_TRUE(program) << program.error().message;
  const auto comparator = Comparator::create(*program);
  ASSERT_TRUE(comparator);
  const auto job = Job::create(*program, *comparator);
  ASSERT_TRUE(job);
  fill(**job);
  backend->damage = true;
  ASSERT_TRUE((*job)->run());
  const std::optional<Difference>& difference = (*comparator)->difference();
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->tensor, (*program)->output(0).name);
  EXPECT_EQ(difference->layer, "CONV_2D #0");
  EXPECT_EQ(difference->elements, 28u * 28 * 16);
  EXPECT_EQ(difference->differing, difference->elements);
  EXPECT_EQ(difference->element, 0u);
  EXPECT_EQ(static_cast<int>(difference->value) ^ 1, static_cast<int>(difference->expected));
}

TEST(Comparator, SaysWhenNoSingleLayerIsWrong) {
  const auto context = std::make_shared<Context>("test", open());
  const auto file = read_file(kModel);
  ASSERT_TRUE(file);
  auto model = compiler::import_tflite(*file, "fashion");
  ASSERT_TRUE(model) << model.error().message;
  // The whole graph has other weights than the model; each layer compiled from the model itself is right.
  ir::Graph other = *model;
  for (ir::Tensor& tensor : other.tensors) {
    if (!tensor.is_constant() || tensor.type != ir::DataType::kInt8) continue;
    auto data = std::make_shared<ir::Bytes>(*tensor.data);
    for (std::uint8_t& byte : *data) byte ^= 0x15;
    tensor.data = std::move(data);
  }
  auto plan = compiler::compile(other, context->part());
  ASSERT_TRUE(plan) << plan.error().message;
  const auto program =
      Program::load(context, std::move(*plan), std::make_shared<const ir::Graph>(std::move(*model)));
  ASSERT_TRUE(program) << program.error().message;
  const auto comparator = Comparator::create(*program);
  ASSERT_TRUE(comparator);
  const auto job = Job::create(*program, *comparator);
  ASSERT_TRUE(job);
  fill(**job);
  const Status ran = (*job)->run();
  ASSERT_TRUE(ran) << ran.error().message;
  ASSERT_TRUE((*comparator)->difference());
  EXPECT_EQ((*comparator)->difference()->layer, "");
  EXPECT_GT((*comparator)->difference()->differing, 0u);
}

TEST(Comparator, NeedsTheModel) {
  const auto context = std::make_shared<Context>("test", open());
  const auto file = read_file(kModel);
  ASSERT_TRUE(file);
  const auto program = Program::load_file(context, *file, {});
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(Comparator::create(*program).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace zynpu::runtime
