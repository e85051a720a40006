"""When each image of a clinic was first seen, on the clinic's own volume: the date of a case where a table has none.

Called by `train` before it selects recent cases. One writer: one train Job runs at a time. A corrupt index is an
error and is never begun anew: with new dates every old case would be recent again, and be charged to the wrong month.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from fedround_training.data.durable import save_durably
from fedround_training.data.errors import IndexCorrupt

_FORMAT = 1


class FirstSeenIndex:
    """The instants by image id. A missing file is an empty index. Raises IndexCorrupt for a file of another kind."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._observed: datetime | None = None
        self._seen: dict[str, datetime] = {}
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise IndexCorrupt(path, f"{error.strerror}") from error
        try:
            self._parse(json.loads(content))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise IndexCorrupt(path, f"{type(error).__name__} while reading {len(content)} bytes") from error

    @property
    def seen(self) -> Mapping[str, datetime]:
        return dict(self._seen)

    def observe(self, image_ids: Iterable[str], at: datetime) -> None:
        """Record ids that are not yet known as first seen at `at`, and save.

        An observation no later than the last one changes nothing, so a Job that is repeated for a round sees the same
        cases even if files have come since; they are recorded by the next round.
        """
        if self._observed is not None and at <= self._observed:
            return
        self._seen |= {image_id: at.astimezone(UTC) for image_id in image_ids if image_id not in self._seen}
        self._observed = at.astimezone(UTC)
        content = {
            "format": _FORMAT,
            "observed": self._observed.isoformat(),
            "firstSeen": {image_id: self._seen[image_id].isoformat() for image_id in sorted(self._seen)},
        }
        save_durably(self._path, (json.dumps(content, indent=1) + "\n").encode())

    def _parse(self, content: dict[str, object]) -> None:
        observed, seen = content["observed"], content["firstSeen"]
        if content["format"] != _FORMAT or not isinstance(observed, str) or not isinstance(seen, dict):
            raise ValueError("not an index of this format")
        self._observed = _instant(observed)
        self._seen = {image_id: _instant(at) for image_id, at in seen.items()}


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant without a zone")
    return instant
