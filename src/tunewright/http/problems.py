"""Errors as they travel: problem details (RFC 9457) on /api, OpenAI's shape on /v1."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tunewright.errors import BadInput, Denied, NotFound, Refused, TunewrightError

Shape = Callable[[TunewrightError], Response]


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    hint: str
    """What to type or change next."""


class Elsewhere(TunewrightError):
    """What has to do with HTTP alone: no such path, wrong method, too large."""

    def __init__(self, status: int, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message, hint=hint)
        self.answered = status
        self.code = code or ("not_found" if status == 404 else "invalid_request")


class Busy(TunewrightError):
    """More people wait for the model than it may keep waiting."""

    def __init__(self, message: str, *, hint: str = "", seconds: int = 1) -> None:
        super().__init__(message, hint=hint)
        self.seconds = seconds


def problem(error: TunewrightError) -> Response:
    """An error as problem details."""
    kind = type(error).__name__
    status = error.answered if isinstance(error, Elsewhere) else error.status
    title = HTTPStatus(status).phrase if isinstance(error, Elsewhere) else _title(error)
    body = Problem(
        type="about:blank" if isinstance(error, Elsewhere) else f"urn:tunewright:error:{kind}",
        title=title,
        status=status,
        detail=str(error),
        hint=error.hint,
    )
    return JSONResponse(
        body.model_dump(), status, headers=_headers(error), media_type="application/problem+json"
    )


def openai_error(error: TunewrightError) -> Response:
    """An error as OpenAI's clients expect it."""
    status, kind, code = _openai(error)
    text = f"{error} ({error.hint})" if error.hint else str(error)
    param = error.param if isinstance(error, Unsupported) else None
    body = {"error": {"message": text, "type": kind, "param": param, "code": code}}
    return JSONResponse(body, status, headers=_headers(error))


class Unsupported(BadInput):
    """A field of a request that cannot be honoured."""

    def __init__(self, message: str, param: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.param = param


def shape_errors(api: FastAPI, shape: Shape) -> None:
    """Every error that leaves `api` takes this shape, whoever raised it."""

    def ours(_request: Request, error: Exception) -> Response:
        assert isinstance(error, TunewrightError)
        return shape(error)

    def theirs(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return shape(Elsewhere(error.status_code, str(error.detail)))

    def invalid(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        faults = [(".".join(str(part) for part in e["loc"]), e["msg"]) for e in error.errors()]
        told = "\n".join(f"{where}: {what}" for where, what in faults)  # never the input: users' words
        return shape(Unsupported(told, faults[0][0].removeprefix("body."), hint="GET /openapi.json"))

    def broken(_request: Request, error: Exception) -> Response:
        return shape(bug(error))

    api.add_exception_handler(TunewrightError, ours)
    api.add_exception_handler(HTTPException, theirs)
    api.add_exception_handler(RequestValidationError, invalid)
    api.add_exception_handler(Exception, broken)


def bug(error: Exception) -> TunewrightError:
    """An error that is none of ours, as one. It names only the kind: the message may hold users' words."""
    return TunewrightError(f"something broke: {type(error).__name__}", hint="the server's log says where")


def _title(error: TunewrightError) -> str:
    named = next(kind for kind in type(error).__mro__ if kind.__module__ == TunewrightError.__module__)
    return (named.__doc__ or "").partition("\n")[0].rstrip(".") if named is not TunewrightError else "Error"


def _openai(error: TunewrightError) -> tuple[int, str, str]:
    if isinstance(error, Elsewhere):
        return error.answered, "invalid_request_error", error.code
    if isinstance(error, Busy):
        return 429, "rate_limit_error", "rate_limit_exceeded"
    if isinstance(error, Denied):
        return 401, "authentication_error", "invalid_api_key"
    if isinstance(error, NotFound):
        return 404, "invalid_request_error", "not_found"
    if isinstance(error, Unsupported):
        return 400, "invalid_request_error", "unsupported_value"
    if isinstance(error, BadInput):
        return 400, "invalid_request_error", "invalid_request"
    if isinstance(error, Refused):
        return 503, "server_error", "not_in_service"
    return error.status, "server_error", type(error).__name__


def _headers(error: TunewrightError) -> Mapping[str, str]:
    if isinstance(error, Busy):
        return {"Retry-After": str(error.seconds)}
    return {"WWW-Authenticate": "Bearer"} if isinstance(error, Denied) else {}
