"""One name for each provider: the lists of prices call them differently.

Ours are the catalogue's names of places where it has one (`gemini`, `bedrock`, `vertex`, `model-studio`), else the
commonest. A name that is not in the table is taken as it is, with dashes for underscores.
"""

from __future__ import annotations

from urllib.parse import urlsplit

_NAMES: dict[str, tuple[str, ...]] = {
    "anthropic": (),
    "azure": ("azure-ai", "azure-text", "azure-cognitive-services"),
    "bedrock": ("aws", "amazon-bedrock", "bedrock-converse"),
    "cloudflare": ("cloudflare-workers-ai",),
    "cohere": ("cohere-chat",),
    "fireworks": ("fireworks-ai", "fireworks-ai-embedding-models"),
    "gemini": ("google",),
    "meta": ("llama", "meta-llama"),
    "mistral": ("codestral",),
    "model-studio": ("alibaba", "dashscope"),
    "model-studio-cn": ("alibaba-cn",),
    "moonshotai": ("moonshot",),
    "novita": ("novita-ai",),
    "openai": ("text-completion-openai",),
    "perplexity": ("perplexity-agent",),
    "together": ("togetherai", "together-ai"),
    "vertex": ("google-vertex", "google-vertex-anthropic", "vertex-ai"),
    "voyageai": ("voyage",),
    "x-ai": ("xai",),
    "friendli": ("friendliai",),
}
_OURS = {other: ours for ours, others in _NAMES.items() for other in others}

_HOSTS = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "gemini",
    "api.mistral.ai": "mistral",
    "api.deepseek.com": "deepseek",
    "api.cohere.com": "cohere",
    "api.cohere.ai": "cohere",
    "api.groq.com": "groq",
    "openrouter.ai": "openrouter",
    "api.together.xyz": "together",
    "api.together.ai": "together",
    "api.fireworks.ai": "fireworks",
    "api.x.ai": "x-ai",
    "api.perplexity.ai": "perplexity",
    "api.cerebras.ai": "cerebras",
    "api.moonshot.ai": "moonshotai",
    "api.novita.ai": "novita",
    "api.deepinfra.com": "deepinfra",
    "dashscope-intl.aliyuncs.com": "model-studio",
    "dashscope.aliyuncs.com": "model-studio-cn",
}


def provider_name(name: str) -> str:
    """Return our name of a provider."""
    plain = name.strip().lower().replace("_", "-").replace(" ", "-")
    if plain.startswith("vertex-ai-"):
        return "vertex"
    return _OURS.get(plain, plain)


def provider_of_url(url: str) -> str | None:
    """Return who answers at an address, as far as its host is one that we know."""
    return _HOSTS.get((urlsplit(url).hostname or "").lower())
