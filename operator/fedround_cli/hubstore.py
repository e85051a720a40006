"""The bucket of a hub, for people: what the store refuses becomes a sentence that says where and what to do.

HubError                the store gives no answer, or other bytes than were asked for
  ObjectMissing         it does not give this object
"""

from dataclasses import dataclass
from pathlib import Path

from fedround_cli.connection import HubError
from fedround_training.errors import StoreRefused, StoreUnavailable, TooLarge
from fedround_training.store.objects import ObjectStore


class ObjectMissing(HubError):
    """The store answers, and does not give this object."""


@dataclass(frozen=True)
class HubStore:
    """`advice` says what to do where the store gives no answer."""

    objects: ObjectStore
    endpoint: str
    advice: str

    def get(self, key: str, path: Path, sha256: str, limit_bytes: int) -> None:
        """The object in `path`.

        Raises:
            ObjectMissing: it is not given.
            HubError: there is no answer, or its bytes are not those with that digest.
        """
        try:
            found = self.objects.get(key, path, limit_bytes).digest
        except StoreUnavailable as error:
            raise HubError(self._silent()) from error
        except (StoreRefused, TooLarge) as error:
            raise ObjectMissing(f"the object store at {self.endpoint} does not give it: {error}") from error
        if found != sha256:
            raise HubError(
                f"{key} in the object store is not what the hub's status names (sha256 {found}, expected {sha256}): it "
                "was changed, so do not rely on it"
            )

    def put(self, key: str, path: Path) -> None:
        """The file as an object. Raises HubError where it is not taken."""
        try:
            self.objects.put(key, path)
        except StoreUnavailable as error:
            raise HubError(self._silent()) from error
        except StoreRefused as error:
            raise HubError(f"the object store at {self.endpoint} does not take it: {error}") from error

    def _silent(self) -> str:
        return f"the object store at {self.endpoint} does not answer: {self.advice}"
