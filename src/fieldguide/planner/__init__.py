"""Pure arithmetic on models and machines: bytes, FLOPs, seconds, dollars."""

__all__: list[str] = []
