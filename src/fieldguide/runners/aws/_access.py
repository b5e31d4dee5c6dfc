"""Who asks, and where: keys, credentials that run out, signatures, regions.

Variables come from the settings. Where they hold no key, botocore's own chain looks: profiles and their roles, tokens
of IAM Identity Center, and what a container or a machine is given. That chain reads the environment and the files of
the AWS command line itself, as every program of Amazon's does.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from fieldguide.errors import (
    AuthenticationError,
    ExpiredCredentialsError,
    MissingDependencyError,
    MissingKeyError,
    UsageError,
)
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._transport import HttpCall

VARIABLES = (
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
)
_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-\d+")
_KEYS = "https://console.aws.amazon.com/bedrock/home#/api-keys"
_WHERE = "https://docs.aws.amazon.com/cli/latest/userguide/cli-chap-configure.html"


class Access:
    """Signs requests; credentials that run out are renewed before they do, in a thread, since botocore waits."""

    def __init__(self, credentials: Any, *, region: str, service: str) -> None:
        """`credentials` are botocore's; `service` is the name to sign for, such as `bedrock`."""
        self._credentials, self._region, self._service = credentials, region, service
        self._renews = hasattr(credentials, "refresh_needed")

    async def authorize(self, call: HttpCall) -> Mapping[str, str]:
        """Return the headers that sign one call.

        Raises:
            ExpiredCredentialsError: The credentials ran out and cannot be renewed without the user.
            AuthenticationError: They cannot be renewed for another reason.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            if self._renews:
                frozen = await asyncio.to_thread(self._credentials.get_frozen_credentials)
            else:
                frozen = self._credentials.get_frozen_credentials()
        except (BotoCoreError, ClientError) as error:
            raise _not_had(error) from error
        return signed(call, frozen, region=self._region, service=self._service)


def signed(call: HttpCall, credentials: Any, *, region: str, service: str) -> dict[str, str]:
    """Return the headers of a signature (version 4) of one call, of its JSON body and of whom it is for."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    headers = {"Content-Type": "application/json"} | dict(call.headers) if call.json is not None else dict(call.headers)
    request = AWSRequest(method=call.method, url=call.url, data=call.body, headers=headers)
    SigV4Auth(credentials, service, region).add_auth(request)
    given = {name.lower() for name in headers}
    return {name: value for name, value in request.headers.items() if name.lower() not in given}


def secrets_of(settings: RunnerSettings) -> tuple[str, ...]:
    """Return what must not be shown: services repeat what was signed when a signature is wrong."""
    names = ("AWS_BEARER_TOKEN_BEDROCK", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    return (settings.api_key or "", *(settings.environment.get(name, "") for name in names))


async def access_of(settings: RunnerSettings, *, region: str, service: str, provider: str) -> Access:
    """Return what signs requests: with the keys in the settings, else with what botocore's chain finds.

    Raises:
        MissingDependencyError: botocore is not installed.
        MissingKeyError: There are no credentials anywhere.
        UsageError: The profile does not exist, or its files cannot be read.
        AuthenticationError: The chain found a source that gives nothing; expired ones say so.
    """
    try:
        from botocore.credentials import Credentials
    except ImportError as error:
        raise MissingDependencyError(f"{provider} without a bearer key", extra="aws") from error
    environment = settings.environment
    key, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    if key and secret and "profile" not in settings.options:
        found: Any = Credentials(key, secret, environment.get("AWS_SESSION_TOKEN"), method="env")
    elif key and not environment.get("AWS_PROFILE") and "profile" not in settings.options:
        raise _missing(provider, "AWS_SECRET_ACCESS_KEY", service)
    else:
        found = await asyncio.to_thread(_in_chain, settings)
    if found is None:
        raise _missing(provider, "AWS_ACCESS_KEY_ID", service)
    return Access(found, region=region, service=service)


def _missing(provider: str, variable: str, service: str) -> MissingKeyError:
    error = MissingKeyError(provider, variable=variable, where=_WHERE)
    keys = "export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    hint = f"Sign in (`aws configure`, `aws sso login`) or {keys}: {_WHERE}"
    of_bedrock = f"; or get a key at {_KEYS}, then: export AWS_BEARER_TOKEN_BEDROCK=..."
    error.hint = hint if service == "sagemaker" else hint + of_bedrock
    return error


def _in_chain(settings: RunnerSettings) -> Any:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return _session(settings).get_credentials()
    except (BotoCoreError, ClientError) as error:
        raise _not_had(error) from error


def _session(settings: RunnerSettings) -> Any:
    import botocore.session

    session = botocore.session.Session(
        profile=settings.options.get("profile") or settings.environment.get("AWS_PROFILE")
    )
    for name, variable in (("config_file", "AWS_CONFIG_FILE"), ("credentials_file", "AWS_SHARED_CREDENTIALS_FILE")):
        if variable in settings.environment:
            session.set_config_variable(name, settings.environment[variable])
    return session


def _not_had(error: Exception) -> UsageError | AuthenticationError:
    """Return our error of one of botocore's: what it says is kept, with the next step."""
    kind = type(error).__name__
    said = f"The AWS credentials cannot be had: {error}"
    if kind in {"ProfileNotFound", "ConfigParseError", "ConfigNotFound", "InvalidConfigError"}:
        return UsageError(said, hint="Check AWS_PROFILE and ~/.aws/config; `aws configure list-profiles` names them.")
    if "SSO" in kind or "Login" in kind or kind in {"TokenRetrievalError", "UnauthorizedSSOTokenError"}:
        return ExpiredCredentialsError(said, hint="Sign in again: `aws sso login` (with `--profile` if you use one).")
    if "xpired" in str(error):
        return ExpiredCredentialsError(said)
    return AuthenticationError(said, hint=f"Check the profile's credentials: {_WHERE}.")


async def region_of(settings: RunnerSettings, *, target: str, provider: str) -> str:
    """Return the region: of the option, of the model's own ARN, of the variables, or of the profile.

    Raises:
        UsageError: There is none, or it cannot be one.
    """
    environment = settings.environment
    of_arn = target.split(":")[3] if target.startswith("arn:") and target.count(":") >= 5 else ""
    given = (
        settings.options.get("region")
        or of_arn
        or environment.get("AWS_REGION")
        or environment.get("AWS_DEFAULT_REGION")
    )
    region = given or await asyncio.to_thread(_region_in_profile, settings)
    if not region:
        raise UsageError(
            f"{provider} needs a region, and AWS_REGION names none.",
            hint="export AWS_REGION=us-east-1 (or another one that has the model).",
        )
    if not _REGION.fullmatch(region):
        raise UsageError(f"{region!r} is no region.", hint="Write it as us-east-1 or eu-central-1.")
    return region


def _region_in_profile(settings: RunnerSettings) -> str | None:
    try:
        from botocore.exceptions import BotoCoreError
    except ImportError:
        return None
    try:
        region = _session(settings).get_config_variable("region")
    except BotoCoreError as error:
        raise _not_had(error) from error
    return None if region is None else str(region)
