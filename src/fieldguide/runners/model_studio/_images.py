"""Pictures by DashScope: a task is handed in, and asked for until it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fieldguide.domain import Image, ImageRequest, ImageResult, JsonValue, Latency, kept_for
from fieldguide.errors import ResponseFormatError, UnsupportedError
from fieldguide.runners._json import further, objects_of, text_of
from fieldguide.runners.model_studio._errors import error_in
from fieldguide.runners.model_studio._messages import API, PROVIDER
from fieldguide.runners.model_studio._response import parse_json

IMAGE_PATH = "/services/aigc/text2image/image-synthesis"
_INPUT_FIELDS = frozenset({"negative_prompt", "ref_img"})
_UNDONE = frozenset({"PENDING", "RUNNING", "SUSPENDED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a provider says of work it does in the background."""

    task_id: str
    status: str
    """`PENDING`, `RUNNING`, `SUCCEEDED`, `FAILED`, `CANCELED`, ..."""
    output: dict[str, Any]
    usage: JsonValue = None
    request_id: str | None = None

    @property
    def done(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status not in _UNDONE


def image_body(request: ImageRequest, *, model: str) -> dict[str, JsonValue]:
    """Return the JSON body of a task; extra parameters stand among the parameters, but for those of the input.

    Raises:
        UnsupportedError: It asks for what these models do not take.
    """
    for name, given in (
        ("pictures to start from", request.images or request.mask),
        ("a quality", request.quality),
        ("a choice of the format", request.output_format),
    ):
        if given:
            raise UnsupportedError(f"{API} for pictures", name)
    own = dict(request.extra.get(PROVIDER, {}))
    inputs = {name: own.pop(name) for name in sorted(_INPUT_FIELDS & set(own))}
    parameters: dict[str, JsonValue] = {}
    if request.count is not None:
        parameters["n"] = request.count
    if request.size is not None:
        parameters["size"] = request.size.replace("x", "*")
    return {"model": model, "input": {"prompt": request.prompt, **inputs}, "parameters": parameters | own}


def parse_task(text: str) -> Task:
    """Return the task that a body tells of.

    Raises:
        ResponseFormatError: It tells of none.
        RunnerError: It is an error, or the task ended with one.
    """
    body = parse_json(text)
    output = body["output"]
    task_id, status = text_of(output.get("task_id")), text_of(output.get("task_status"))
    if not task_id or not status:
        raise ResponseFormatError("The endpoint answered without any task.")
    if status in {"FAILED", "UNKNOWN"}:
        raise error_in(output, status=200)
    if status == "CANCELED":
        raise ResponseFormatError("The task was cancelled.")
    request_id = text_of(body.get("request_id"))
    return Task(task_id=task_id, status=status, output=output, usage=body.get("usage"), request_id=request_id)


def images_of(task: Task, *, e2e_latency_s: float) -> ImageResult:
    """Return the pictures of a task that is done; they are addresses that hold for a day.

    Raises:
        ResponseFormatError: There is none.
        RunnerError: The first one failed, and no other was made.
    """
    results = objects_of(task.output.get("results"))
    made = [each for each in results if text_of(each.get("url"))]
    if not made:
        if results:
            raise error_in(results[0], status=200)
        raise ResponseFormatError("The task ended without any picture.")
    return ImageResult(
        images=tuple(
            Image(url=each["url"], provider_data=kept_for(PROVIDER, further(each, "url", "actual_prompt")))
            for each in made
        ),
        revised_prompts=tuple(text_of(each.get("actual_prompt")) for each in made),
        latency=Latency(e2e_latency_s=e2e_latency_s),
        raw_usage=task.usage,
        metadata={**further(task.output, "results"), "request_id": task.request_id},
    )
