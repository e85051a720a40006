"""The fake API keeps the law that the real one keeps."""

import pytest

from contract.api_contract import ApiContract
from support.fake_api import FakeApi


class TestFakeApi(ApiContract):
    @pytest.fixture
    def api(self) -> FakeApi:
        return FakeApi()

    @pytest.fixture
    def namespace(self) -> str:
        return "clinic-north"
