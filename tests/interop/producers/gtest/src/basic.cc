#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>
#include <string>

static const char *MESSAGE = "expected \"a\" <b> & 'c' ]]> ünïcödé ✓ 🦀\nsecond line";

static int attempt(const std::string &name) {
  int n = 0;
  std::ifstream(name + ".count") >> n;
  std::ofstream(name + ".count") << ++n;
  return n;
}

TEST(Basic, Passes) { SUCCEED(); }

TEST(Basic, WritesOutput) {
  printf("to stdout \"<&>\" ünïcödé 🦀\n");
  fprintf(stderr, "to stderr <&>\n");
}

TEST(Basic, Fails) { FAIL() << MESSAGE; }

TEST(Basic, FailsTwice) {
  EXPECT_EQ(std::string("<1>"), std::string("<2>")) << "first";
  EXPECT_TRUE(false) << "second";
}

TEST(Basic, Throws) { throw std::runtime_error(MESSAGE); }

TEST(Basic, Skips) { GTEST_SKIP() << "skipped with \"quotes\" <&> 🦀"; }

TEST(Basic, DISABLED_Disabled) { FAIL() << "disabled <fails>"; }

TEST(Basic, RecordsProperties) {
  RecordProperty("owner", "team \"<&>\"");
  RecordProperty("count", 42);
}

class Suite : public testing::Test {
 public:
  static void SetUpTestSuite() { RecordProperty("suite_property", "1"); }
};
TEST_F(Suite, UsesTheFixture) {}

class BrokenSetUp : public testing::Test {
  void SetUp() override { FAIL() << "SetUp <broken>"; }
};
TEST_F(BrokenSetUp, NeverRuns) {}

class BrokenSuite : public testing::Test {
 public:
  static void SetUpTestSuite() { FAIL() << "SetUpTestSuite <broken>"; }
};
TEST_F(BrokenSuite, RunsAnyway) {}

class Numbers : public testing::TestWithParam<int> {};
TEST_P(Numbers, IsNotTwo) { EXPECT_NE(GetParam(), 2); }
INSTANTIATE_TEST_SUITE_P(Small, Numbers, testing::Values(1, 2, 3));

class Odd : public testing::TestWithParam<const char *> {};
TEST_P(Odd, Name) {}
INSTANTIATE_TEST_SUITE_P(All, Odd, testing::Values("[a/b::c]", "🦀 \"quoted\" 'single' <&>"));

template <typename T>
class Typed : public testing::Test {};
using Types = testing::Types<int, std::pair<int, const char *>>;
TYPED_TEST_SUITE(Typed, Types);
TYPED_TEST(Typed, Works) {}

TEST(Flaky, PassesLater) { EXPECT_NE(attempt("flaky"), 1) << "first attempt \"fails\" <&>"; }
