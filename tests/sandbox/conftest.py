"""The town that asks LivePerson."""

from collections.abc import Iterator

import pytest

from tests.sandbox.connector import Town, served


@pytest.fixture
def town() -> Iterator[Town]:
    with served(Town()) as here:
        yield here
