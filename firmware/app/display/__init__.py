"""What the meter shows: keys, lists of items, formats, and the view drawn on the 128x64 glass.

`display` is the state machine and its task; `view` knows pixels, `formats` knows numbers, and
what an item's value is comes through a callable. Laid out after VDEW's meter display (DSP-01).
"""
