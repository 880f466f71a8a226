"""How long whoever was refused is told to wait: Max-Age of the answer (RFC 7252 §5.9.3.4)."""

RETRY_S = 5  # where nobody knows for how long: a full queue drains in less


def retry_s(at_least_s: int, jitter: float) -> int:
    """Up to half more, so that not all who were refused come back at once; `jitter` is below 1."""
    return at_least_s + int(at_least_s * jitter / 2)
