/* SPDX-License-Identifier: MIT */
/* As much of KUnit as the driver's tests use; the runner is kunit_test.cc. */
#ifndef ZYNPU_SHIM_KUNIT_TEST_H
#define ZYNPU_SHIM_KUNIT_TEST_H
#ifdef __cplusplus
extern "C" {
#endif

struct kunit {
  void* priv;
};

struct kunit_case {
  void (*run_case)(struct kunit* test);
  const char* name;
};

struct kunit_suite {
  const char* name;
  struct kunit_case* test_cases;
};

/* Reports a failed expectation of the running case. */
void kunit_shim_fail(struct kunit* test, const char* file, int line, const char* what, long long left,
                     long long right);

extern struct kunit_suite* const kunit_shim_suite;

#define KUNIT_CASE(function) \
  { .run_case = function, .name = #function }
#define KUNIT_EXPECT_EQ(test, left, right)                                                              \
  do {                                                                                                  \
    long long left_ = (long long)(left), right_ = (long long)(right);                                   \
    if (left_ != right_) kunit_shim_fail(test, __FILE__, __LINE__, #left " == " #right, left_, right_); \
  } while (0)
#define KUNIT_EXPECT_TRUE(test, value) KUNIT_EXPECT_EQ(test, !!(value), 1)
#define KUNIT_EXPECT_FALSE(test, value) KUNIT_EXPECT_EQ(test, !!(value), 0)
#define kunit_test_suite(suite) struct kunit_suite* const kunit_shim_suite = &(suite)

#ifdef __cplusplus
}
#endif
#endif
