import unittest

from nose2.tools import params

MESSAGE = 'expected "a" <b> & \'c\' ]]> ünïcödé ✓ 🦀\nsecond line'


def test_function():
    pass


def test_control_characters():
    raise AssertionError("\x1b[31mred\x1b[0m nul:\x00 bell:\x07 end")


@params(1, 2, 3)
def test_param(n):
    assert n != 2


@params("[a/b::c]", '🦀 "quoted" \'single\' <&>')
def test_odd(value):
    pass


def check(n):
    assert n > 0


def test_generator():
    for n in (0, 1):
        yield check, n


class Basic(unittest.TestCase):
    def test_fail(self):
        self.fail(MESSAGE)

    def test_error(self):
        raise ValueError(MESSAGE)

    @unittest.skip('skipped with "quotes" <&> 🦀')
    def test_skip(self):
        pass

    @unittest.expectedFailure
    def test_expected_failure(self):
        self.fail("known")

    @unittest.expectedFailure
    def test_unexpected_success(self):
        pass

    def test_subtests(self):
        for n in range(3):
            with self.subTest(n=n):
                self.assertNotEqual(n, 1)
