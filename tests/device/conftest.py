"""Fixtures that every device test may ask for."""

import pytest

from tests.interpreters import compile_device


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """A folder with the packages as .mpy, which is what a board runs."""
    folder = tmp_path_factory.mktemp("mpy")
    compile_device(folder)
    return folder
