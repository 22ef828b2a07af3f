"""The text screen and the guest that writes on it."""

from __future__ import annotations

import pytest

from simulator.rfb.font import CELL_HEIGHT, CELL_WIDTH, FIRST, LAST, glyph, glyphs
from simulator.rfb.guest import BACKSPACE, CONTROL_LEFT, RETURN, Guest
from simulator.rfb.screen import COLUMNS, ROWS, PixelFormat, Rectangle, TextScreen, changes, render

pytestmark = pytest.mark.feature("F206")

FACTS = {"host": "web1.example.org", "memory": "1024", "vcpus": "2", "disk": "20480", "mac": "aa:00:00:11:22:33"}


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def shown(guest: Guest) -> list[str]:
    return ["".join(cell[0] for cell in row).rstrip() for row in guest.look()]


def booted() -> tuple[Guest, Clock]:
    clock = Clock()
    guest = Guest(FACTS, clock)
    clock.now += 60
    guest.look()
    return guest, clock


def type_line(guest: Guest, text: str) -> None:
    for character in text:
        guest.key(ord(character), True)
        guest.key(ord(character), False)
    guest.key(RETURN, True)


def test_every_character_has_a_glyph_of_its_own() -> None:
    assert len(glyphs()) == LAST - FIRST + 1
    drawn = [tuple(lines) for lines in glyphs()[1:]]
    assert len(set(drawn)) == len(drawn)
    assert all(len(lines) == CELL_HEIGHT and max(lines) < 1 << CELL_WIDTH for lines in glyphs())
    assert glyph("ü") == glyph("?")


def test_only_changed_cells_are_sent() -> None:
    screen = TextScreen()
    before = screen.snapshot()
    screen.put(3, 5, "abc")
    screen.put(70, 5, "x")
    screen.put(0, 9, "y")
    assert changes(before, screen.snapshot()) == [Rectangle(3, 5, 68), Rectangle(0, 9, 1)]
    assert changes(None, before) == [Rectangle(0, 0, COLUMNS, ROWS)]


@pytest.mark.parametrize("size", [1, 2, 4])
def test_pixels_in_any_depth(size: int) -> None:
    maxima = {1: (7, 7, 3), 2: (31, 63, 31), 4: (255, 255, 255)}[size]
    shifts = {1: (5, 2, 0), 2: (11, 5, 0), 4: (16, 8, 0)}[size]
    pixels = PixelFormat(size, False, maxima, shifts)
    screen = TextScreen()
    screen.put(0, 0, "W")
    data = render(screen.snapshot(), Rectangle(0, 0, 2), pixels)
    assert len(data) == 2 * CELL_WIDTH * CELL_HEIGHT * size
    assert len({data[i : i + size] for i in range(0, len(data), size)}) == 2


def test_a_machine_boots_and_shows_a_clock() -> None:
    clock = Clock()
    guest = Guest(FACTS, clock)
    assert shown(guest)[0].startswith(" web1.example.org")
    assert shown(guest)[0].endswith("2023-11-14 22:13:20")
    early = [line for line in shown(guest) if line]
    guest.key(ord("x"), True)
    clock.now += 60
    late = [line for line in shown(guest) if line]
    assert len(late) > len(early)
    assert late[-1] == "root@web1:~#"
    assert late[0].endswith("22:14:20")


def test_keys_are_echoed_and_commands_answered() -> None:
    guest, _ = booted()
    type_line(guest, "echo Hello, World")
    assert shown(guest)[-8:] != []
    lines = [line for line in shown(guest) if line]
    assert lines[-3:] == ["root@web1:~# echo Hello, World", "Hello, World", "root@web1:~#"]
    type_line(guest, "nonsense")
    assert "sh: nonsense: command not found" in shown(guest)


def test_backspace_and_control_keys() -> None:
    guest, _ = booted()
    for character in "ab":
        guest.key(ord(character), True)
    for _ in range(5):
        guest.key(BACKSPACE, True)
    assert [line for line in shown(guest) if line][-1] == "root@web1:~#"
    guest.key(ord("x"), True)
    guest.key(CONTROL_LEFT, True)
    guest.key(ord("c"), True)
    guest.key(CONTROL_LEFT, False)
    assert [line for line in shown(guest) if line][-2:] == ["root@web1:~# x^C", "root@web1:~#"]


def test_long_output_scrolls_below_the_title() -> None:
    guest, _ = booted()
    for number in range(40):
        type_line(guest, f"echo line {number}")
    lines = shown(guest)
    assert lines[0].startswith(" web1.example.org")
    assert "line 39" in lines
    assert "line 3" not in lines
