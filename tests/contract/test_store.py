"""The store in memory, which stands for the real one in unit tests, keeps the contract of stores."""

import pytest
from support.memory_store import MemoryStore

from contract.store_contract import StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()
