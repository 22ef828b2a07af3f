"""What is wrong with a theme."""

from __future__ import annotations


class BadTheme(ValueError):
    """A theme can't be used: the key of theme.toml that is to blame (empty: the file as a whole), and what to do."""

    def __init__(self, key: str, problem: str, remedy: str) -> None:
        super().__init__(f"“{key}”: {problem}" if key else problem)
        self.key, self.remedy = key, remedy
