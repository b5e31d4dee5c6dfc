"""The gateway's use cases: keys and their limits, models on demand, requests with retries and records."""

from fieldguide.app.gateway._config import GatewayConfig, ModelConfig, read_config
from fieldguide.app.gateway._flow import flow
from fieldguide.app.gateway._gateway import HOW_MANY, Answer, Build, Gateway, TapFor
from fieldguide.app.gateway._identity import ANYONE, Identity, KeyLimits, Role, limits_from_json
from fieldguide.app.gateway._keys import (
    PREFIX,
    NewKey,
    create_key,
    digest_of,
    in_force,
    key_named,
    limit_key,
    revoke_key,
)
from fieldguide.app.gateway._models import Open
from fieldguide.app.gateway._visit import Ask

__all__ = [
    "ANYONE",
    "HOW_MANY",
    "PREFIX",
    "Answer",
    "Ask",
    "Build",
    "Gateway",
    "GatewayConfig",
    "Identity",
    "KeyLimits",
    "ModelConfig",
    "NewKey",
    "Open",
    "Role",
    "TapFor",
    "create_key",
    "digest_of",
    "flow",
    "in_force",
    "key_named",
    "limit_key",
    "limits_from_json",
    "read_config",
    "revoke_key",
]
