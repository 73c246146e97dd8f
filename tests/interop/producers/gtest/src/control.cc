#include <gtest/gtest.h>

TEST(Control, Passes) {}
TEST(Control, Fails) { FAIL() << "\x1b[31mred\x1b[0m bell:\x07 end"; }
