"""The error tree. Every error says what to do next and whether trying again can help.

FieldguideError
├─ UsageError
│  ├─ UnknownNameError          a name nobody knows, with the nearest ones
│  ├─ UnsupportedError          a subject that cannot do what was asked
│  ├─ SettingsError             a setting that cannot be read
│  ├─ InputFileError            a file of the user's that is malformed, with its line
│  │  └─ FormatError            a model file that is damaged, hostile or something else, with the byte
│  └─ LicenceNotAcceptedError   terms that must be accepted first
├─ CatalogueError               a malformed or contradictory fact
├─ PlanningError
│  └─ InsufficientFactsError    what a plan needs and nobody knows, named
├─ SourceError
│  ├─ NotFoundError
│  ├─ AccessDeniedError
│  ├─ IntegrityError            bytes that are not what was promised
│  ├─ UnsafeFileError          a file that can run code, or a template that reaches outside
│  ├─ DiskSpaceError
│  └─ OfflineError
├─ RunnerError
│  ├─ MissingDependencyError    an extra that is not installed
│  ├─ AuthenticationError
│  │  ├─ MissingKeyError        no key, or none that could be one
│  │  └─ ExpiredCredentialsError
│  ├─ QuotaExhaustedError       a limit that will not clear by waiting
│  ├─ RateLimitError
│  ├─ RunnerTimeoutError
│  ├─ RunnerUnavailableError    cannot be reached, broke off, or is overloaded
│  ├─ ProviderFaultError        the provider stumbled over this request
│  ├─ ContextLengthExceededError
│  ├─ ContentFilterError
│  ├─ ResponseFormatError       an answer that is not of the protocol
│  ├─ InvalidRequestError       refused by the provider as malformed
│  │  ├─ UnknownModelError      the provider has no such model
│  │  └─ WrongRegionError       the provider has it, but not where it was asked for
│  └─ ModelLoadError            a model file the engine will not load
├─ BenchmarkError
│  ├─ DatasetUnavailableError
│  ├─ SandboxError              no way to run untrusted programs safely here
│  └─ ScoringError              a scorer that died or overran
├─ BudgetExceededError
├─ AccessError                  what a key of the gateway does not allow
│  ├─ InvalidKeyError
│  ├─ ForbiddenError
│  └─ KeyLimitError             too much in this minute
├─ OverloadedError              a server that has its hands full
└─ StoreError
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class FieldguideError(Exception):
    """Root of all errors that Fieldguide raises on purpose.

    Attributes:
        message: One sentence: what happened.
        hint: One sentence: what to do next, or None where nothing helps.
        retryable: Whether the same call may succeed later without any change.
    """

    retryable: ClassVar[bool] = False
    default_hint: ClassVar[str | None] = None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint if hint is not None else self.default_hint

    def __str__(self) -> str:
        """Return the message."""
        return self.message


class UsageError(FieldguideError):
    """The request itself cannot be carried out as written."""

    default_hint = "See `fieldguide --help`."


class UnknownNameError(UsageError):
    """A name that nothing is registered under."""

    def __init__(self, kind: str, name: str, close_matches: Sequence[str] = (), *, hint: str | None = None) -> None:
        self.kind = kind
        self.name = name
        self.close_matches = tuple(close_matches)
        if hint is None and self.close_matches:
            hint = "Did you mean " + " or ".join(f"`{match}`" for match in self.close_matches) + "?"
        super().__init__(f"There is no {kind} named {name!r}.", hint=hint)


class UnsupportedError(UsageError):
    """A subject lacks the capability that was asked of it."""

    def __init__(self, subject: str, capability: str, *, hint: str | None = None) -> None:
        self.subject = subject
        self.capability = capability
        super().__init__(f"{subject} does not support {capability}.", hint=hint)


class SettingsError(UsageError):
    """A setting has a value that cannot be used."""

    def __init__(self, key: str, message: str, *, hint: str | None = None) -> None:
        self.key = key
        super().__init__(f"{key}: {message}", hint=hint)


class InputFileError(UsageError):
    """A file given by the user is missing or malformed.

    Attributes:
        path: The file as the user named it.
        line: 1-based line number, or None where the fault is not in a line.
    """

    default_hint = "Mend the file and run the same command again; nothing was changed."

    def __init__(self, path: str, message: str, *, line: int | None = None, hint: str | None = None) -> None:
        self.path = path
        self.line = line
        where = path if line is None else f"{path}, line {line}"
        super().__init__(f"{where}: {message}", hint=hint)


class FormatError(InputFileError):
    """A model file is damaged, hostile, or of a kind that is not read.

    Attributes:
        offset: The byte at which the fault begins; of a JSON file too.
        reason: What is wrong there, as a sentence without a capital.
    """

    default_hint = "Fetch the file again; if it is refused again, take it from another publisher."

    def __init__(self, path: str, offset: int, reason: str, *, hint: str | None = None) -> None:
        self.offset = offset
        self.reason = reason
        super().__init__(path, f"byte {offset}: {reason}.", hint=hint)


class LicenceNotAcceptedError(UsageError):
    """The terms of a model have to be accepted before it is fetched."""

    def __init__(self, subject: str, licence: str, terms_url: str) -> None:
        self.licence = licence
        super().__init__(
            f"{subject} comes under the {licence!r} terms ({terms_url}), which have not been accepted here.",
            hint=f"Read them, then add `--accept-licence {licence}`.",
        )


class CatalogueError(FieldguideError):
    """A curated fact is malformed or contradicts another.

    Attributes:
        file: Name of the YAML file.
        key: Path of the offending key inside it.
    """

    def __init__(self, file: str, key: str, message: str) -> None:
        self.file = file
        self.key = key
        super().__init__(f"{file}: {key}: {message}", hint="Correct this entry; `make check` validates the catalogue.")


class PlanningError(FieldguideError):
    """What was asked cannot be computed."""


class InsufficientFactsError(PlanningError):
    """Numbers that a plan needs are not known, and none is made up.

    Attributes:
        missing: What is not known.
    """

    default_hint = "Plan a file of the model instead: `fieldguide plan FILE.gguf` or its folder."

    def __init__(self, subject: str, missing: Sequence[str], *, hint: str | None = None) -> None:
        self.subject = subject
        self.missing = tuple(missing)
        super().__init__(f"{subject} cannot be planned: not known here: {', '.join(missing)}.", hint=hint)


class SourceError(FieldguideError):
    """A model file could not be had."""


class NotFoundError(SourceError):
    """The source does not hold what was asked for."""


class AccessDeniedError(SourceError):
    """The source refuses this user."""


class IntegrityError(SourceError):
    """The bytes are not the ones that were promised.

    Attributes:
        expected: What was promised (sha256 in hex, or a size in bytes).
        actual: What came.
    """

    default_hint = "The file was not kept. Fetch it again; if it happens twice, do not trust this source."

    def __init__(self, subject: str, *, expected: str, actual: str, hint: str | None = None) -> None:
        self.expected = expected
        self.actual = actual
        super().__init__(f"{subject} is not what was promised: expected {expected}, got {actual}.", hint=hint)


class UnsafeFileError(SourceError):
    """A file is refused whatever it holds, or for what its template does.

    Attributes:
        path: Its name in its repository.
        reason: Why, as the rest of a sentence that begins with the file's name.
    """

    default_hint = "It was not kept and nothing in it was run. Look for the model in GGUF or safetensors elsewhere."

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path} {reason}.")


class DiskSpaceError(SourceError):
    """The disk cannot hold what is needed (both figures in bytes)."""

    def __init__(self, where: str, *, needed_bytes: int, free_bytes: int) -> None:
        self.needed_bytes = needed_bytes
        self.free_bytes = free_bytes
        super().__init__(
            f"{where} has {free_bytes / 1e9:.2f} GB free and {needed_bytes / 1e9:.2f} GB are needed.",
            hint="Free some space, or put the user folder elsewhere with `--home DIR`; what was fetched is kept.",
        )


class OfflineError(SourceError):
    """The network, or the source behind it, cannot be reached."""

    retryable = True
    default_hint = (
        "Check the network or the proxy settings and run the same command again; it goes on where it stopped."
    )


class RunnerError(FieldguideError):
    """A model could not be asked, or its answer not be read.

    Attributes:
        refused: The provider refused the request by its status, and so did no work that it could charge for.
    """

    refused: bool = False


class MissingDependencyError(RunnerError):
    """A feature needs an extra that is not installed."""

    def __init__(self, feature: str, *, extra: str) -> None:
        self.extra = extra
        super().__init__(
            f"{feature} needs packages that are not installed.", hint=f"Install them: pip install 'fieldguide[{extra}]'"
        )


class AuthenticationError(RunnerError):
    """The provider does not accept the key, or there is none.

    Attributes:
        forbidden: The key is known and this request is not allowed (403), which may concern its content alone.
    """

    def __init__(self, message: str, *, forbidden: bool = False, hint: str | None = None) -> None:
        self.forbidden = forbidden
        super().__init__(message, hint=hint)


class MissingKeyError(AuthenticationError):
    """A provider needs a key and none was given.

    Attributes:
        variable: The environment variable that would hold it.
    """

    def __init__(self, provider: str, *, variable: str, where: str) -> None:
        self.variable = variable
        super().__init__(
            f"{provider} needs a key, and the variable {variable} holds none.",
            hint=f"Get one at {where}, then: export {variable}=... (or name another variable: `--api-key-env`).",
        )


class ExpiredCredentialsError(AuthenticationError):
    """Credentials that were good and are no longer."""

    default_hint = "Renew them (sign in again), then run the same command: finished answers are kept."


class QuotaExhaustedError(RunnerError):
    """The account has no credit or quota left; waiting does not help."""

    default_hint = "Top up or raise the limit at the provider, then run the same command: finished answers are kept."


class RateLimitError(RunnerError):
    """Too many requests; `retry_after_s` seconds is what the provider asks for, None where it does not say."""

    retryable = True

    def __init__(self, message: str, *, retry_after_s: float | None = None, hint: str | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message, hint=hint)


class RunnerTimeoutError(RunnerError):
    """No complete answer within the deadline."""

    retryable = True


class RunnerUnavailableError(RunnerError):
    """The endpoint or the child process cannot be reached, broke off, or is overloaded.

    Attributes:
        retry_after_s: What the provider asks to wait (seconds); None where it does not say.
        unreached: No connection came about, so that nothing was asked and nothing can be owed.
    """

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: float | None = None,
        unreached: bool = False,
        hint: str | None = None,
    ) -> None:
        self.retry_after_s = retry_after_s
        self.unreached = unreached
        super().__init__(message, hint=hint)


class ProviderFaultError(RunnerError):
    """The provider reports a fault of its own with this request (HTTP 500)."""

    retryable = True


class ContextLengthExceededError(RunnerError):
    """Prompt and completion do not fit the model's context (tokens; None where the provider does not say)."""

    def __init__(self, message: str, *, limit_tokens: int | None = None, requested_tokens: int | None = None) -> None:
        self.limit_tokens = limit_tokens
        self.requested_tokens = requested_tokens
        super().__init__(message, hint="Shorten the prompt, ask for fewer output tokens, or choose a larger context.")


