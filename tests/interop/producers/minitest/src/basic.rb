require 'minitest/autorun'
require 'minitest/reporters'

Minitest::Reporters.use!([
  Minitest::Reporters::SpecReporter.new,
  Minitest::Reporters::JUnitReporter.new('reports')
])

MESSAGE = "expected \"a\" <b> & 'c' ]]> ünïcödé ✓ 🦀\nsecond line"

class BasicTest < Minitest::Test
  i_suck_and_my_tests_are_order_dependent!

  def test_passes
    assert true
  end

  def test_writes_output
    puts 'to stdout "<&>" ünïcödé 🦀'
    warn 'to stderr <&>'
  end

  def test_fails
    flunk MESSAGE
  end

  def test_errors
    raise ArgumentError, MESSAGE
  end

  def test_is_skipped
    skip 'skipped with "quotes" <&> 🦀'
  end

  [1, 2, 3].each do |n|
    define_method("test_parameter_#{n}") { refute_equal 2, n }
  end

  define_method('test_[a/b::c]') { assert true }
  define_method("test_🦀 \"quoted\" 'single' <&>") { assert true }
end
