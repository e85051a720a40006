"""Whether a PNG is whole, and how deep its colours are (PNG specification, chapters 5 and 11), without decoding it.

Called by `images`, because Pillow looks at neither: it decodes compressed data whose check sum is wrong, into a picture
of noise, leaves rows that are missing black, and drops the lower half of 16-bit colours.
"""

import struct
import zlib
from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BIT_DEPTH = len(_SIGNATURE) + 16
_LENGTH_NAME = struct.Struct(">I4s")
_CHECKSUM = struct.Struct(">I")
_HEADER = struct.Struct(">IIBBBBB")
#: Values a pixel by type of colour: grey, RGB, palette, grey and alpha, RGB and alpha.
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
#: (first column, first row, steps to the next ones) of each pass over the picture; seven where it is interlaced.
_PASSES = {
    0: ((0, 0, 1, 1),),
    1: ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
}
#: Unpacked at a time, so that a picture's rows need not all be in memory.
_PIECE_BYTES = 2**20


def is_png(content: bytes) -> bool:
    return content.startswith(_SIGNATURE)


def is_deep(content: bytes) -> bool:
    """More than 8 bits a channel."""
    return content[_BIT_DEPTH : _BIT_DEPTH + 1] == b"\x10"


def is_whole(content: bytes) -> bool:
    """Whether every chunk that the picture needs has its check sum, up to the end chunk. What follows is no part."""
    for name, body, checksum in _chunks(content):
        # A small first letter: text, time and the like, without which the picture is the same.
        if name[:1].isupper() and zlib.crc32(body, zlib.crc32(name)) != checksum:
            return False
        if name == b"IEND":
            return True
    return False


def has_all_rows(content: bytes) -> bool:
    """Whether the compressed data grows to as many bytes as the header's size needs.

    Raises zlib.error where it cannot be unpacked, struct.error or LookupError where the header is none.
    """
    wanted = _bytes_of_rows(content)
    unpack, grown = zlib.decompressobj(), 0
    for name, body, _ in _chunks(content):
        packed: memoryview | bytes = body if name == b"IDAT" else b""
        while packed and grown < wanted and not unpack.eof:
            grown += len(unpack.decompress(packed, _PIECE_BYTES))
            packed = unpack.unconsumed_tail
    return grown >= wanted


def _bytes_of_rows(content: bytes) -> int:
    """Each row has a byte that names its filter, and its pixels, to whole bytes."""
    width, height, depth, colour, _, _, interlaced = _HEADER.unpack_from(content, len(_SIGNATURE) + 8)
    bits = depth * _CHANNELS[colour]
    sizes = [(-((left - width) // right), -((top - height) // down)) for left, top, right, down in _PASSES[interlaced]]
    return sum(rows * (1 + (columns * bits + 7) // 8) for columns, rows in sizes if columns > 0)


def _chunks(content: bytes) -> Iterator[tuple[bytes, memoryview, int]]:
    """(name, body, check sum as it is written) of each chunk that is there to its end."""
    view = memoryview(content)
    position = len(_SIGNATURE)
    while position + 12 <= len(content):
        length, name = _LENGTH_NAME.unpack_from(content, position)
        end = position + 8 + length
        if end + 4 > len(content):
            return
        yield name, view[position + 8 : end], _CHECKSUM.unpack_from(content, end)[0]
        position = end + 4
