import pathlib

import pytest


def attempt(name):
    path = pathlib.Path(name + ".count")
    n = int(path.read_text()) + 1 if path.exists() else 1
    path.write_text(str(n))
    return n


def test_flaky():
    n = attempt("flaky")
    print("attempt", n)
    assert n > 1, 'first attempt "fails" <&>'


@pytest.fixture
def flaky_fixture():
    if attempt("fixture") == 1:
        raise RuntimeError("the fixture fails once")


def test_flaky_setup(flaky_fixture):
    pass


def test_always_fails():
    assert attempt("always") > 100


def test_pass():
    pass
