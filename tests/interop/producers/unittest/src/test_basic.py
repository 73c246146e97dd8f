import sys
import unittest

MESSAGE = 'expected "a" <b> & \'c\' ]]> ünïcödé ✓ 🦀\nsecond line'


class Basic(unittest.TestCase):
    def test_pass(self):
        """A docstring with "quotes" <&>."""

    def test_output(self):
        print('to stdout "<&>" ]]> ünïcödé 🦀')
        print("to stderr <&>", file=sys.stderr)

    def test_control_characters(self):
        print("\x1b[31mred\x1b[0m nul:\x00 bell:\x07 end")

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
        for n in ["1", "[a/b::c]", '🦀 "quoted" <&>']:
            with self.subTest(n=n):
                self.assertEqual(n, "1")


def odd(self):
    pass


for name in ["[a/b::c]", '🦀 "quoted" \'single\' <&>', "dotted.name"]:
    setattr(Basic, "test " + name, odd)


class BrokenSetUpClass(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise RuntimeError("setUpClass <broken>")

    def test_never_run(self):
        pass


class Outer:
    class Inner(unittest.TestCase):
        def test_nested(self):
            pass


Nested = Outer.Inner
