// SPDX-License-Identifier: MIT
// Runs the KUnit cases of the kernel driver's pure code in user space, each as a GoogleTest test.
#include <gtest/gtest.h>

#include <kunit/test.h>
#include <cstdint>

extern "C" void kunit_shim_fail(kunit*, const char* file, int line, const char* what, long long left,
                                long long right) {
  ADD_FAILURE_AT(file, line) << what << ": " << left << " and " << right;
}

namespace {

class KunitCase : public testing::Test {
 public:
  explicit KunitCase(const kunit_case& test_case) : case_(test_case) {}
  void TestBody() override {
    kunit test{};
    case_.run_case(&test);
  }

 private:
  const kunit_case& case_;
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (const kunit_case* each = kunit_shim_suite->test_cases; each->run_case != nullptr; ++each)
    testing::RegisterTest("KernelDriver", each->name, nullptr, nullptr, __FILE__, __LINE__,
                          [each]() -> KunitCase* { return new KunitCase(*each); });
  return RUN_ALL_TESTS();
}
