"""Benchmarks: load data sets, build exams, extract and score answers; one module each."""

from fieldguide.benchmarks._interface import AnswerScorer, Benchmark, ExamRequest

__all__ = ["AnswerScorer", "Benchmark", "ExamRequest"]
