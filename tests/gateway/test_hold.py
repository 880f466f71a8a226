import os

import pytest

from gateway.errors import HeldError
from gateway.hold import Hold, holder


def test_the_second_holder_is_told_who_has_it_and_what_to_do(tmp_path):
    with (
        Hold(tmp_path, "gateway garden"),
        pytest.raises(HeldError) as refusal,
        Hold(tmp_path, "another"),
    ):
        pass

    assert f"process {os.getpid()} (gateway garden)" in str(refusal.value)
    assert refusal.value.fix == f"stop it first: kill {os.getpid()}"


def test_a_hold_ends_with_its_block_and_leaves_the_file(tmp_path):
    with Hold(tmp_path, "one"):
        pass

    with Hold(tmp_path, "two"):
        assert b"two" in (tmp_path / "lock").read_bytes()


def test_a_refused_second_holder_leaves_the_first_its_hold(tmp_path):
    with Hold(tmp_path, "one"):
        for _ in range(2):
            with pytest.raises(HeldError, match="one"), Hold(tmp_path, "two"):
                pass


@pytest.mark.parametrize("text", ["", "garbage", "[]", "{}", '{"pid": 1}', "\udcff"])
def test_a_lock_file_that_says_nothing_is_still_a_lock(tmp_path, text):
    with Hold(tmp_path, "one"):
        (tmp_path / "lock").write_bytes(text.encode(errors="surrogateescape"))

        with pytest.raises(HeldError, match="held by another process"), Hold(tmp_path, "two"):
            pass


def test_what_a_dead_holder_wrote_does_not_hold(tmp_path):
    (tmp_path / "lock").write_text('{"pid": 1, "what": "an older and much longer name"}')

    with Hold(tmp_path, "new"):
        assert (tmp_path / "lock").read_text().endswith('"what": "new"}')


def test_leaving_a_hold_that_was_never_entered_is_harmless(tmp_path):
    Hold(tmp_path, "one").__exit__(None, None, None)


def test_who_has_a_directory_can_be_asked_without_holding_it(tmp_path):
    before = holder(tmp_path)
    with Hold(tmp_path, "gateway example.org/garden"):
        held = holder(tmp_path)
        (tmp_path / "lock").write_text("damaged")
        damaged = holder(tmp_path)

    assert held == f"process {os.getpid()} (gateway example.org/garden)"
    assert damaged == "another process"
    assert (before, holder(tmp_path)) == (None, None)
