"""What an object store answers, in one line: what is wrong with which place, and the mend."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from frames.errors import BadInput

_DENIED: Final = {
    *("AccessDenied", "403", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch"),
    *("ExpiredToken", "InvalidToken", "AllAccessDisabled", "AccountProblem"),
}
_UNKNOWN: Final = {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"}
_SILENT: Final = {
    *("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "HTTPClientError"),
    *("ConnectionClosedError", "ConnectionError", "ClientConnectionError", "ProxyConnectionError"),
    *("IncompleteReadError", "ResponseStreamingError", "TimeoutError", "FSTimeoutError"),
    *("ClientPayloadError", "ConnectionResetError", "ConnectionRefusedError"),
}
_BUSY: Final = {"SlowDown", "503", "500", "InternalError", "ServiceUnavailable", "RequestTimeout"}


def explain_store_error(path: Path, error: BaseException) -> BadInput:
    """The one line for an error met while asking a store for a path."""
    chain = list(_follow(error))
    codes = set(map(_find_code, chain)) - {""}
    kinds = {kind.__name__ for link in chain for kind in type(link).__mro__}
    bucket = path.parts[1] if len(path.parts) > 1 else ""
    where = find_endpoint()
    if lacks_bucket(error):
        return BadInput(
            f"there is no bucket {bucket} at {where} ({path}): make it first (aws s3 mb"
            f" s3://{bucket}), or set AWS_ENDPOINT_URL to the store that has it"
        )
    if "ParamValidationError" in kinds or "InvalidBucketName" in codes or not bucket:
        return BadInput(
            f"{bucket!r} is no name for a bucket ({path}): it must be s3://BUCKET/PREFIX, the"
            " bucket's name of a-z, 0-9, - and ."
        )
    if kinds & _UNKNOWN or "Unable to locate credentials" in str(error):
        return BadInput(
            f"no credentials for {path}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or"
            f" AWS_PROFILE to a profile that has them ({_first_line(error)})"
        )
    if codes & _DENIED or "PermissionError" in kinds:
        code = next(iter(codes & _DENIED), "") or _first_line(error)
        return BadInput(
            f"access denied to {path} at {where} ({code}): check the credentials, and that they may"
            " list, get and put there"
        )
    if codes & _BUSY or kinds & _SILENT:
        told = next(iter(codes & _BUSY), "") or _first_line(error)
        return BadInput(
            f"no answer from {where} for {path} ({told}): is it running, and AWS_ENDPOINT_URL"
            " right? what is finished stays, the same command goes on from there"
        )
    if "Invalid endpoint" in str(error):
        return BadInput(f"AWS_ENDPOINT_URL must be a URL as in http://127.0.0.1:9000, got {where}")
    return BadInput(f"{where} refuses {path}: {type(error).__name__}: {_first_line(error)}")


def lacks_bucket(error: BaseException) -> bool:
    """Whether what is missing is the bucket."""
    return any(_find_code(link) == "NoSuchBucket" for link in _follow(error))


def find_endpoint() -> str:
    """The store that is asked, for messages."""
    for name in ("FSSPEC_S3_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"):
        if os.environ.get(name):
            return os.environ[name]
    return "Amazon S3"


def _follow(error: BaseException) -> Iterator[BaseException]:
    """The error and those that led to it."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _find_code(error: Any) -> str:
    """What the store calls the error; "" if it was not the store that spoke."""
    response = getattr(error, "response", None)
    found = response.get("Error", {}) if isinstance(response, dict) else {}
    return str(found.get("Code", ""))


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0] or type(error).__name__
