"""What every board's `board.py` offers: one function that gives its parts."""

from hal import Board

def parts() -> Board: ...
