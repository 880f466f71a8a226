import pytest

from gateway.errors import StoreFailedError
from gateway.store.number_file import NumberFile
from tests.protocol import strategies


def test_what_was_reserved_is_read_again(tmp_path):
    for number in (0, 1, 4096, (1 << 40) - 1):
        NumberFile(tmp_path / "numbers").reserve(number)

        assert NumberFile(tmp_path / "numbers").read() == number


def test_no_file_says_nothing(tmp_path):
    assert NumberFile(tmp_path / "numbers").read() is None


def test_every_prefix_and_every_changed_byte_says_nothing(tmp_path):
    path = tmp_path / "numbers"
    NumberFile(path).reserve(81920)
    whole = path.read_bytes()
    damaged = [*strategies.prefixes(whole), *strategies.changed_bytes(whole), whole + b"\n"]

    for data in [*damaged, b"9" * 5000, b"-1 00000000\n"]:
        path.write_bytes(data)

        assert NumberFile(path).read() is None


def test_a_file_that_cannot_be_written_is_an_error_of_the_store(tmp_path):
    with pytest.raises(StoreFailedError):
        NumberFile(tmp_path / "missing" / "numbers").reserve(1)
