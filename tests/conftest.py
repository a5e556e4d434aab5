"""What tests share: a database of each kind, the doors in one process, a town of real ones."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr import log
from ivr.flow.load import load_directory
from ivr.flow.model import Flow
from ivr.sandbox.town import ROOT, Town, town
from tests.databases import KINDS, new_database, sqlalchemy_url
from tests.doors import Doors, opened_doors

FLOWS = ROOT / "flows"


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind, as SQLAlchemy names it."""
    with new_database(request.param, tmp_path) as url:
        yield sqlalchemy_url(url)


@pytest.fixture(scope="module", params=KINDS)
def shared_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One of each kind for a module of many short tests, which empties it before each of them."""
    with new_database(request.param, tmp_path_factory.mktemp("database")) as url:
        yield sqlalchemy_url(url)


@pytest.fixture
def doors(database_url: str) -> Iterator[Doors]:
    """The application in this process, its network and its clock in the test's hands."""
    with opened_doors(database_url, load_directory(FLOWS).flows) as here:
        yield here


@pytest.fixture(scope="session", params=KINDS)
def here(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town on each kind of database: the server is a process of its own, everything goes over HTTP."""
    directory = tmp_path_factory.mktemp("town")
    with (
        new_database(request.param, directory) as url,
        town(FLOWS, url, directory / "server.log") as built,
    ):
        built.database_url = sqlalchemy_url(url)  # as tests read it
        yield built


@pytest.fixture(scope="session")
def acme() -> Flow:
    return load_directory(FLOWS).flows["acme"]


@pytest.fixture(autouse=True)
def logged() -> io.StringIO:
    """What this process logs."""
    stream = io.StringIO()
    log.start("debug", stream)
    return stream
