"""Fieldguide: look a generative model up, run it wherever it lives, and settle which one is better."""

__version__ = "0.1.0"
