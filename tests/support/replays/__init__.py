"""One module per provider, each with a tuple `REPLAYS`."""
