"""What a JPEG says of itself in its markers (ITU-T T.81, annex B), read without decoding.

Called by `images`, for what Pillow does not ask: whether there is an end, how many scans there are, and why a file with
a JPEG's first bytes is none that Pillow knows.
"""

import re
from collections.abc import Iterator

_BEGIN = b"\xff\xd8\xff"
_END, _SCAN = 0xD9, 0xDA
#: Start-of-frame markers; C4, C8 and CC are other things.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

# In compressed data an FF is followed by 00 or a restart marker; anything else is the next segment.
_NEXT = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def is_jpeg(content: bytes) -> bool:
    return content.startswith(_BEGIN)


def is_whole(content: bytes) -> bool:
    """Whether the picture has its end mark. One whose last part was never written, only reserved, decodes without."""
    return content.endswith(bytes((0xFF, _END))) or any(marker == _END for marker, _ in _segments(content))


def scans(content: bytes) -> int:
    """How often a decoder has to go over the picture. One for a plain photo, about ten for a progressive one."""
    return sum(marker == _SCAN for marker, _ in _segments(content))


def is_deep(content: bytes) -> bool:
    """Whether a frame has more than 8 bits a sample."""
    return any(marker in _FRAMES and body[:1] > b"\x08" for marker, body in _segments(content))


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """(marker, first bytes of its body) up to the end of the first picture; what follows that is no part of it."""
    position = 2
    while found := _NEXT.search(content, position):
        marker, at = content[found.start() + 1], found.end()
        yield marker, content[at + 2 : at + 18]
        if marker == _END:
            return
        # A segment tells its own length; a body may hold anything, even another JPEG.
        position = at + int.from_bytes(content[at : at + 2], "big")
