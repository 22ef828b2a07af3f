"""The one error that the lab raises for people to read."""

from __future__ import annotations


class LabError(Exception):
    """Something the person at the keyboard can act on; its text is the whole message."""


class NumberTaken(LabError):
    """Another lab on this machine has the number that was asked for."""
