"""Ollama's endpoints that ask models and tell of them; those that change what is stored are not offered."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from fieldguide import __version__
from fieldguide.app.gateway import Ask, Open
from fieldguide.domain import Completion, CompletionRequest, EmbeddingResult
from fieldguide.errors import UnknownModelError
from fieldguide.server import _ollama_read as read
from fieldguide.server._answering import asked, complete, headers_of, streamed, whole
from fieldguide.server._chat_write import dumped
from fieldguide.server._media import embed
from fieldguide.server._message import LINES, AnyReply, Call, Reply
from fieldguide.server._ollama_write import Lines, write_chat, write_generate
from fieldguide.server._reading import Fields, parse_body

if TYPE_CHECKING:
    from fieldguide.server._site import Site

_SINCE = "2023-11-14T22:13:20Z"
"""The lists want a time at which a model was changed, which is not known: the same for all."""
Read = Callable[..., CompletionRequest]


async def chat(site: Site, call: Call) -> AnyReply:
    """Answer a conversation; one without messages only loads the model."""
    body = parse_body(call.body)
    ask = _asked(site, call, body, "ollama-chat")
    if not body.get("messages"):
        return await _loaded(site, ask, call, {"message": {"role": "assistant", "content": ""}})
    return await _answered(site, ask, call, body, read.read_chat, write_chat, of_chat=True)


async def generate(site: Site, call: Call) -> AnyReply:
    """Answer one question or continue a text; without a prompt the model is only loaded."""
    body = parse_body(call.body)
    ask = _asked(site, call, body, "ollama-generate")
    if not body.get("prompt") and not body.get("images"):
        return await _loaded(site, ask, call, {"response": ""})
    return await _answered(site, ask, call, body, read.read_generate, write_generate, of_chat=False)


def _asked(site: Site, call: Call, body: dict[str, Any], endpoint: str) -> Ask:
    """Return a request under the model's name here: Ollama's clients may add the tag that stands for none."""
    name = body.get("model", body.get("name"))
    if isinstance(name, str):
        body = {**body, "model": _known(site, call, name)}
    return asked(call, body, endpoint)


def _known(site: Site, call: Call, name: str) -> str:
    names = site.gateway.names(call.identity)
    plain = name.removesuffix(":latest")
    return plain if name not in names and plain in names else name


async def _loaded(site: Site, ask: Ask, call: Call, said: dict[str, Any]) -> AnyReply:
    await site.gateway.open(ask)
    value = {"model": ask.model, "created_at": _SINCE, **said, "done": True, "done_reason": "load"}
    return Reply(body=dumped(value), headers=headers_of(ask, call))


async def _answered(
    site: Site,
    ask: Ask,
    call: Call,
    body: dict[str, Any],
    reader: Read,
    write: Callable[..., bytes],
    *,
    of_chat: bool,
) -> AnyReply:
    began = time.time()
    name = str(body.get("model", ask.model))

    def build(model: Open) -> CompletionRequest:
        return reader(body, speaks=model.provider == read.PROVIDER, notes=ask.notes)

    if Fields(body, "", ask.notes).flag("stream") is False:
        answer = await complete(site, ask, build)
        completion: Completion = answer.completion
        return whole(ask, call, write(completion, answer.model, name, began=began))
    return await streamed(
        site,
        ask,
        call,
        build,
        lambda model: Lines(model, name, began=began, of_chat=of_chat),
        shape="ollama",
        content_type=LINES,
    )


async def embeddings(site: Site, call: Call) -> AnyReply:
    """Turn texts into vectors."""
    began = time.perf_counter()
    body = parse_body(call.body)
    ask = _asked(site, call, body, "ollama-embed")
    result = cast(
        EmbeddingResult,
        await embed(
            site, ask, lambda model: read.read_embed(body, speaks=model.provider == read.PROVIDER, notes=ask.notes)
        ),
    )
    value = {
        "model": ask.model,
        "embeddings": [list(vector) for vector in result.vectors],
        "total_duration": int(1e9 * (time.perf_counter() - began)),
        "load_duration": 0,
        "prompt_eval_count": result.usage.input_tokens,
    }
    return whole(ask, call, dumped({name: each for name, each in value.items() if each is not None}))


async def tags(site: Site, call: Call) -> AnyReply:
    """Return the models that this key may ask."""
    return Reply(body=dumped({"models": [_listed(name) for name in site.gateway.names(call.identity)]}))


async def running(site: Site, call: Call) -> AnyReply:
    """Return those of them that are open now."""
    loaded = set(site.gateway.models.loaded)
    names = [name for name in site.gateway.names(call.identity) if name in loaded]
    return Reply(body=dumped({"models": [_listed(name) for name in names]}))


def _listed(name: str) -> dict[str, Any]:
    details = {"parent_model": "", "format": "", "family": "", "families": [], "parameter_size": ""}
    details["quantization_level"] = ""
    return {"name": name, "model": name, "modified_at": _SINCE, "size": 0, "digest": "", "details": details}


async def show(site: Site, call: Call) -> AnyReply:
    """Return what is known of one model: what it can be asked, once it is open."""
    body = parse_body(call.body)
    given = body.get("model", body.get("name"))
    name = _known(site, call, given) if isinstance(given, str) else ""
    if name not in site.gateway.names(call.identity):
        raise UnknownModelError("There is no such model here.", hint="The list of models says what there is.")
    ask = Ask(identity=call.identity, model=name, endpoint="show", body_bytes=0)
    model = await site.gateway.open(ask)
    can = model.runner.capabilities
    told = [("completion", can.chat or can.text), ("vision", can.images), ("tools", can.tools)]
    told += [("thinking", can.reasoning), ("embedding", can.embeddings)]
    value = {
        "modified_at": _SINCE,
        "details": _listed(name)["details"],
        "model_info": {"general.name": model.runner.model.name},
        "capabilities": [word for word, able in told if able],
        "parameters": "",
        "template": "",
        "license": model.opened.licence or "",
    }
    return Reply(body=dumped(value))


async def version(site: Site, call: Call) -> AnyReply:
    """Return our version."""
    return Reply(body=dumped({"version": __version__}))
