"""A good folder of four images, and bad images as clinics have them; `bad_tables` has bad tables and folders.

`GOOD_TABLE` names A (mel), B (nv), C (nv) and D (bcc), of four patients. It is B that is spoiled.
"""

import io
import os
import socket
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from fedround_api.dataproblems import QuarantineCause

GOOD_TABLE = (
    "image_id,dx,patient_id,visit_date\n"
    "A,mel,P1,2026-03-01\nB,nv,P2,2026-03-02\nC,nv,P3,2026-03-03\nD,bcc,P4,2026-03-03\n"
)
COLOURS = {"A": (90, 50, 45), "B": (200, 150, 130), "C": (210, 160, 140), "D": (190, 110, 120)}


def make_good_folder(folder: Path) -> Path:
    """Four small images and their table."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metadata.csv").write_text(GOOD_TABLE)
    for image_id, colour in COLOURS.items():
        Image.new("RGB", (48, 36), colour).save(folder / f"{image_id}.jpg", quality=90)
    return folder


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    """The image as a file's bytes."""
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


def photo(width: int = 120, height: int = 90, seed: int = 0) -> Image.Image:
    """Something with detail."""
    noise = np.random.default_rng(seed).normal(128, (30, 50, 70), (height, width, 3))
    return Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8))


def png_chunk(name: bytes, body: bytes) -> bytes:
    """One chunk of a PNG, its check sum right."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def with_chunk(png: bytes, chunk: bytes) -> bytes:
    """A PNG with one more chunk after its header."""
    header_end = 8 + 25
    return png[:header_end] + chunk + png[header_end:]


def with_segment(jpeg: bytes, marker: int, body: bytes) -> bytes:
    """A JPEG with one more segment at its beginning."""
    return jpeg[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def png_header(width: int, height: int, bits: int = 8, colour: int = 2) -> bytes:
    """A PNG of which only the header is there."""
    body = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", body)
        + png_chunk(b"IDAT", zlib.compress(b"\0"))
        + png_chunk(b"IEND", b"")
    )


def sixteen_bit_colour() -> bytes:
    """A whole PNG with 16 bits a channel, which Pillow itself cannot write."""
    rows = b"".join(b"\0" + bytes(range(48)) for _ in range(8))
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")


def broken_compression() -> bytes:
    """A PNG that a faulty program wrote: each chunk has its check sum, but the pixels cannot be unpacked."""
    whole = saved(photo(), "PNG")
    return whole[:33] + png_chunk(b"IDAT", b"nothing compressed") + png_chunk(b"IEND", b"")


def grey_png(width: int, height: int, missing_bytes: int = 0, interlaced: bool = False) -> bytes:
    """A PNG of one grey value. Where bytes of its rows are missing, its check sums are right all the same."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    rows = b"".join(
        b"\0" + b"\x80" * columns
        for left, top, right, down in (passes if interlaced else ((0, 0, 1, 1),))
        if (columns := len(range(left, width, right)))
        for _ in range(top, height, down)
    )
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, interlaced))
    pixels = png_chunk(b"IDAT", zlib.compress(rows[: len(rows) - missing_bytes]))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + png_chunk(b"IEND", b"")


def cut_out(jpeg: bytes, length: int = 500) -> bytes:
    """A JPEG that lacks some bytes in the middle of its compressed data."""
    middle = (jpeg.index(b"\xff\xda") + len(jpeg)) // 2
    return jpeg[:middle] + jpeg[middle + length :]


def overwritten(jpeg: bytes, wrong: bytes) -> bytes:
    """A JPEG with wrong bytes in the middle of its compressed data."""
    middle = (jpeg.index(b"\xff\xda") + len(jpeg)) // 2
    return jpeg[:middle] + wrong + jpeg[middle + len(wrong) :]


