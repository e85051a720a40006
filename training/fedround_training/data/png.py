"""Whether a PNG is whole, and how deep its colours are (PNG specification, chapters 5 and 11), without decoding it.

Called by `images`, because Pillow looks at neither: it decodes compressed data whose check sum is wrong, into a picture
of noise, and drops the lower half of 16-bit colours.
"""

import struct
import zlib
from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BIT_DEPTH = len(_SIGNATURE) + 16
_LENGTH_NAME = struct.Struct(">I4s")
_CHECKSUM = struct.Struct(">I")


def is_png(content: bytes) -> bool:
    return content.startswith(_SIGNATURE)


def is_deep(content: bytes) -> bool:
    """More than 8 bits a channel."""
    return content[_BIT_DEPTH : _BIT_DEPTH + 1] == b"\x10"


def is_whole(content: bytes) -> bool:
    """Whether every chunk that the picture needs has its check sum, up to the end chunk. What follows is no part."""
    for name, has_checksum in _chunks(content):
        # A small first letter: text, time and the like, without which the picture is the same.
        if not has_checksum and name[:1].isupper():
            return False
        if name == b"IEND":
            return True
    return False


def _chunks(content: bytes) -> Iterator[tuple[bytes, bool]]:
    """(name, whether its check sum is right) of each chunk that is there to its end."""
    view = memoryview(content)
    position = len(_SIGNATURE)
    while position + 12 <= len(content):
        length, name = _LENGTH_NAME.unpack_from(content, position)
        end = position + 8 + length
        if end + 4 > len(content):
            return
        yield name, zlib.crc32(view[position + 4 : end]) == _CHECKSUM.unpack_from(content, end)[0]
        position = end + 4
