"""Checks of a model through its runner alone: is the prompt whole, the template right, the answer what it should be?"""

from fieldguide.app.probe._examine import Forecast, examine_model, forecast, longest_prompt
from fieldguide.app.probe._file import template_of_file
from fieldguide.app.probe._finding import Finding
from fieldguide.app.probe._same import Comparison, compare

__all__ = [
    "Comparison",
    "Finding",
    "Forecast",
    "compare",
    "examine_model",
    "forecast",
    "longest_prompt",
    "template_of_file",
]
