"""The small profile MACs only: a device that is to sign is refused, and never MACs instead."""

import pytest

from tests.device.test_end_to_end import command_of, run_device, write_config


@pytest.mark.integration
@pytest.mark.parametrize("fields", [{"profile": "sig"}, {"key": "11" * 32}, {"profile": "rot13"}])
def test_a_small_device_that_is_to_sign_is_refused(tmp_path, fields):
    write_config(tmp_path, 5683, small=True, **fields)

    code, events, output = run_device(command_of("micropython"), tmp_path, 1)

    assert code == 2, output
    assert '"profile": "mac" only' in str(events[0]["reason"])
    assert "11" * 32 not in output
