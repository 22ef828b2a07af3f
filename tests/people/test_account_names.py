"""Names of accounts that people would take for somebody else's."""

import pytest

from people.account_names import find_alike, find_fault


@pytest.mark.parametrize(
    "name",
    ["anna", "o.brien-2", "zoë", "łukasz", "анна", "άννα", "אנה", "アンナ", "anna안나", "안나金", "李a9", "a@b"],
    ids=ascii,
)
def test_names_that_people_have(name):
    assert not find_fault(name)


@pytest.mark.parametrize(
    "name",
    [
        *(".", "..", "\u0430nna", "ann\u03b1", "anna\u0661", "アンナ안"),
        *("\u0251nna", "\u1d00nna", "\ua4ee\ua4e0\ua4e0", "anna\u02bc", "\u13aa"),
    ],
    ids=ascii,
)
def test_names_that_mix_or_lean_on_what_nobody_writes(name):
    assert find_fault(name)


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("\u0430\u0441\u0435", "ace"),
        ("ace", "\u0410\u0421\u0415"),
        ("Anna", "anna"),
        ("AIice", "alice"),
        ("adm1n0", "admlno"),
        ("\u0131van", "ivan"),
        ("\uff41nna", "anna"),
        ("straße", "STRASSE"),
    ],
    ids=ascii,
)
def test_two_that_are_taken_for_one_another(name, there):
    assert find_alike(name, ["bob", there]) == there


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("anna", "anne"),
        ("ánna", "anna"),
        ("lvan", "ivan"),
        ("анна", "anna"),
        ("burns", "bums"),
    ],  # names that people have
)
def test_two_that_are_told_apart(name, there):
    assert not find_alike(name, [there])
