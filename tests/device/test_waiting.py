"""How a board waits, in the asyncio of the firmware; checks.py says how."""

from pathlib import Path

from tests.interpreters import run_micropython

CHECKS = Path(__file__).with_name("waiting_checks.py")


def test_every_check_holds_inside_micropython(tmp_path):
    run = run_micropython([str(CHECKS), str(tmp_path)], tmp_path)

    print(run.stdout)
    assert run.returncode == 0
    assert "5 checks hold" in run.stdout
