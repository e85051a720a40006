"""An object store in memory, for tests of the hub's Jobs. It satisfies the same contract as the one over S3."""

from pathlib import Path

from fedround_training.errors import ObjectGone, StoreRefused
from fedround_training.store.files import Content, save_stream


class MemoryStore:
    """An ObjectStore; `objects` is what is stored, for tests to look at and to spoil, `refused` a key that it does not
    take."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.content_types: dict[str, str] = {}
        self.refused = ""

    def get(self, key: str, path: Path, limit_bytes: int) -> Content:
        if key not in self.objects:
            raise ObjectGone(f"there is no object {key}")
        return save_stream(path, [self.objects[key]], limit_bytes)

    def put(self, key: str, path: Path) -> None:
        self.objects[key] = path.read_bytes()

    def put_text(self, key: str, text: str, content_type: str = "application/json") -> None:
        if key == self.refused:
            raise StoreRefused(f"there is no room for {key}")
        self.objects[key] = text.encode()
        self.content_types[key] = content_type
