"""Speed on a machine on which the engine itself was timed, with models of known shape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fieldguide.domain import EngineMeasurement, MatrixCost
from fieldguide.planner._block_types import block_of
from fieldguide.planner._ranges import Range
from fieldguide.planner._speed_load import DecodeLoad, DecodeSpeed, MatrixLoad

_SPREAD = Range(low=0.75, likely=1.0, high=1.25)
"""Of the measured speed: what shapes other than the timed ones make of it."""
_CACHE_SHARE = 0.5
"""Of the rate at which memory is copied, what reading keys and values reaches (as on the CPUs of our constants)."""
_USUAL_COLUMNS = 2048


def measured_decode(load: DecodeLoad, measured: EngineMeasurement, *, sequences: int = 1) -> DecodeSpeed:
    """Return the speed of generation from the time that weights, rows, attention and choosing took.

    Several sequences share the reading of weights but not the arithmetic, which is what a processor waits for: each
    further one is taken to cost what a prompt's token does.
    """
    bits = 8 * load.weights_bytes / load.active_parameters
    matrices = load.matrices or unknown_matrices(load.active_parameters, bits)
    weights, rows = _step(matrices, measured)
    attention = load.attended_numbers * measured.decode_attention_s
    cache = load.kv_bytes / (_CACHE_SHARE * measured.copy_bytes_per_s)
    further = min(_prompt_token_s(matrices, measured), weights + rows)
    step = weights + rows + (sequences - 1) * further + sequences * (attention + cache)
    return DecodeSpeed(
        tokens_per_s=_SPREAD.scaled(1 / step),
        total_tokens_per_s=_SPREAD.scaled(sequences / step),
        bound="fixed cost" if rows > weights + cache else "bandwidth",
        formula=(
            f"step = {_text(matrices, measured)} + attention to keys and values {1e3 * attention:.2f} ms"
            f" + reading them {1e3 * cache:.2f} ms"
        ),
        source=_source(measured),
    )


def measured_prefill(
    matrices: Sequence[MatrixLoad], attended_numbers: float, prompt_tokens: int, measured: EngineMeasurement
) -> Range:
    """Return the tokens of a prompt per second; its last token passes the output layer too."""
    token_s = _prompt_token_s((each for each in matrices if each.in_prompts), measured)
    token_s += attended_numbers * measured.prefill_attention_s
    head_s = sum(_step((each for each in matrices if not each.in_prompts), measured))
    return _SPREAD.scaled(1 / (token_s + head_s / prompt_tokens))


def unknown_matrices(parameters: float, bits: float) -> tuple[MatrixLoad, ...]:
    """Return what stands for matrices that are not known: one type of these bits, and rows of usual length."""
    return (MatrixLoad(type="", bits=bits, weights=parameters, rows=parameters / _USUAL_COLUMNS),)


def cost_of(matrix: MatrixLoad, costs: Iterable[MatrixCost]) -> MatrixCost:
    """Return what its type was seen to cost; of a type that was not timed, the nearest in kind and in bits.

    Types whose values stand in a table (`IQ4_XS`) are slower to unpack than others of their size.
    """

    def distance(cost: MatrixCost) -> tuple[bool, bool, float]:
        weights, block_bytes = block_of(cost.type)
        other_kind = matrix.type.startswith("IQ") != cost.type.startswith("IQ")
        return matrix.type != cost.type, other_kind, abs(8 * block_bytes / weights - matrix.bits)

    return min(costs, key=distance)


def _step(matrices: Iterable[MatrixLoad], measured: EngineMeasurement) -> tuple[float, float]:
    """Return the seconds that weights take, no less than reading them does, and those that rows take besides.

    Work on rows goes on while weights are read; a token is chosen only when the whole head has been.
    """
    weights, rows = 0.0, 0.0
    for matrix in matrices:
        cost = cost_of(matrix, measured.decode)
        of_rows = matrix.rows * _row_s(matrix, cost, measured)
        read = matrix.weights * matrix.bits / 8 / measured.read_bytes_per_s
        meanwhile = of_rows if matrix.in_prompts else 0.0
        weights += max(matrix.weights * cost.weight_s, read - meanwhile)
        rows += of_rows
    return weights, rows


def _prompt_token_s(matrices: Iterable[MatrixLoad], measured: EngineMeasurement) -> float:
    costs = ((matrix, cost_of(matrix, measured.prefill)) for matrix in matrices)
    return sum(matrix.weights * cost.weight_s + matrix.rows * cost.row_s for matrix, cost in costs)


def _row_s(matrix: MatrixLoad, cost: MatrixCost, measured: EngineMeasurement) -> float:
    return cost.row_s if matrix.in_prompts else measured.logit_s


def _text(matrices: Iterable[MatrixLoad], measured: EngineMeasurement) -> str:
    terms = []
    for matrix in matrices:
        cost = cost_of(matrix, measured.decode)
        name = matrix.type if matrix.type == cost.type else f"{matrix.type} (as {cost.type})".strip()
        terms.append(
            f"{matrix.weights / 1e6:.1f}e6 weights of {name} x {cost.weight_s * 1e9:.3f} ns"
            f" + {matrix.rows / 1e3:.0f}e3 rows x {_row_s(matrix, cost, measured) * 1e9:.1f} ns"
        )
    return " + ".join(terms)


def _source(measured: EngineMeasurement) -> str:
    busy = "" if measured.quiet else ", while other work kept it from its cores"
    return f"measured here on {measured.measured_on} with {measured.engine} {measured.version}{busy}"
