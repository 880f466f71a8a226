"""Fixtures that every device test may ask for."""

import pytest

from tests.device import board, signed
from tests.interpreters import with_public_names
from tools import firmware
from tools.board import program


@pytest.fixture(autouse=True)
def closed_outboxes(tmp_path):  # closed before their folder goes
    yield
    while board.OPENED:
        board.OPENED.pop().close()


@pytest.fixture(scope="session")
def table():
    """The file p256.tab, which a board that signs has in its flash."""
    return firmware.table(firmware.cache())


@pytest.fixture
def signing_folder(tmp_path, table):
    """A state folder whose board has the table in its flash."""
    (tmp_path / "outbox").mkdir()
    (tmp_path / "p256.tab").write_bytes(table.read_bytes())
    yield tmp_path
    while signed.OPENED:
        signed.OPENED.pop().close()


@pytest.fixture(scope="session")
def compiled():
    """A folder with the packages as .mpy, which is what a board runs."""
    return firmware.compiled(firmware.cache(), program.needed("linux"))


@pytest.fixture(scope="session")
def compiled_with_names():
    """The same with the public names it has here, for scripts that measure parts of it."""
    return with_public_names()
