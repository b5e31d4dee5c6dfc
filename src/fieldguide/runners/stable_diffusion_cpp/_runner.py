"""A model that makes pictures, as a runner."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from fieldguide.domain import (
    Capabilities,
    Completion,
    CompletionRequest,
    Image,
    ImageRequest,
    ImageResult,
    Latency,
    ResolvedModel,
    StreamPiece,
)
from fieldguide.errors import ResponseFormatError, UnsupportedError, UsageError
from fieldguide.runners.stable_diffusion_cpp._engine import Engine

_SIZE = re.compile(r"(\d{2,4})[xX](\d{2,4})")
_STEP_PIXELS, _LEAST_PIXELS, _MOST_PIXELS = 64, 64, 2048
_FORMATS = {"png": "PNG", "jpeg": "JPEG", "jpg": "JPEG", "webp": "WEBP"}
_MOST_PICTURES = 10


class DrawingRunner:
    """One set of weights in one child process; a picture at a time."""

    def __init__(
        self,
        engine: Engine,
        *,
        model: ResolvedModel,
        drawing: Mapping[str, Any],
        deadline_s: float,
        told: Callable[[str], None],
    ) -> None:
        """Take an engine that is ready, and how it draws where a request does not say."""
        self._engine, self._model, self._drawing = engine, model, dict(drawing)
        self._deadline_s, self._told = deadline_s, told
        self._turn = asyncio.Lock()

    @property
    def model(self) -> ResolvedModel:
        """The weights, by their sha256."""
        return self._model

    @property
    def capabilities(self) -> Capabilities:
        """Pictures, and nothing else."""
        return Capabilities(text=False, chat=False, streaming=False, stop=False, image_generation=True)

    async def complete(self, request: CompletionRequest) -> Completion:
        """Refuse: it does not speak."""
        raise UnsupportedError(self._model.name, "answering in words", hint="Use `fieldguide draw`.")

    async def stream(self, request: CompletionRequest) -> AsyncIterator[StreamPiece | Completion]:
        """Refuse: it does not speak."""
        yield await self.complete(request)

    async def make_images(self, request: ImageRequest) -> ImageResult:
        """Return pictures; see `ImageRunner.make_images`."""
        form = _FORMATS.get((request.output_format or "png").lower())
        if form is None:
            raise UsageError(f"Pictures are made as PNG, JPEG or WebP, not {request.output_format!r}.")
        self._refuse(request)
        width, height = _size(request.size)
        count = 1 if request.count is None else request.count
        if not 1 <= count <= _MOST_PICTURES:
            raise UsageError(f"From 1 to {_MOST_PICTURES} pictures can be made at once, not {count}.")
        began_s = time.perf_counter()
        job = {**self._drawing, "prompt": request.prompt, "width": width, "height": height, "batch_count": count}
        async with self._turn:
            made = await self._engine.draw(job, form, deadline_s=self._deadline_s, told=self._told)
        if not made:
            raise ResponseFormatError("stable-diffusion.cpp made no picture.")
        return ImageResult(
            images=tuple(Image(data=data, media_type=f"image/{form.lower()}") for data in made),
            latency=Latency(e2e_latency_s=time.perf_counter() - began_s),
            model=self._model.name,
        )

    async def close(self) -> None:
        """End the engine; twice does no harm."""
        await self._engine.stop()

    def _refuse(self, request: ImageRequest) -> None:
        name = self._model.name
        if request.quality is not None:
            raise UnsupportedError(name, "a word on quality", hint="Choose steps instead: --option steps=30.")
        if request.images or request.mask is not None:
            raise UnsupportedError(name, "changing pictures here", hint="Ask for a new one.")


def _size(text: str | None) -> tuple[int, int]:
    if text is None:
        return 512, 512
    found = _SIZE.fullmatch(text.strip())
    sides = (int(found[1]), int(found[2])) if found else (0, 0)
    if any(side % _STEP_PIXELS or not _LEAST_PIXELS <= side <= _MOST_PIXELS for side in sides):
        raise UsageError(
            f"{text!r} is no size that can be made.",
            hint=f"Write WxH with multiples of {_STEP_PIXELS} up to {_MOST_PIXELS}, such as 512x512.",
        )
    return sides
