"""The bucket of a hub, for people: what the store refuses becomes a sentence that says where and what to do.

HubError                the store gives no answer, or refuses
  ObjectMissing         it has no such object
  ObjectDamaged         it gives other bytes than the hub's status names
"""

from dataclasses import dataclass
from pathlib import Path

from fedround_cli.connection import HubError
from fedround_training.errors import ObjectGone, StoreRefused, StoreUnavailable, TooLarge
from fedround_training.store.objects import ObjectStore


class ObjectMissing(HubError):
    """The store answers that there is no such object."""


class ObjectDamaged(HubError):
    """What it gives is not what was stored."""


@dataclass(frozen=True)
class HubStore:
    """`advice` says what to do where the store gives no answer."""

    objects: ObjectStore
    endpoint: str
    advice: str

    def get(self, key: str, path: Path, sha256: str, limit_bytes: int) -> None:
        """The object in `path`.

        Raises:
            ObjectMissing: there is none.
            ObjectDamaged: its bytes are not those with that digest.
            HubError: there is no answer, or a refusal.
        """
        try:
            found = self.objects.get(key, path, limit_bytes).digest
        except StoreUnavailable as error:
            raise HubError(self._silent()) from error
        except ObjectGone as error:
            raise ObjectMissing(f"the object store at {self.endpoint} does not give it: {error}") from error
        except StoreRefused as error:
            raise HubError(
                f"the object store at {self.endpoint} does not give it: {error}; its keys need the right to read the "
                "bucket and to list it, without which some stores refuse what is not there"
            ) from error
        except TooLarge as error:
            raise _damaged(key, str(error)) from error
        if found != sha256:
            raise _damaged(key, f"sha256 {found}, expected {sha256}")

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


def _damaged(key: str, how: str) -> ObjectDamaged:
    return ObjectDamaged(
        f"{key} in the object store is not what the hub's status names ({how}): it was changed, so do not rely on it"
    )
