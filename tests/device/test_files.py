"""The checks of store, counter, outbox and config, on CPython and inside MicroPython."""

import pytest

from tests.device import checks, outbox_checks, outbox_mode_checks
from tests.interpreters import run_micropython

MODULES = [checks, outbox_checks, outbox_mode_checks]
CHECKS = [(module, name) for module in MODULES for name in checks.names_in(vars(module))]


@pytest.mark.parametrize(("module", "name"), CHECKS, ids=[name for _, name in CHECKS])
def test_it_holds_on_cpython(module, name, tmp_path):
    try:
        getattr(module, name)(str(tmp_path))
    finally:
        while outbox_checks.OPENED:
            outbox_checks.OPENED.pop().close()


@pytest.mark.parametrize("module", MODULES, ids=["files", "outbox", "modes"])
def test_every_check_holds_inside_micropython(module, tmp_path):
    run = run_micropython([module.__file__, str(tmp_path)], tmp_path)

    print(run.stdout)
    assert run.returncode == 0, run.stdout
    assert f"{len(checks.names_in(vars(module)))} checks hold" in run.stdout
