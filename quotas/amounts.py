"""How much of a cluster: amounts that are used or wanted, and limits. Plain arithmetic, without a database."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Amounts:
    """Used or wanted. A change of a machine may want less than nothing."""

    memory_mib: int = 0
    disk_mib: int = 0
    vcpus: int = 0
    machines: int = 0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(*(mine + theirs for mine, theirs in zip(self.values(), other.values(), strict=True)))

    def __sub__(self, other: Amounts) -> Amounts:
        return Amounts(*(mine - theirs for mine, theirs in zip(self.values(), other.values(), strict=True)))

    def without(self, part: Amounts) -> Amounts:
        """What is left of each when this much of it is gone: no more than all, and nothing of another sign."""
        return Amounts(
            *(
                max(0, all_of_it - max(0, gone)) if all_of_it > 0 else min(0, all_of_it - min(0, gone))
                for all_of_it, gone in zip(self.values(), part.values(), strict=True)
            )
        )

    def most(self, other: Amounts) -> Amounts:
        """The greater of each."""
        return Amounts(*(max(mine, theirs) for mine, theirs in zip(self.values(), other.values(), strict=True)))

    def times(self, number: int) -> Amounts:
        """So many of it."""
        return Amounts(*(number * each for each in self.values()))

    def values(self) -> tuple[int, ...]:
        """In the order of DIMENSIONS."""
        return tuple(getattr(self, name) for name in DIMENSIONS)


@dataclass(frozen=True)
class Limits:
    """The most that may be used; None: no limit, 0: nothing."""

    memory_mib: int | None = None
    disk_mib: int | None = None
    vcpus: int | None = None
    machines: int | None = None

    def room(self, used: Amounts) -> Limits:
        """What is left, never less than nothing; None where there is no limit."""
        return Limits(
            *(
                None if limit is None else max(0, limit - taken)
                for limit, taken in zip(self.values(), used.values(), strict=True)
            )
        )

    def exceeded_by(self, used: Amounts, wanted: Amounts) -> dict[str, int]:
        """By how much `wanted` would go beyond the limits, where it would; empty: it fits.

        What wants nothing more of something fits there, also where too much of it is used already.
        """
        found = {}
        for name, limit, taken, more in zip(DIMENSIONS, self.values(), used.values(), wanted.values(), strict=True):
            if limit is not None and more > 0 and taken + more > limit:
                found[name] = taken + more - limit
        return found

    def values(self) -> tuple[int | None, ...]:
        """In the order of DIMENSIONS."""
        return tuple(getattr(self, name) for name in DIMENSIONS)


DIMENSIONS = tuple(field.name for field in fields(Amounts))
UNLIMITED = Limits()
