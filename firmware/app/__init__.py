"""The application: everything above metrology, cooperative tasks in one thread.

It reads metrology through its quantities, energies and pulses only, stands on the board's parts
(hal.py), and may be updated without touching the legally relevant part.
"""
