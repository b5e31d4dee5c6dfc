"""A hub of configurations: what `transformers` and `accelerate estimate-memory` ask of the hub, and no weights.

Each config.json is written from the shape that our own planner is given, so that both plan the same network.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from fieldguide.domain import Network

_COMMIT = "c" * 40
_CLASSES = {"qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM", "qwen3_moe": "Qwen3MoeForCausalLM"}


def config_of(network: Network) -> dict[str, Any]:
    """Return the config.json of a Qwen network."""
    kind = f"{network.scheme}_moe" if network.experts else str(network.scheme)
    config: dict[str, Any] = {
        "architectures": [_CLASSES[kind]],
        "model_type": kind,
        "num_hidden_layers": network.layers,
        "hidden_size": network.hidden,
        "intermediate_size": network.ffn,
        "num_attention_heads": network.heads,
        "num_key_value_heads": network.kv_heads,
        "head_dim": network.head_dim,
        "vocab_size": network.vocabulary,
        "tie_word_embeddings": network.tied_head,
        "torch_dtype": "bfloat16",
    }
    if network.experts and network.experts_per_token:
        config["num_experts"] = network.experts
        config["num_experts_per_tok"] = network.experts_per_token
        config["moe_intermediate_size"] = network.ffn // network.experts_per_token
    return config


class _ConfigHub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    configs: ClassVar[Mapping[str, dict[str, Any]]] = {}

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        about = re.fullmatch(r"/api/models/([^/]+/[^/]+)", path)
        file = re.fullmatch(rf"/([^/]+/[^/]+)/resolve/(?:main|{_COMMIT})/config\.json", path)
        if about and about[1] in self.configs:
            self._answer(200, self._about(about[1]))
        elif file and file[1] in self.configs:
            self._answer(200, self.configs[file[1]])
        else:
            self._answer(404, {"error": "Entry not found"})

    def do_HEAD(self) -> None:
        self.do_GET()

    def _about(self, model: str) -> dict[str, Any]:
        config = self.configs[model]
        told = {"architectures": config["architectures"], "model_type": config["model_type"]}
        names = {"id": model, "sha": _COMMIT, "library_name": "transformers"}
        return {**names, "private": False, "tags": [], "config": told, "siblings": [{"rfilename": "config.json"}]}

    def _answer(self, status: int, value: dict[str, Any]) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        if status != 200:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("X-Repo-Commit", _COMMIT)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent."""


@contextmanager
def config_hub(networks: Mapping[str, Network]) -> Iterator[str]:
    """Serve the configurations of networks by `owner/model` on loopback; yields the address."""
    configs = {name: config_of(network) for name, network in networks.items()}
    handler = type("Served", (_ConfigHub,), {"configs": configs})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
