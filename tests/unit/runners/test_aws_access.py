"""Credentials and regions: where they come from, how requests are signed, what is said where there are none."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials

from fieldguide.errors import (
    AuthenticationError,
    ExpiredCredentialsError,
    MissingDependencyError,
    MissingKeyError,
    UsageError,
)
from fieldguide.http_client import LazySession
from fieldguide.runners import RunnerSettings
from fieldguide.runners._transport import HttpCall
from fieldguide.runners.aws import Access, access_of, region_of
from tests.support.event_stream import signature_of

_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
_KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": _SECRET}


@pytest.fixture(autouse=True)
def _no_chain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of this machine's: no files, no metadata service."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


def settings(tmp_path: Path, environment: dict[str, str] | None = None, **options: str) -> RunnerSettings:
    return RunnerSettings(home=tmp_path, session=LazySession(), environment=environment or {}, options=options)


async def access(tmp_path: Path, environment: dict[str, str] | None = None, **options: str) -> Access:
    given = settings(tmp_path, environment, **options)
    return await access_of(given, region="us-east-1", service="bedrock", provider="Amazon Bedrock")


def config(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "config"
    path.write_text(text)
    return {"AWS_CONFIG_FILE": str(path)}


async def test_the_check_of_signatures_knows_amazons_own_example() -> None:
    """`get-vanilla` of Amazon's published test suite: what the tests check with is right."""
    authorization = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
    authorization += "SignedHeaders=host;x-amz-date, Signature="
    headers = {"Host": "example.amazonaws.com", "X-Amz-Date": "20150830T123600Z"}
    found = signature_of("GET", "/", headers, b"", secret=_SECRET, authorization=authorization)
    assert found == "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"


@pytest.mark.parametrize("token", [None, "a-session-token"])
@pytest.mark.parametrize(
    "path", ["/model/us.anthropic.claude-sonnet-4-5-20250929-v1:0/converse", "/model/arn:aws:bedrock%2Fx/invoke"]
)
async def test_a_signature_covers_body_and_type(tmp_path: Path, path: str, token: str | None) -> None:
    """It is the one that the service calculates of what is sent; the token is signed where there is one."""
    environment = _KEYS | ({"AWS_SESSION_TOKEN": token} if token else {})
    call = HttpCall(url=f"http://127.0.0.1:8000{path}", json={"a": "ä"})
    added = await (await access(tmp_path, environment)).authorize(call)
    sent = {"Host": "127.0.0.1:8000", "Content-Type": "application/json", **added}
    authorization = added["Authorization"]
    assert "content-type;host;x-amz-date" in authorization
    assert added.get("X-Amz-Security-Token") == token
    signature = signature_of("POST", path, sent, call.body or b"", secret=_SECRET, authorization=authorization)
    assert authorization.endswith(f"Signature={signature}")


async def test_a_profile_is_found_by_variable_and_by_option(tmp_path: Path) -> None:
    """The option goes before keys in the environment; the profile's region is the last resort."""
    text = "[profile work]\naws_access_key_id = AKWORK\naws_secret_access_key = s\nregion = eu-west-3\n"
    environment = config(tmp_path, text)
    for given, options in (({"AWS_PROFILE": "work"}, {}), (_KEYS, {"profile": "work"})):
        signs = await access(tmp_path, environment | given, **options)
        added = await signs.authorize(HttpCall(url="https://example.com/", json={}))
        assert "Credential=AKWORK/" in added["Authorization"]
        found = await region_of(settings(tmp_path, environment | given, **options), target="m", provider="Amazon")
        assert found == "eu-west-3"


async def test_no_credentials_anywhere_names_the_variable(tmp_path: Path) -> None:
    """And the other half of a key that has only one."""
    with pytest.raises(MissingKeyError) as caught:
        await access(tmp_path)
    assert caught.value.variable == "AWS_ACCESS_KEY_ID"
    with pytest.raises(MissingKeyError) as caught:
        await access(tmp_path, {"AWS_ACCESS_KEY_ID": "AKID"})
    assert caught.value.variable == "AWS_SECRET_ACCESS_KEY"


async def test_an_unknown_profile_is_wrong_use(tmp_path: Path) -> None:
    """With the command that lists the known ones."""
    with pytest.raises(UsageError, match="nobody") as caught:
        await access(tmp_path, config(tmp_path, "[profile work]\nregion = eu-west-3\n"), profile="nobody")
    assert "list-profiles" in str(caught.value.hint)


async def test_a_broken_file_is_wrong_use(tmp_path: Path) -> None:
    """Not a traceback."""
    with pytest.raises(UsageError):
        await access(tmp_path, config(tmp_path, "no file of this kind"))


