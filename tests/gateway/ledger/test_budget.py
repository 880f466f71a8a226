"""How the bytes that a ledger may take are divided between its file and its log."""

import pytest

from gateway.errors import ConfigError
from gateway.ledger import budget
from gateway.store import PAGE_BYTES

FRAME = PAGE_BYTES + 24


@pytest.mark.parametrize("max_batch", [1, 64, 320, 1024, 4096])
@pytest.mark.parametrize("max_bytes", [1 << 28, 10**9, 1 << 40])
def test_file_log_and_the_largest_transaction_stay_within(max_bytes, max_batch):
    divided = budget.divided(max_bytes, max_batch)

    file_bytes = divided.file_pages * PAGE_BYTES
    largest = max(2 * max_batch + 64, 640) * FRAME
    assert file_bytes + divided.log_bytes + largest < max_bytes
    assert divided.target_bytes < divided.soft_bytes < file_bytes
    assert divided.soft_bytes == int(file_bytes * 0.9)


def test_most_is_left_for_the_file():
    divided = budget.divided(10**9, 1024)

    assert divided.file_pages * PAGE_BYTES > 0.98 * 10**9


def test_too_little_is_refused_with_what_would_do():
    with pytest.raises(ConfigError) as refused:
        budget.divided(10**6, 64)

    enough = int(refused.value.fix.split()[1])
    assert budget.divided(enough, 64).file_pages > 0
    with pytest.raises(ConfigError):
        budget.divided(enough - 1, 64)
