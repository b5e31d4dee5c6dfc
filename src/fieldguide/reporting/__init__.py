"""Turns values into one page of HTML that explains itself: verdicts, scores, charts and every question.

The page is a single file. It loads nothing, runs no script, and can be read on paper, on a telephone and offline.
"""

from fieldguide.reporting._curves import Curves, Line, draw_curves, write_curves_html, write_curves_png
from fieldguide.reporting._render import render_html, report_parts, style_sheet, template_environment, write_html
from fieldguide.reporting._size_page import (
    SizeChart,
    SizeMark,
    SizeMeaning,
    SizeNeedShown,
    SizePage,
    draw_sizes,
    render_size_page,
    write_size_page,
)
from fieldguide.reporting._values import (
    Report,
    ReportAnswer,
    ReportExam,
    ReportGroup,
    ReportItem,
    ReportModel,
    ReportResult,
    ReportVerdict,
)

__all__ = [
    "Curves",
    "Line",
    "Report",
    "ReportAnswer",
    "ReportExam",
    "ReportGroup",
    "ReportItem",
    "ReportModel",
    "ReportResult",
    "ReportVerdict",
    "SizeChart",
    "SizeMark",
    "SizeMeaning",
    "SizeNeedShown",
    "SizePage",
    "draw_curves",
    "draw_sizes",
    "render_html",
    "render_size_page",
    "report_parts",
    "style_sheet",
    "template_environment",
    "write_curves_html",
    "write_curves_png",
    "write_html",
    "write_size_page",
]
