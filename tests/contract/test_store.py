"""The store in memory, which stands for the real one in unit tests, keeps the contract of stores."""

import pytest

from contract.store_contract import StoreContract
from support.memory_store import MemoryStore


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()
