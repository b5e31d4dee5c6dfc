"""Receipts: four fields from a scanned receipt (SROIE, Huang et al. 2019, arXiv:2103.10213)."""

from fieldguide.benchmarks.receipts._benchmark import Receipts

__all__ = ["Receipts"]
