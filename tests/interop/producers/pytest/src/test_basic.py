import logging
import sys
import unittest

import pytest

MESSAGE = 'expected "a" <b> & \'c\' ]]> ünïcödé ✓ 🦀\nsecond line'


def test_pass():
    pass


def test_output():
    print('to stdout "<&>" ünïcödé 🦀')
    print("to stderr <&>", file=sys.stderr)
    logging.getLogger("demo").warning("a log record <&>")


def test_control_characters():
    print("\x1b[31mred\x1b[0m nul:\x00 bell:\x07 nel:\x85 ls:\u2028 ffff:\uffff end")


def test_fail():
    raise AssertionError(MESSAGE)


def test_fail_compare():
    assert {"key": "<1>"} == {"key": "<2>"}


def test_fail_exception():
    print("before the failure")
    raise ValueError(MESSAGE)


@pytest.fixture
def broken_setup():
    raise RuntimeError(MESSAGE)


@pytest.fixture
def broken_teardown():
    yield
    raise RuntimeError("teardown <broken>")


def test_setup_error(broken_setup):
    pass


def test_teardown_error(broken_teardown):
    pass


def test_fail_and_teardown_error(broken_teardown):
    assert 1 == 2


@pytest.mark.skip(reason='skipped with "quotes" <&> 🦀')
def test_skip():
    pass


def test_skip_inside():
    pytest.skip("decided inside")


@pytest.mark.xfail(reason="known <bug>")
def test_xfail():
    assert False


@pytest.mark.xfail(reason="unexpectedly fixed")
def test_xpass():
    pass


@pytest.mark.xfail(reason="unexpectedly fixed", strict=True)
def test_xpass_strict():
    pass


@pytest.mark.parametrize("n", [1, 2, 3])
def test_param(n):
    assert n != 2


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(1, id="[a/b::c]"),
        pytest.param(2, id='🦀 "quoted" \'single\' <&>'),
        pytest.param(3, id="tab\there"),
        pytest.param(4, id=" "),
    ],
)
def test_odd(value):
    pass


def test_properties(record_property, record_testsuite_property):
    record_property("owner", 'team "<&>"')
    record_testsuite_property("build", 42)


class TestOuter:
    def test_method(self):
        pass

    class TestInner:
        def test_nested(self):
            pass


class Legacy(unittest.TestCase):
    def test_subtests(self):
        for n in range(3):
            with self.subTest("part", n=n):
                self.assertNotEqual(n, 1)


def test_subtests(subtests):
    for n in range(3):
        with subtests.test("part", n=n):
            assert n != 1
