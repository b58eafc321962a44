"""Parts that a meter may be built without; `choices` says which go together.

A part is a module here with two functions: `fit(meter)` builds it when measuring, memories, clock,
logs and what captures profiles are there, and returns what adds sections of objects; `join(meter)`
ties it to display and catalogue when they are. What has to be told of a start, a look every ten
seconds, or a damaged region of the memory says so in the lists of app.meter. What is not chosen is
not imported and needs not be on the board; tools/board_manifest.py holds images to that.
"""
