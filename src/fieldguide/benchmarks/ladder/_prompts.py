"""The words around a question: one fixed form for each skill.

Plain text to be continued and not a conversation, because small models show what they can do only this way, and each
skill in the form that it has in the wild: `12 + 7 =`, a list with one term a line, a program with its output. Asked as
`Q:` and `A:`, SmolLM2-135M continued none of the sequences that it continues in this form. The same bytes must also
serve as one user message to a chat model, hence the instruction at the top.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fieldguide.benchmarks.ladder._problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How the questions of one skill are asked."""

    instruction: str
    """First line, for models that answer rather than continue."""
    before: str = ""
    after: str
    """What stands between a question and its answer.

    It never ends in a space: most tokenizers join a space to the word after it, and after a lone space a model would
    have to go on with a token that it has hardly ever seen there.
    """
    between: str = ""
    """What follows each worked example."""
    examples: tuple[Problem, ...] = ()
    """Worked examples. They never occur as items."""

    @property
    def prefix(self) -> str:
        """The bytes that all prompts of the skill begin with, so that engines compute them once."""
        worked = (f"{self._asked(shot.question)} {shot.target}\n{self.between}" for shot in self.examples)
        return f"{self.instruction}\n{self.between}{''.join(worked)}"

    def prompt(self, question: str) -> str:
        """Return the whole prompt."""
        return self.prefix + self._asked(question)

    def _asked(self, question: str) -> str:
        return f"{self.before}{question}{self.after}"


FORMS: Mapping[str, Form] = {
    "arithmetic": Form(
        instruction="Continue. Give only the last answer.",
        after=" =",
        examples=(
            Problem(question="2 + 3", target="5"),
            Problem(question="16 + 1", target="17"),
            Problem(question="9 - 4", target="5"),
            Problem(question="8 + 6", target="14"),
            Problem(question="47 - 5", target="42"),
            Problem(question="26 + 31", target="57"),
            Problem(question="6 * 7", target="42"),
        ),
    ),
    "stories": Form(
        instruction="Answer the last question. Give only the answer.",
        before="Question: ",
        after="\nAnswer:",
        between="\n",
        examples=(
            Problem(question="Tom has 14 pencils. How many pencils does Tom have now?", target="14"),
            Problem(question="Mia has 9 stones. Tom has 5 stones. How many stones does Tom have now?", target="5"),
            Problem(question="Sam has 27 leaves. How many leaves does Sam have now?", target="27"),
            Problem(question="Tom has 7 nuts. Tom finds 1 more nut. How many nuts does Tom have now?", target="8"),
        ),
    ),
    # No examples: terms of another sequence mislead small models more than the form of an answer helps them.
    "sequences": Form(instruction="What is the next term? Give only the number.", after="\nTerm:"),
    "programs": Form(
        instruction="What does the last program print? Give only the output.",
        before="Program:\n",
        after="\nOutput:",
        between="\n",
        examples=(
            Problem(question='print("bird")', target="bird"),
            Problem(question="print(3 + 4)", target="7"),
            Problem(question="x = 12\nprint(x)", target="12"),
            Problem(question='a = "to"\nprint(a + "me")', target="tome"),
        ),
    ),
}
