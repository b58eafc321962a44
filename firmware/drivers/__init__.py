"""Drivers: one file a chip. Bus and pins come in; only a board's `board.py` imports them."""
