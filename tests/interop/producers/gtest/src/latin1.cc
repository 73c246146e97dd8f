#include <gtest/gtest.h>

TEST(Latin1, Passes) {}
TEST(Latin1, FailsWithBytesThatAreNotUtf8) { FAIL() << "latin-1: \xfc end"; }
