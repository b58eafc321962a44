"""Parts that a meter may be built without; `choices` says which go together.

A part is a module here with two functions: `fit(meter)` builds it when engine, events and settings
are there, and returns what adds its objects; `join(meter)` ties it to tariff and display when they
are. What is not chosen is not imported and needs not be on the board; tools/board_manifest.py
holds images to that.
"""
