"""Numbers and ages as pages say them."""

from datetime import UTC, datetime, timedelta

import pytest

from ui.templatetags import units

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


@pytest.mark.feature("F128")
@pytest.mark.parametrize(
    ("mib", "text"),
    [
        (None, "–"),  # noqa: RUF001
        (0, "0 MiB"),
        (512, "512 MiB"),
        (1023, "1,023 MiB"),
        (1024, "1.0 GiB"),
        (4096, "4.0 GiB"),
        (1536, "1.5 GiB"),
        (102_348, "99.9 GiB"),
        (102_399, "100 GiB"),
        (122_880, "120 GiB"),
        (1_572_864, "1.5 TiB"),
        (123_731_968, "118 TiB"),
        (2_147_483_648, "2,048 TiB"),
    ],
)
def test_sizes_are_binary_with_one_decimal_below_100(mib, text):
    assert units.mib(mib).replace("\u00a0", " ") == text


def test_number_and_unit_stay_on_one_line():
    assert " " not in units.mib(4096)
    assert " " not in units.span(90)


@pytest.mark.feature("F028")
@pytest.mark.parametrize(
    ("used", "total", "text"),
    [
        (41_984, 51_200, "41.0 of 50.0 GiB"),
        (512, 1_048_576, "512 MiB of 1.0 TiB"),
        (100, 512, "100 of 512 MiB"),
        (None, 1024, "– of 1.0 GiB"),  # noqa: RUF001
        (None, None, "–"),  # noqa: RUF001
        (1024, None, "1.0 GiB"),
    ],
)
def test_two_sizes_share_the_larger_unit_where_both_can_be_told_in_it(used, total, text):
    assert units.mib_of(used, total).replace("\u00a0", " ") == text


@pytest.mark.parametrize(("part", "whole", "text"), [(41, 50, "82 %"), (1, 0, "–"), (None, 5, "–"), (3, None, "–")])  # noqa: RUF001
def test_a_share_of_nothing_is_not_known(part, whole, text):
    assert units.percent(part, whole).replace("\u00a0", " ") == text


@pytest.mark.feature("G002")
@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=8), "8 s ago"),
        (timedelta(seconds=59.9), "59 s ago"),
        (timedelta(minutes=42), "42 min ago"),
        (timedelta(hours=2, minutes=59), "2 h ago"),
        (timedelta(days=5), "5 d ago"),
        (timedelta(seconds=-59), "just now"),  # the clocks of two hosts are never quite the same
        (timedelta(minutes=-58), "58 min ahead of our clock"),
    ],
)
def test_ages(ago, text):
    assert units.describe_age(NOW - ago, NOW).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("left", "text"),
    [(timedelta(minutes=3, seconds=20), "in 3 min"), (timedelta(0), "now"), (-timedelta(hours=1), "now")],
)
def test_what_is_to_come_and_has_come(left, text):
    assert units.describe_wait(NOW + left, NOW).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("lasted", "text"),
    [
        (timedelta(seconds=2.44), "2.4 s"),
        (timedelta(seconds=42), "42 s"),
        (timedelta(minutes=3, seconds=20), "3 min 20 s"),
        (timedelta(hours=1, minutes=4, seconds=50), "1 h 4 min"),
        (timedelta(days=2, hours=3), "2 d 3 h"),
        (timedelta(seconds=-5), "0.0 s"),
    ],
)
def test_how_long_it_took(lasted, text):
    assert units.duration(NOW, NOW + lasted).replace("\u00a0", " ") == text
    assert units.duration(None, NOW) == units.duration(NOW, None) == "–"  # noqa: RUF001


def test_what_never_happened_has_no_age():
    assert units.describe_age(None, NOW) == "never"
    assert units.span(None) == "–"  # noqa: RUF001


def test_counts_and_truth():
    assert units.count(1247) == "1,247"
    assert units.count(None) == "–"  # noqa: RUF001
    assert [units.yes_no(value) for value in (True, False, None)] == ["yes", "no", "–"]  # noqa: RUF001
