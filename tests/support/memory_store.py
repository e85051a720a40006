"""An object store in memory, for tests of the hub's Jobs. It satisfies the same contract as the one over S3."""

from pathlib import Path

from fedround_training.errors import StoreRefused
from fedround_training.store.files import Content, save_stream


class MemoryStore:
    """An ObjectStore; `objects` is what is stored, for tests to look at and to spoil."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def get(self, key: str, path: Path, limit_bytes: int) -> Content:
        if key not in self.objects:
            raise StoreRefused(f"there is no object {key}")
        return save_stream(path, [self.objects[key]], limit_bytes)

    def put(self, key: str, path: Path) -> None:
        self.objects[key] = path.read_bytes()

    def put_text(self, key: str, text: str) -> None:
        self.objects[key] = text.encode()
