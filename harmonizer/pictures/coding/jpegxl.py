"""The head of a JPEG XL codestream (ISO/IEC 18181-1): size, bits and colour, which its decoder does not tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}

SRGB = (1, 13)
RGB, GREY = 0, 1
D65, CUSTOM = 1, 2
JPEG_XL_P3, P3 = 11, 12  # the only primaries that have another number than in ITU-T H.273
NUMBERS = (0, 0), (1, 0), (2, 4), (18, 6)
FLOAT_DEPTHS = (32, 0), (16, 0), (24, 0), (1, 6)
INTEGER_DEPTHS = (8, 0), (10, 0), (12, 0), (1, 6)


@dataclass(frozen=True)
class Header:
    """Upright size in pixels, bits a sample, and colour: primaries and transfer by the numbers of ITU-T H.273.

    None where the head is too intricate to tell, or colours are described by a profile, which is compressed.
    """

    width: int
    height: int
    bits: int | None
    colour: tuple[int, int] | None


class _Bits:
    """Reads a codestream bit by bit, the lowest first."""

    def __init__(self, data: bytes) -> None:
        self._value, self._at = int.from_bytes(data[:64], "little"), 0

    def take(self, count: int) -> int:
        value = self._value >> self._at & (1 << count) - 1
        self._at += count
        return value

    def choose(self, *choices: tuple[int, int]) -> int:
        """One of four (offset, bits), by two bits."""
        offset, count = choices[self.take(2)]
        return offset + self.take(count)


def read_header(data: bytes) -> Header:
    """The head of a JPEG XL file, with or without a container. Raises ValueError if it has no codestream."""
    bits = _Bits(_codestream(data)[2:])
    width, height = _read_size(bits)
    if bits.take(1):  # everything by default
        return Header(width, height, 8, SRGB)
    if bits.take(1):
        if bits.take(3) >= 4:  # orientation - 1
            width, height = height, width
        if bits.take(1):
            _read_size(bits)  # as it is meant to be shown
        if bits.take(2):  # a preview, or frames of an animation, whose headers follow
            return Header(width, height, None, None)
    is_float = bits.take(1)
    depth = bits.choose(*FLOAT_DEPTHS if is_float else INTEGER_DEPTHS)
    bits.take(5 if is_float else 1)  # bits of the exponent, and whether 16 bits are enough within the decoder
    extra = bits.choose((0, 0), (1, 0), (2, 4), (1, 12))
    plain = all(bits.take(1) for _ in range(extra))  # each an alpha channel of 8 bits
    bits.take(1)  # XYB inside
    return Header(width, height, None if is_float else depth, _read_colour(bits) if plain else None)


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and contents of the boxes of a container; none of a bare codestream."""
    at = 0 if data[4:8] == b"JXL " else len(data)
    while at + 8 <= len(data):
        size, name, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        end = len(data) if size == 0 else at + size
        if end < at + head:
            return
        yield name, data[at + head : end]
        at = end


def _codestream(data: bytes) -> bytes:
    if data.startswith(b"\xff\x0a"):
        return data
    for name, content in boxes(data):
        if name in (b"jxlc", b"jxlp"):
            return content if name == b"jxlc" else content[4:]
    raise ValueError("it holds no picture")


def _read_colour(bits: _Bits) -> tuple[int, int] | None:
    if bits.take(1):
        return SRGB
    if bits.take(1):  # a profile
        return None
    space = bits.choose(*NUMBERS)
    if space > GREY or bits.choose(*NUMBERS) != D65:
        return None
    primaries = 1 if space == GREY else bits.choose(*NUMBERS)
    if primaries == CUSTOM or bits.take(1):  # other points, or a gamma
        return None
    return P3 if primaries == JPEG_XL_P3 else primaries, bits.choose(*NUMBERS)


def _read_size(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)
    height = _read_side(bits, small)
    if ratio := RATIOS.get(bits.take(3)):
        return height * ratio[0] // ratio[1], height
    return _read_side(bits, small), height


def _read_side(bits: _Bits, small: int) -> int:
    return 8 * (bits.take(5) + 1) if small else bits.choose((1, 9), (1, 13), (1, 18), (1, 30))
