"""What a JPEG says of itself in its markers (ITU-T T.81, annex B), read without decoding.

Called by `images` and `strict_jpeg`, for what decoders do not ask: whether there is an end, how many scans there are
and whether they are all, and why a file with a JPEG's first bytes is none that Pillow knows.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

_BEGIN = b"\xff\xd8\xff"
_END, _SCAN = 0xD9, 0xDA
#: Start-of-frame markers; C4, C8 and CC are other things.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JFIF, _ADOBE, _COMMENT = 0xE0, 0xEE, 0xFE
#: EXIF, profiles, comments and the like. JFIF's and Adobe's say how the colours are stored.
_METADATA = frozenset(range(0xE0, 0xF0)) - {_JFIF, _ADOBE} | {_COMMENT}
_COEFFICIENTS = range(64)

# In compressed data an FF is followed by 00 or a restart marker; anything else is the next segment.
_NEXT = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


class _Segment(NamedTuple):
    """Where its marker and its body begin, and what lies behind it."""

    marker: int
    begin: int
    body: int
    end: int


def is_jpeg(content: bytes) -> bool:
    return content.startswith(_BEGIN)


def is_whole(content: bytes) -> bool:
    """Whether the picture has its end mark. One whose last part was never written, only reserved, decodes without."""
    return content.endswith(bytes((0xFF, _END))) or any(segment.marker == _END for segment in _segments(content))


def scans(content: bytes) -> int:
    """How often a decoder has to go over the picture. One for a plain photo, about ten for a progressive one."""
    return sum(segment.marker == _SCAN for segment in _segments(content))


def has_all_scans(content: bytes) -> bool:
    """Whether the scans bring every coefficient of every channel to its last bit; without one, a decoder guesses."""
    missing_bits: defaultdict[int, list[int]] = defaultdict(lambda: [8 for _ in _COEFFICIENTS])
    channels = 0
    for segment in _segments(content):
        body = content[segment.body : segment.end]
        if segment.marker in _FRAMES and len(body) > 5:
            channels = body[5]
        elif segment.marker == _SCAN and len(body) == 4 + 2 * body[0]:
            first, last, bits = body[-3:]
            for channel in body[1:-3:2]:
                missing_bits[channel][first : last + 1] = [bits & 0x0F] * len(_COEFFICIENTS[first : last + 1])
    return len(missing_bits) == channels and not any(map(any, missing_bits.values()))


def is_deep(content: bytes) -> bool:
    """Whether a frame has more than 8 bits a sample."""
    return any(segment.marker in _FRAMES and content[segment.body] > 8 for segment in _segments(content))


def tidied(content: bytes) -> bytes:
    """The same compressed picture without the faults that do it no harm and that cameras and programs leave.

    These are bytes between segments, zeros before a marker, a version of JFIF that there is not, broken metadata.
    """
    kept = [content[:2]]
    for segment, following in pairwise(_segments(content)):
        if segment.marker not in _METADATA:
            kept.append(_known_version(content[segment.begin : segment.end]))
        if segment.marker == _SCAN:
            kept.append(_without_padding(content[segment.end : following.begin]))
    return b"".join((*kept, bytes((0xFF, _END))))


def _known_version(segment: bytes) -> bytes:
    return segment[:9] + b"\1\1" + segment[11:] if segment[1] == _JFIF and segment[4:9] == b"JFIF\0" else segment


def _without_padding(compressed: bytes) -> bytes:
    short = compressed.rstrip(b"\0")
    # The zero behind an FF belongs to it.
    return short + b"\0" if short.endswith(b"\xff") and short != compressed else short


def _segments(content: bytes) -> Iterator[_Segment]:
    """The segments up to the end of the first picture; what follows that is no part of it."""
    position = 2
    while found := _NEXT.search(content, position):
        begin, at = found.span()
        marker = content[begin + 1]
        if marker == _END:
            yield _Segment(marker, begin, at, at)
            return
        # A segment tells its own length; a body may hold anything, even another JPEG.
        position = at + int.from_bytes(content[at : at + 2], "big")
        yield _Segment(marker, begin, at + 2, position)
