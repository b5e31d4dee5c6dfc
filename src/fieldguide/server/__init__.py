"""The gateway's server: OpenAI's, Anthropic's and Ollama's words to ours and back; decides nothing."""

from fieldguide.server._connection import Limits
from fieldguide.server._serve import Server, serving

__all__ = ["Limits", "Server", "serving"]
