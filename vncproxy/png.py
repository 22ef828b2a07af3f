"""A frame as a small PNG.

Plain Python: a whole line is one large integer, so that the mean of two lines is one step, whatever their length.
"""

import struct
import zlib

from vncproxy.frame import Frame

LARGEST_WIDTH = 640
"""Pictures are halved until they are narrower, so that their text stays readable on dense screens."""


def as_png(frame: Frame) -> bytes:
    """The frame, scaled down to less than `LARGEST_WIDTH`, as a PNG without transparency."""
    while frame.width >= LARGEST_WIDTH or frame.height >= LARGEST_WIDTH:
        frame = halve(frame)
    count = frame.width * frame.height
    colours = bytearray(3 * count)
    for channel in range(3):
        colours[channel::3] = frame.pixels[channel::4]
    line = 3 * frame.width
    lines = b"".join(b"\0" + colours[start : start + line] for start in range(0, len(colours), line))
    header = struct.pack(">IIBBBBB", frame.width, frame.height, 8, 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines, 6)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def halve(frame: Frame) -> Frame:
    """Half as wide and half as high (one at least), each pixel the mean of the four that it stands for."""
    pixels, width, height = frame.pixels, frame.width, frame.height
    if height > 1:
        line = width * 4
        starts = range(0, height // 2 * 2 * line, 2 * line)
        pixels = b"".join(_mean(pixels[at : at + line], pixels[at + line : at + 2 * line]) for at in starts)
        height //= 2
    if width > 1:
        if width % 2:
            line, kept = width * 4, (width - 1) * 4
            pixels = b"".join(pixels[at : at + kept] for at in range(0, height * line, line))
        columns = memoryview(pixels).cast("I")
        pixels = _mean(columns[::2].tobytes(), columns[1::2].tobytes())
        width //= 2
    return Frame(width, height, pixels)


def _mean(one: bytes, other: bytes) -> bytes:
    """The mean of each two bytes. Without the lowest bit of each byte, none can flow into the next."""
    a, b = int.from_bytes(one, "little"), int.from_bytes(other, "little")
    upper = int.from_bytes(b"\x7f" * len(one), "little")
    return ((a & b) + (((a ^ b) >> 1) & upper)).to_bytes(len(one), "little")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
