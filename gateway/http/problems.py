"""Errors over HTTP: `application/problem+json` (RFC 9457), codes from the one table."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.errors import ANSWERS, GatewayError, IntegrityError, OutOfOrderError
from protocol.errors import ProtocolError

RETRY_AFTER_S = 5


def problem(status: int, reason: str, detail: str, **more: object) -> Response:
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status in (429, 503, 507) else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(
        {"type": f"urn:tallystick:{reason}", "title": reason, "status": status, "detail": detail}
        | more,
        status_code=status,
        headers=headers,
        media_type="application/problem+json",
    )


async def on_refusal(request: Request, error: Exception) -> Response:
    """Handler for GatewayError and ProtocolError."""
    assert isinstance(error, (GatewayError, ProtocolError))  # noqa: S101  # registered for these
    more: dict[str, object] = {}
    if isinstance(error, OutOfOrderError):
        more["next_index"] = error.next_index
    if isinstance(error, IntegrityError):
        more["index"] = error.index
    response = problem(ANSWERS[error.reason].http, error.reason, str(error), **more)
    if isinstance(error, GatewayError) and error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


async def on_http_error(request: Request, error: Exception) -> Response:
    """Starlette's own refusals: an unknown path, a wrong method."""
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for this
    reason = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "refused")
    response = problem(error.status_code, reason, error.detail)
    response.headers.update(error.headers or {})  # Allow, on a 405 (RFC 9110 §15.5.6)
    return response
