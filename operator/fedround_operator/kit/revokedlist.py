"""The gateway's list of revoked certificates as text. Pure.

Caddy imports it into a `map`: lines `<sha256 of the certificate in lower-case hex> yes`. A line that it cannot read
would make it keep its old list, so nothing but such lines is ever written. The hub keeps the text in a ConfigMap.
"""

import re
from collections.abc import Iterable

CONFIG_MAP = "fedround-revoked"
KEY = "revoked.list"
_LINE = re.compile(r"^([0-9a-f]{64}) yes$", re.MULTILINE)
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def revoked_text(fingerprints: Iterable[str]) -> str:
    """The list of these certificates.

    Raises:
        ValueError: one of them is no fingerprint.
    """
    wanted = sorted(set(fingerprints))
    for one in wanted:
        if not _FINGERPRINT.fullmatch(one):
            raise ValueError(f"not a SHA-256 fingerprint in lower-case hex: {one!r}")
    return "".join(["# <sha256 of the certificate> yes\n", *(f"{one} yes\n" for one in wanted)])


def revoked_in(text: str) -> frozenset[str]:
    """The fingerprints in a list."""
    return frozenset(_LINE.findall(text))
