"""DashScope's errors: a code, a message, and no object around them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fieldguide.errors import (
    AuthenticationError,
    ContentFilterError,
    QuotaExhaustedError,
    RunnerError,
    UnknownModelError,
)
from fieldguide.runners._http_errors import error_in_body, error_of_status, retry_after_s
from fieldguide.runners._json import parse_object, text_of

_NO_MODEL = re.compile(r"model not exist|model .{0,80}does not exist", re.I)
ONE_REGION = (
    "A key belongs to one region: China (https://dashscope.aliyuncs.com/api/v1), international "
    "(https://dashscope-intl.aliyuncs.com/api/v1); set DASHSCOPE_HTTP_BASE_URL to the one of yours."
)


def error_of(status: int, text: str, headers: Mapping[str, str]) -> RunnerError:
    """Return the error of a response whose status is not 200."""
    try:
        body = parse_object(text)
    except RunnerError:
        return error_of_status(status, text, headers)
    error = error_in(body, status=status, wait_s=retry_after_s(headers))
    error.refused = True
    return error


def error_in(body: dict[str, Any], *, status: int, wait_s: float | None = None) -> RunnerError:
    """Return the error that a body describes.

    References:
        Alibaba Cloud, Model Studio, "Error codes" (help.aliyun.com/zh/model-studio/error-code).
    """
    error = error_in_body(body, status=status, wait_s=wait_s)
    code = (text_of(body.get("code")) or "").lower().replace("_", "").replace(".", "")
    if code.startswith("datainspectionfailed"):
        return ContentFilterError(error.message)
    if code in {"arrearage", "allocationquotafreetieronly"} or code.startswith("accessdeniedunpurchased"):
        return QuotaExhaustedError(error.message)
    if code == "modelnotfound" or _NO_MODEL.search(error.message):
        return UnknownModelError(error.message, hint="See the list of models in the console of your region.")
    if code == "invalidapikey":
        return AuthenticationError(error.message, forbidden=False, hint=ONE_REGION)
    return error
