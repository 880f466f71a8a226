"""Errors as problems: what a client is told beside the code."""

import pytest

from gateway.errors import ConflictError, StoreFullError
from gateway.http.problems import RETRY_AFTER_S, on_refusal


def full(retry_after_s):
    error = StoreFullError("no space left")
    error.retry_after_s = retry_after_s
    return error


@pytest.mark.parametrize(
    ("error", "status", "wait"),
    [
        (full(None), 507, str(RETRY_AFTER_S)),
        (full(34), 507, "34"),
        (ConflictError("taken"), 409, None),
    ],
)
async def test_a_refusal_that_will_pass_says_for_how_long(error, status, wait):
    response = await on_refusal(None, error)

    assert (response.status_code, response.headers.get("Retry-After")) == (status, wait)
