"""GGUF files on the embedded llama.cpp (`llama.cpp:/path/model.gguf`), which runs in a supervised child process."""

from fieldguide.runners.llama_cpp._eyes import projector_beside
from fieldguide.runners.llama_cpp._open import open_runner

__all__ = ["open_runner", "projector_beside"]
