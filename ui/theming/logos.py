"""Whether a file will do as a logo: a picture that does nothing, and is small enough for every page."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from xml.parsers import expat

from ui.theming.problems import BadTheme

MOST_BYTES = 100_000
MOST_PIXELS = 2_000
_SVG = "http://www.w3.org/2000/svg"
_ACTIVE = {"script", "foreignobject", "iframe", "object", "embed", "handler", "listener"}
_LINKS = {"href", "src"}
_HARMLESS = re.compile(r"\s*(#|data:image/(png|jpeg|webp);)", re.IGNORECASE)
_FETCHES = re.compile(r"@import|url\(\s*+['\"]?+\s*+(?!#|data:image/(png|jpeg|webp);)", re.IGNORECASE)
_PNG = b"\x89PNG\r\n\x1a\n"


def check_logo(key: str, path: Path) -> None:
    """Raises BadTheme, which names the key and says what to do."""
    if path.suffix.lower() not in {".svg", ".png"}:
        raise BadTheme(key, f"{path} is neither SVG nor PNG by its name.", "Give a file that ends in .svg or .png.")
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MOST_BYTES else b""
    except FileNotFoundError:
        raise BadTheme(key, f"there is no file {path}.", "Put it there, or leave the key out.") from None
    except OSError as error:
        raise BadTheme(key, f"cannot read {path} ({error.strerror}).", "Let the service's user read it.") from None
    if size > MOST_BYTES:
        raise BadTheme(
            key, f"{path} has {size:,} bytes, and every page loads it.", f"Make it smaller than {MOST_BYTES:,} bytes."
        )
    if path.suffix.lower() == ".png":
        _check_png(key, path, content)
    else:
        _check_svg(key, path, content)


def _check_png(key: str, path: Path, content: bytes) -> None:
    if not content.startswith(_PNG) or content[12:16] != b"IHDR" or len(content) < 24:
        raise BadTheme(key, f"{path} is no PNG.", "Save the picture as PNG again.")
    width, height = struct.unpack(">II", content[16:24])
    if max(width, height) > MOST_PIXELS:
        raise BadTheme(
            key,
            f"{path} is {width} by {height} pixels.",
            f"Make it {MOST_PIXELS} at most in width and in height; it is shown 28 high.",
        )


def _check_svg(key: str, path: Path, content: bytes) -> None:
    """By a parser, and by what it may not have: a browser runs what an SVG brings where it is opened by itself."""
    try:
        _Reader(key, path).read(content)
    except expat.ExpatError as error:
        raise BadTheme(key, f"{path} is no SVG ({error}).", "Save the picture as SVG again.") from None


class _Reader:
    """Reads an SVG from its beginning to its end, or to the first thing that it may not have."""

    def __init__(self, key: str, path: Path) -> None:
        self._key, self._path = key, path
        self._is_first, self._in_style, self._style = True, False, ""

    def read(self, content: bytes) -> None:
        """Raises BadTheme and ExpatError."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler, parser.EndElementHandler = self._begin, self._end
        parser.CharacterDataHandler = self._hear
        parser.EntityDeclHandler = lambda name, *_: self._refuse(f"the entity “{name}”")
        parser.ProcessingInstructionHandler = lambda target, _: self._refuse(f"the instruction <?{target}?>")
        parser.Parse(content, True)
        if _FETCHES.search(self._style):
            self._refuse("a style that loads something from elsewhere")

    def _refuse(self, what: str) -> None:
        remedy = "Save it as plain SVG: no scripts, no entities, no links, and nothing of other sites."
        raise BadTheme(self._key, f"{self._path} has {what}.", remedy)

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        space, _, plain = name.rpartition(" ")
        if self._is_first and (plain != "svg" or space != _SVG):
            raise BadTheme(self._key, f"{self._path} is no SVG.", "Save the picture as SVG again.")
        self._is_first, self._in_style = False, plain.lower() == "style"
        if plain.lower() in _ACTIVE:
            self._refuse(f"<{plain}>")
        for full, value in attributes.items():
            attribute = full.rpartition(" ")[2].lower()
            if attribute.startswith("on"):
                self._refuse(f"the attribute {attribute}, which runs a script")
            if attribute in _LINKS and not _HARMLESS.match(value):
                self._refuse(f"a link to “{value[:60]}”")
            if attribute == "attributename" and value.lower().rpartition(":")[2] in _LINKS:
                self._refuse(f"<{plain}>, which changes a link")
            if _FETCHES.search(value):
                self._refuse(f"the attribute {attribute}, which loads something from elsewhere")

    def _end(self, _name: str) -> None:
        self._in_style = False

    def _hear(self, text: str) -> None:
        if self._in_style:
            self._style += text
