"""Runs untrusted programs in isolation and judges them; the expected outputs never go where the programs are."""

from fieldguide.scoring.code_judge._inside.plan import Tier
from fieldguide.scoring.code_judge._judge import CodeJudge
from fieldguide.scoring.code_judge._private_tests import decode_private_tests
from fieldguide.scoring.code_judge._self_test import why_not
from fieldguide.scoring.code_judge._tiers import TIERS
from fieldguide.scoring.code_judge._values import (
    CallTest,
    Judgement,
    Limits,
    Mode,
    ProgramRun,
    ProgramTest,
    StdinTest,
    Submission,
    Test,
    Verdict,
)

__all__ = [
    "TIERS",
    "CallTest",
    "CodeJudge",
    "Judgement",
    "Limits",
    "Mode",
    "ProgramRun",
    "ProgramTest",
    "StdinTest",
    "Submission",
    "Test",
    "Tier",
    "Verdict",
    "decode_private_tests",
    "why_not",
]
