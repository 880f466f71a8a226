"""Asking a running gateway how it is: `/stats` and `/healthz`."""

from typing import Any

import httpx2 as httpx

_TIMEOUT_S = 10


class NoAnswerError(Exception):
    """The message says why."""


def ask(url: str, path: str, token: str = "") -> tuple[int, Any]:
    """Status and JSON. NoAnswerError where nobody answers, or not in JSON."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        response = httpx.get(url.rstrip("/") + path, headers=headers, timeout=_TIMEOUT_S)
        return response.status_code, response.json()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NoAnswerError(f"{url} does not answer: {error}") from error
    except ValueError as error:
        raise NoAnswerError(f"{url} is no gateway: its answer is no JSON") from error
