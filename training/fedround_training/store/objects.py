"""What the hub's Jobs need of an object store. The adapter is `minio_store`; tests keep objects in memory.

Objects are read into files and checked there: nothing of unknown size is held in memory.
"""

from pathlib import Path
from typing import Protocol

from fedround_training.store.files import Content


class ObjectStore(Protocol):
    """One bucket. Every method raises StoreUnavailable (no answer) or StoreRefused (ObjectGone for a missing one)."""

    def get(self, key: str, path: Path, limit_bytes: int) -> Content:
        """The object in `path`. Raises TooLarge where the object is longer than the limit."""
        ...

    def put(self, key: str, path: Path) -> None:
        """The file as an object, in place of an older one."""
        ...

    def put_text(self, key: str, text: str, content_type: str = "application/json") -> None:
        """A document as an object."""
        ...