def with_many_scans(scans: int) -> bytes:
    """A progressive JPEG whose last scan is there again and again."""
    jpeg = saved(photo(), "JPEG", progressive=True)
    last = jpeg.rindex(b"\xff\xda")
    return jpeg[:-2] + jpeg[last:-2] * scans + jpeg[-2:]


def animated() -> bytes:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ((200, 0, 0), (0, 0, 200))]
    return saved(frames[0], "PNG", save_all=True, append_images=frames[1:])


JPEG, PNG = saved(photo(), "JPEG"), saved(photo(), "PNG")
PROGRESSIVE = saved(photo(), "JPEG", progressive=True)
TEXT_BOMB = with_chunk(PNG, png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200_000_000), level=1)))

#: The bytes of B.jpg, and the cause for which it is set aside.
BAD_IMAGES: dict[str, tuple[bytes, QuarantineCause]] = {
    "empty": (b"", QuarantineCause.EMPTY),
    "text": (b"this is no image", QuarantineCause.NOT_AN_IMAGE),
    "a web page instead of the image": (b"<html><body>403 Forbidden</body></html>", QuarantineCause.NOT_AN_IMAGE),
    "NUL bytes": (bytes(4096), QuarantineCause.NOT_AN_IMAGE),
    "a GIF named .jpg": (saved(photo(), "GIF"), QuarantineCause.NOT_AN_IMAGE),
    "a BMP named .jpg": (saved(photo(), "BMP"), QuarantineCause.NOT_AN_IMAGE),
    "a TIFF named .jpg": (saved(photo(), "TIFF"), QuarantineCause.NOT_AN_IMAGE),
    "a WebP named .jpg": (saved(photo(), "WEBP"), QuarantineCause.NOT_AN_IMAGE),
    "a DICOM named .jpg": (bytes(128) + b"DICM" + bytes(500), QuarantineCause.NOT_AN_IMAGE),
    "a PDF before a JPEG": (b"%PDF-1.7\n" + JPEG, QuarantineCause.NOT_AN_IMAGE),
    "a JPEG cut in half": (JPEG[: len(JPEG) // 2], QuarantineCause.DAMAGED),
    "a JPEG cut within its header": (JPEG[:40], QuarantineCause.DAMAGED),
    "a JPEG of its first bytes": (JPEG[:3], QuarantineCause.DAMAGED),
    "a JPEG of which half was never written": (
        JPEG[: len(JPEG) // 2] + bytes(len(JPEG) // 2),
        QuarantineCause.DAMAGED,
    ),
    "a JPEG without its end mark": (JPEG[:-2], QuarantineCause.DAMAGED),
    "a JPEG with bytes cut out": (cut_out(JPEG), QuarantineCause.DAMAGED),
    "a progressive JPEG with bytes cut out": (cut_out(PROGRESSIVE), QuarantineCause.DAMAGED),
    "a grey JPEG with bytes cut out": (cut_out(saved(photo().convert("L"), "JPEG")), QuarantineCause.DAMAGED),
    "a JPEG with restart marks and bytes cut out": (
        cut_out(saved(photo(), "JPEG", restart_marker_rows=1)),
        QuarantineCause.DAMAGED,
    ),
    "a JPEG with an empty sector": (overwritten(JPEG, bytes(512)), QuarantineCause.DAMAGED),
    "a JPEG with a sector of another file": (overwritten(JPEG, PNG[100:612]), QuarantineCause.DAMAGED),
    "a JPEG with a sector of an erased chip": (overwritten(JPEG, b"\xff" * 512), QuarantineCause.DAMAGED),
    "a JPEG of whose second half only the end mark is there": (
        JPEG[: len(JPEG) // 2] + JPEG[-2:],
        QuarantineCause.DAMAGED,
    ),
    "a JPEG with bytes that belong to nothing": (JPEG[:-2] + b"Jane Doe" + JPEG[-2:], QuarantineCause.DAMAGED),
    "a progressive JPEG that was ended before its last scan": (
        PROGRESSIVE[: PROGRESSIVE.rindex(b"\xff\xda")] + PROGRESSIVE[-2:],
        QuarantineCause.DAMAGED,
    ),
    "a PNG without its last rows": (grey_png(40, 30, missing_bytes=5 * 41), QuarantineCause.DAMAGED),
    "an interlaced PNG without its last rows": (grey_png(40, 30, 5 * 41, interlaced=True), QuarantineCause.DAMAGED),
    "a PNG cut in half": (PNG[: len(PNG) // 2], QuarantineCause.DAMAGED),
    "a PNG of its signature": (PNG[:8], QuarantineCause.DAMAGED),
    "a PNG with a wrong check sum": (PNG[:29] + b"xxxx" + PNG[33:], QuarantineCause.DAMAGED),
    "a PNG with a wrong check sum of its pixels": (PNG[:-16] + b"xxxx" + PNG[-12:], QuarantineCause.DAMAGED),
    "a PNG with broken compression": (PNG[:60] + bytes(200) + PNG[260:], QuarantineCause.DAMAGED),
    "a PNG with broken compression and right check sums": (broken_compression(), QuarantineCause.DAMAGED),
    "a PNG without its end": (PNG[:-12], QuarantineCause.DAMAGED),
    "a PNG without pixels": (png_header(0, 9), QuarantineCause.DAMAGED),
    "a PNG whose comment grows to 200 MB": (TEXT_BOMB, QuarantineCause.DAMAGED),
    "a CMYK JPEG": (saved(photo().convert("CMYK"), "JPEG"), QuarantineCause.CMYK),
    "a 16-bit grey PNG": (saved(Image.new("I;16", (8, 8)), "PNG"), QuarantineCause.DEEP),
    "a 16-bit colour PNG": (sixteen_bit_colour(), QuarantineCause.DEEP),
    "a 12-bit JPEG": (JPEG.replace(b"\xff\xc0\x00\x11\x08", b"\xff\xc0\x00\x11\x0c"), QuarantineCause.DEEP),
    "an animated PNG": (animated(), QuarantineCause.ANIMATED),
    "65 megapixels": (saved(Image.new("1", (8001, 8125)), "PNG", compress_level=1), QuarantineCause.TOO_LARGE),
    "a header of 4 gigapixels": (png_header(65_535, 65_535), QuarantineCause.TOO_LARGE),
    "a header of 10 by 400 million": (png_header(10, 400_000_000), QuarantineCause.TOO_LARGE),
    "a JPEG of 200 scans": (with_many_scans(200), QuarantineCause.TOO_MANY_SCANS),
}


def _replace(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def build(folder: Path) -> None:
        (folder / "B.jpg").unlink()
        make(folder / "B.jpg")

    return build


def _socket(path: Path) -> None:
    # The address of a socket is at most 107 bytes long, a test's folder may be longer.
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(before)


def _large(path: Path) -> None:
    with path.open("wb") as file:
        file.write(JPEG)
        file.truncate(200 * 2**20)


#: Things that are named B.jpg and are no file with bytes.
BAD_OBJECTS: dict[str, tuple[Callable[[Path], None], QuarantineCause]] = {
    "a link that leads nowhere": (_replace(lambda path: path.symlink_to("gone.jpg")), QuarantineCause.MISSING),
    "a link to itself": (_replace(lambda path: path.symlink_to(path)), QuarantineCause.NOT_READ),
    "a link to an endless device": (_replace(lambda path: path.symlink_to("/dev/zero")), QuarantineCause.NOT_A_FILE),
    "a pipe that nobody writes to": (_replace(os.mkfifo), QuarantineCause.NOT_A_FILE),
    "a socket": (_replace(_socket), QuarantineCause.NOT_READ),
    "a file of 200 MiB": (_replace(_large), QuarantineCause.TOO_MANY_BYTES),
}
