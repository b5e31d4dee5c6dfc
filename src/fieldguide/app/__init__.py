"""One module per use case: each joins rooms into one value that command line, server and page only render.

The modules are the public interface and are imported one by one, so that a command loads only what it needs.
"""

__all__: list[str] = []
