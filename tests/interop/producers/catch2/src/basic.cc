#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <string>

static const char *MESSAGE = "expected \"a\" <b> & 'c' ]]> ünïcödé ✓ 🦀\nsecond line";

TEST_CASE("passes", "[plain]") { REQUIRE(1 + 1 == 2); }

TEST_CASE("has no assertions") {}

TEST_CASE("writes output") {
  std::cout << "to stdout \"<&>\" ünïcödé 🦀" << std::endl;
  std::cerr << "to stderr <&>" << std::endl;
  CHECK(true);
}

TEST_CASE("fails") { FAIL(MESSAGE); }

TEST_CASE("fails twice") {
  INFO("some <info>");
  CHECK(std::string("<1>") == std::string("<2>"));
  CHECK(false);
}

TEST_CASE("throws") { throw std::runtime_error(MESSAGE); }

TEST_CASE("warns") {
  WARN("a <warning>");
  CHECK(true);
}

TEST_CASE("should fail and does", "[!shouldfail]") { CHECK(false); }
TEST_CASE("should fail and does not", "[!shouldfail]") { CHECK(true); }
TEST_CASE("may fail", "[!mayfail]") { CHECK(false); }
TEST_CASE("is hidden", "[.]") { CHECK(false); }

TEST_CASE("sections") {
  CHECK(true);
  SECTION("first <&>") {
    CHECK(true);
    SECTION("inner") { CHECK(false); }
  }
  SECTION("second") { CHECK(true); }
}

TEST_CASE("generated") {
  int n = GENERATE(1, 2, 3);
  CAPTURE(n);
  CHECK(n != 2);
}

TEST_CASE("[a/b::c]") { CHECK(true); }
TEST_CASE("🦀 \"quoted\" 'single' <&>") { CHECK(true); }
TEMPLATE_TEST_CASE("template", "", int, (std::pair<int, char>)) { CHECK(true); }

struct Fixture {
  int n = 1;
};
TEST_CASE_METHOD(Fixture, "with a fixture") { CHECK(n == 1); }

SCENARIO("a scenario") {
  GIVEN("a number") {
    WHEN("it is used") {
      THEN("it works") { CHECK(true); }
    }
  }
}

TEST_CASE("control characters", "[control]") { FAIL("\x1b[31mred\x1b[0m bell:\x07 end"); }
TEST_CASE("bytes that are not UTF-8", "[control]") { FAIL("latin-1: \xfc end"); }
