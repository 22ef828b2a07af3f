"""Which pages are told of a change: those that show it, once, though it came while they were being made."""

import pytest

from gwm.live.board import KEEP_S, Board
from gwm.live.note import Note

pytestmark = pytest.mark.feature("G045")


def note(at: float, *shows: str, around: tuple[str, ...] = ()) -> Note:
    return Note(1, "s", at, shows, around)


def ready(at: float = 1000.0) -> Board[str]:
    """A board whose reader has looked."""
    board: Board[str] = Board()
    list(board.publish([], at))
    return board


def test_who_shows_it_is_told_and_nobody_else() -> None:
    board = ready()
    board.put_up("a", note(1000, "vm:1"))
    board.put_up("b", note(1000, "vm:2", around=("vms:*",)))
    assert list(board.publish({"vm:1"}, 1001)) == [("a", ["page"])]
    assert list(board.publish({"vms:7"}, 1002)) == [("b", ["frame"])]
    assert dict(board.publish({"vm:1", "vm:2", "vms:7"}, 1003)) == {"a": ["page"], "b": ["page", "frame"]}
    assert list(board.publish({"vm:3"}, 1004)) == []


def test_what_changed_while_the_page_was_made_is_told_when_it_comes() -> None:
    board = ready()
    list(board.publish({"vm:1"}, 1010))
    assert board.put_up("early", note(1005, "vm:1")) == ["page"]
    assert board.put_up("late", note(1020, "vm:1")) == []
    assert board.put_up("other", note(1005, "vm:2")) == []


def test_another_note_of_the_same_page_tells_only_what_is_new_in_it() -> None:
    board = ready()
    board.put_up("a", note(1000, "vm:1"))
    list(board.publish({"vm:1", "job:5"}, 1001))
    assert board.put_up("a", note(1001, "vm:1")) == []
    assert board.put_up("a", note(1001, "vm:1", "job:5")) == ["page"]
    assert list(board.publish({"job:5"}, 1002)) == [("a", ["page"])]
    board.put_up("a", note(1002, "vm:1"))
    assert list(board.publish({"job:5"}, 1003)) == []


def test_a_note_from_before_what_is_remembered_is_told_everything() -> None:
    board = ready()
    assert board.put_up("old", note(1000 - 61, "vm:1", around=("jobs:*",))) == ["page", "frame"]
    assert board.put_up("new", note(1000 - 59, "vm:1")) == []
    list(board.publish({"vm:9"}, 1001))
    list(board.publish([], 1002 + KEEP_S))
    assert board.put_up("slept", note(1000, "vm:1")) == ["page"]


def test_before_the_first_reading_nothing_is_told_and_then_all_of_it() -> None:
    board: Board[str] = Board()
    assert board.put_up("a", note(1000, "vm:1")) == []
    assert list(board.publish({"vm:1"}, 1001)) == [("a", ["page"])]


def test_a_page_that_left_is_forgotten_wholly() -> None:
    board = ready()
    board.put_up("a", note(1000, "vm:1"))
    board.take_down("a")
    board.take_down("a")
    assert list(board.publish({"vm:1"}, 1001)) == []
    assert len(board) == 0
    assert board._pages == {}
