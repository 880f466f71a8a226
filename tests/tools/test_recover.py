"""`tallystick recover` where it cannot begin, or go on: what it says."""

import pytest
from typer.testing import CliRunner

from gateway.errors import ConfigError
from tests.fakes import ORIGIN
from tests.tools.program import app

NEW = "test.invalid/ledger-2"


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture
def garden(tmp_path):
    path = tmp_path / "garden"
    assert run("init", path, "--name", ORIGIN).exit_code == 0
    return path


def test_where_there_is_no_gateway_it_says_so_and_leaves_nothing(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()

    for path in (empty, tmp_path / "nowhere"):
        assert isinstance(run("recover", path, "--new-origin", NEW).exception, ConfigError)

    assert list(tmp_path.iterdir()) == [empty]
    assert not list(empty.iterdir())


BLOCKED = {
    "a file for the folder that is begun": lambda d: (d / "recover.part").write_text(""),
    "a folder that cannot be made": lambda d: (d / "recover.part").symlink_to(d / "no" / "where"),
    "a file for the folder that is ended": lambda d: (d / "recover.next").write_text(""),
}


@pytest.mark.parametrize("block", BLOCKED.values(), ids=BLOCKED)
def test_what_cannot_be_written_is_said_with_what_to_do(garden, block):
    block(garden)

    refusal = run("recover", garden, "--new-origin", NEW, "--although-sound").exception

    assert isinstance(refusal, ConfigError)
    assert "recover." in str(refusal)
    assert f"see that {garden} can be written" in refusal.fix
