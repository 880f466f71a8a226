"""What `backup` and `restore` say of a ledger that is not what was committed."""

import subprocess
import sys

import pytest

from tests.gateway.ledger_files import make


def tallystick(*arguments) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def made(tmp_path):
    return make(tmp_path / "garden", size=20)


DAMAGE = {
    "UPDATE bodies SET body = x'00' WHERE idx = 7": "entry 7: the body is not the one in the leaf",
    "DELETE FROM entries WHERE idx >= 15": "15 entries, but its checkpoint of 20",
}


@pytest.mark.parametrize("sql", DAMAGE)
def test_damage_that_a_backup_finds_is_exit_1_with_what_to_do(made, tmp_path, sql):
    made.execute(sql)

    outcome = tallystick("backup", made.directory.path, tmp_path / "saved")

    assert outcome.returncode == 1
    assert DAMAGE[sql] in outcome.stderr
    assert "\n  fix: " in outcome.stderr
    assert not (tmp_path / "saved").exists()


def test_a_backup_that_is_damaged_is_exit_1_when_it_is_put_back(made, tmp_path):
    saved, note = tmp_path / "saved", tmp_path / "newest"
    note.write_text(made.note)
    tallystick("backup", made.directory.path, saved, "--with-key")
    made._replace(directory=made.directory._replace(path=saved)).execute(
        "UPDATE bodies SET body = x'00' WHERE idx = 7"
    )

    outcome = tallystick("restore", saved, tmp_path / "again", "--checkpoint", note)

    assert outcome.returncode == 1
    assert "the backup is damaged: entry 7" in outcome.stderr


def test_a_directory_that_is_there_already_is_wrong_use(made):
    outcome = tallystick("backup", made.directory.path, made.directory.path)

    assert outcome.returncode == 2
