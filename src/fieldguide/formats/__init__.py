"""Headers of model files, read within bounds and without loading a tensor."""

__all__: list[str] = []