class ContentFilterError(RunnerError):
    """The provider withheld the answer on grounds of policy."""


class ResponseFormatError(RunnerError):
    """The answer is not of the protocol: cut, malformed, empty, or an error in disguise."""

    retryable = True


class InvalidRequestError(RunnerError):
    """The provider says that the request is malformed or names an unknown model.

    Attributes:
        of_endpoint: Every request to this address meets it: there is no such model or path, or it has moved.
    """

    def __init__(self, message: str, *, of_endpoint: bool = False, hint: str | None = None) -> None:
        self.of_endpoint = of_endpoint
        super().__init__(message, hint=hint)


class UnknownModelError(InvalidRequestError):
    """The provider has no model of this name, or none that this key may use."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, of_endpoint=True, hint=hint)


class WrongRegionError(InvalidRequestError):
    """The model, or the account, is not to be had in the region that was asked."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, of_endpoint=True, hint=hint)


class ModelLoadError(RunnerError):
    """The engine will not load this model file."""


class BenchmarkError(FieldguideError):
    """An exam could not be built or judged."""


class DatasetUnavailableError(BenchmarkError):
    """The data of a benchmark are not where they were looked for."""


class SandboxError(BenchmarkError):
    """Untrusted programs cannot be run in isolation, so that none was run."""

    default_hint = "See `fieldguide doctor` for what this machine offers."


class ScoringError(BenchmarkError):
    """A scorer died or overran; the answer is kept and can be scored again."""


class BudgetExceededError(FieldguideError):
    """What is left of a budget is less than a request may cost."""

    default_hint = "Ask for fewer output tokens, or raise the budget."


class AccessError(FieldguideError):
    """A key of the gateway does not allow this."""


class InvalidKeyError(AccessError):
    """No key, or one that was never made, has been revoked or has run out. Which of them is not said."""

    default_hint = "Ask whoever runs the gateway for a key: `fieldguide keys create NAME`."


class ForbiddenError(AccessError):
    """The key is good, and its role does not reach here."""


class KeyLimitError(AccessError):
    """A key has used what it may use for now; `retry_after_s` seconds later it may go on."""

    retryable = True

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message, hint="Wait, or ask whoever runs the gateway to raise the limit.")


class OverloadedError(FieldguideError):
    """A server answers as many requests as it takes at once; `retry_after_s` seconds later it may take one more."""

    retryable = True

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message, hint="Ask again in a moment, and with fewer requests at once.")


class StoreError(FieldguideError):
    """The records cannot be read or written."""
