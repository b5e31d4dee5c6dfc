"""MMMU-Pro: college questions about pictures, with up to ten choices (Yue et al. 2024, arXiv:2409.02813)."""

from fieldguide.benchmarks.mmmu_pro._benchmark import MmmuPro

__all__ = ["MmmuPro"]
