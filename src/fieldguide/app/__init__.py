"""One module per use case: each joins rooms into one value that command line, server and page only render."""

from fieldguide.app.ask import Answer, ask
from fieldguide.app.compare import Comparison, compare
from fieldguide.app.evaluate import EvaluateRequest, Evaluation, ExamResult, evaluate
from fieldguide.app.exams import build_exam
from fieldguide.app.references import ModelOptions, open_model
from fieldguide.app.report import write_report
from fieldguide.app.score import Scored, score_file
from fieldguide.app.wiring import House, open_house

__all__ = [
    "Answer",
    "Comparison",
    "EvaluateRequest",
    "Evaluation",
    "ExamResult",
    "House",
    "ModelOptions",
    "Scored",
    "ask",
    "build_exam",
    "compare",
    "evaluate",
    "open_house",
    "open_model",
    "score_file",
    "write_report",
]
