"""The checks of the `sensors` of config.json, on CPython and inside MicroPython."""

import pytest

from tests.device import sensor_config_checks as checks
from tests.interpreters import run_micropython


@pytest.mark.parametrize("name", checks.checks())
def test_it_holds_on_cpython(name, tmp_path):
    try:
        getattr(checks, name)(str(tmp_path))
    finally:
        checks.forget(str(tmp_path))


def test_every_check_holds_inside_micropython(tmp_path):
    run = run_micropython(["-m", "tests.device.sensor_config_checks", str(tmp_path)], tmp_path)

    print(run.stdout)
    assert run.returncode == 0, run.stdout
    assert f"{len(checks.checks())} checks hold" in run.stdout
