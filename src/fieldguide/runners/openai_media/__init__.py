"""OpenAI's endpoints beside chat, as spoken by OpenAI and by servers like it: vectors, pictures, speech both ways."""

from fieldguide.runners.openai_media._embeddings import embedding_body, parse_embeddings
from fieldguide.runners.openai_media._images import image_call, parse_images
from fieldguide.runners.openai_media._runner import MediaRunner
from fieldguide.runners.openai_media._speech import (
    parse_speech,
    parse_transcription,
    speech_body,
    transcription_form,
    transcription_path,
)

__all__ = [
    "MediaRunner",
    "embedding_body",
    "image_call",
    "parse_embeddings",
    "parse_images",
    "parse_speech",
    "parse_transcription",
    "speech_body",
    "transcription_form",
    "transcription_path",
]
