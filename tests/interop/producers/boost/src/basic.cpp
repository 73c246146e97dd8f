// The cases that every producer here has, as Boost.Test has them.
#define BOOST_TEST_MODULE demo
#include <boost/test/included/unit_test.hpp>
#include <boost/test/data/test_case.hpp>
#include <stdexcept>
#include <tuple>

namespace utf = boost::unit_test;

BOOST_AUTO_TEST_CASE(top) { BOOST_TEST(1 + 1 == 2); }

BOOST_AUTO_TEST_SUITE(math)

BOOST_AUTO_TEST_CASE(adds) { BOOST_TEST(2 + 2 == 4); }

BOOST_AUTO_TEST_CASE(fails_twice)
{
    BOOST_TEST(2 + 3 == 4);
    BOOST_TEST("<a & b>" == "<c>");
}

BOOST_AUTO_TEST_CASE(fatal)
{
    BOOST_REQUIRE_MESSAGE(false, "]]> is required");
}

BOOST_AUTO_TEST_CASE(throws) { throw std::runtime_error("out of paper"); }

BOOST_AUTO_TEST_CASE(nothing_checked) {}

BOOST_AUTO_TEST_CASE(warns) { BOOST_WARN_MESSAGE(false, "only a warning"); BOOST_TEST(true); }

BOOST_AUTO_TEST_CASE(off, *utf::disabled()) { BOOST_TEST(false); }

BOOST_AUTO_TEST_CASE(needs, *utf::precondition([](utf::test_unit_id) { return false; })) { BOOST_TEST(false); }

BOOST_AUTO_TEST_CASE(expected, *utf::expected_failures(1)) { BOOST_TEST(false); }

BOOST_AUTO_TEST_SUITE(deep)

BOOST_DATA_TEST_CASE(squares, boost::unit_test::data::xrange(3), x) { BOOST_TEST(x * x < 4); }

using numbers = std::tuple<int, double>;
BOOST_AUTO_TEST_CASE_TEMPLATE(typed, T, numbers) { BOOST_TEST(T(1) == T(1)); }

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE_END()