async def test_a_sign_in_that_ran_out_says_how_to_renew_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile of IAM Identity Center without a token that holds."""
    monkeypatch.setenv("HOME", str(tmp_path))
    text = (
        "[profile sso]\nsso_session = corp\nsso_account_id = 000000000000\nsso_role_name = r\n"
        "[sso-session corp]\nsso_start_url = https://example.awsapps.com/start\nsso_region = us-east-1\n"
    )
    signs = await access(tmp_path, config(tmp_path, text) | {"AWS_PROFILE": "sso"})
    with pytest.raises(ExpiredCredentialsError) as caught:
        await signs.authorize(HttpCall(url="https://example.com/", json={}))
    assert "aws sso login" in str(caught.value.hint)


async def test_credentials_that_run_out_are_renewed_before_they_do(tmp_path: Path) -> None:
    """Those near their end are asked for again; those with time left are not."""
    counted = tmp_path / "count"
    for minutes, times in ((5, 3), (600, 1)):
        counted.write_text("")
        until = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
        given = {
            "Version": 1,
            "AccessKeyId": "AKPROC",
            "SecretAccessKey": "s",
            "SessionToken": "t",
            "Expiration": until,
        }
        script = tmp_path / "give.py"
        script.write_text(f"open({str(counted)!r}, 'a').write('x')\nprint({json.dumps(given)!r})\n")
        text = f"[profile p]\ncredential_process = {sys.executable} {script}\n"
        signs = await access(tmp_path, config(tmp_path, text) | {"AWS_PROFILE": "p"})
        for _ in range(2):
            added = await signs.authorize(HttpCall(url="https://example.com/", json={}))
            assert added["X-Amz-Security-Token"] == "t"
        assert len(counted.read_text()) == times


@pytest.mark.parametrize(
    ("code", "kind"), [("ExpiredToken", ExpiredCredentialsError), ("AccessDenied", AuthenticationError)]
)
async def test_a_role_that_cannot_be_taken_on_is_our_error(code: str, kind: type[AuthenticationError]) -> None:
    """What the token service refuses is no traceback."""
    from botocore.exceptions import ClientError

    class Refused:
        def get_frozen_credentials(self) -> None:
            said = "The security token included in the request is expired" if code == "ExpiredToken" else "no"
            raise ClientError({"Error": {"Code": code, "Message": said}}, "AssumeRole")

    with pytest.raises(kind) as caught:
        await Access(Refused(), region="us-east-1", service="bedrock").authorize(HttpCall(url="https://a.b/", json={}))
    assert type(caught.value) is kind
    assert caught.value.hint


async def test_without_botocore_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, "botocore.credentials", None)
    with pytest.raises(MissingDependencyError) as caught:
        await access(tmp_path, dict(_KEYS))
    assert "fieldguide[aws]" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("environment", "options", "target", "region"),
    [
        ({"AWS_REGION": "eu-central-1"}, {}, "m", "eu-central-1"),
        ({"AWS_DEFAULT_REGION": "us-gov-west-1"}, {}, "m", "us-gov-west-1"),
        ({"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "us-east-1"}, {}, "m", "eu-central-1"),
        ({"AWS_REGION": "eu-central-1"}, {"region": "us-west-2"}, "m", "us-west-2"),
        (
            {"AWS_REGION": "eu-central-1"},
            {},
            "arn:aws:bedrock:us-east-2:000000000000:inference-profile/us.a.b",
            "us-east-2",
        ),
    ],
)
async def test_a_region_is_found_in_its_order(
    tmp_path: Path, environment: dict[str, str], options: dict[str, str], target: str, region: str
) -> None:
    """Option, the model's own ARN, variables."""
    assert await region_of(settings(tmp_path, environment, **options), target=target, provider="Amazon") == region


@pytest.mark.parametrize("given", [{}, {"AWS_REGION": "Frankfurt"}, {"AWS_REGION": "us-east-1.evil.example/"}])
async def test_no_region_or_none_that_can_be_is_wrong_use(tmp_path: Path, given: dict[str, str]) -> None:
    """A region becomes part of a host name, so that nothing else may stand in it."""
    with pytest.raises(UsageError) as caught:
        await region_of(settings(tmp_path, given), target="m", provider="Amazon Bedrock")
    assert "us-east-1" in str(caught.value.hint)


async def test_a_signature_is_botocores_own(tmp_path: Path) -> None:
    """What we add to a call is what botocore's signer adds to the same request at the same moment."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    call = HttpCall(url="https://bedrock-runtime.us-east-1.amazonaws.com/model/m:0/converse", json={"a": 1})
    added = await (await access(tmp_path, dict(_KEYS))).authorize(call)
    headers = {"Content-Type": "application/json"}
    theirs: Any = AWSRequest(method="POST", url=call.url, data=call.body, headers=headers)
    theirs.context["timestamp"] = added["X-Amz-Date"]
    signer: Any = SigV4Auth(Credentials("AKIDEXAMPLE", _SECRET), "bedrock", "us-east-1")
    theirs.headers["X-Amz-Date"] = added["X-Amz-Date"]
    text = signer.string_to_sign(theirs, signer.canonical_request(theirs))
    assert added["Authorization"].endswith(f"Signature={signer.signature(text, theirs)}")
