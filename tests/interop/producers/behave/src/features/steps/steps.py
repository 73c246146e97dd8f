import sys

from behave import step

MESSAGE = 'expected "a" <b> & \'c\' ]]> ünïcödé ✓ 🦀\nsecond line'


@step("a step that passes")
def passes(context):
    pass


@step("a step that fails")
def fails(context):
    raise AssertionError(MESSAGE)


@step("a step that raises")
def raises(context):
    raise ValueError(MESSAGE)


@step("a step that skips")
def skips(context):
    context.scenario.skip('skipped with "quotes" <&> 🦀')


@step("a step that writes output")
def writes_output(context):
    print('to stdout "<&>" ünïcödé 🦀')
    print("to stderr <&>", file=sys.stderr)


@step("a step that fails with control characters")
def control(context):
    raise AssertionError("\x1b[31mred\x1b[0m nul:\x00 bell:\x07 end")


@step("{n:d} is not two")
def not_two(context, n):
    assert n != 2
