"""Outlives the toy firmware: what it shall do and what it has done."""

scenario = None
lives = []
