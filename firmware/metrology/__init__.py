"""Measures: from ADC frames to quantities, energies and pulses. Legally relevant (WELMEC 7.2).

The way of a frame to a kWh:

1. `frame` A driver's ring holds chip frames (24-bit words with a CRC). `Decoder` turns them into
   channels u1 i1 u2 i2 u3 i3 in: signed 24-bit codes in an array of 32-bit words.
2. `engine` `Engine.poll` takes blocks of at most 64 frames to `kernel`, viper
   code, which finds the mains' zero crossings, delays voltage against current as calibrated, and
   sums products exactly: u*u, i*i, u*i, and both with a sine and cosine of the mains frequency.
3. `accumulators` At a zero crossing, 10 cycles (12 at 60 Hz) after the last, the sums leave as a
   `RawSums`. The frames at the crossing are split in proportion, so a window holds whole cycles
   although cycles are not whole frames, and no part of any frame is lost.
4. `calibration` says what a code is worth: the board's sensor scale, corrected by the factory.
5. `quantities` turns sums into micro-units: U, I, P, Q, S, power factor, THD, angles, frequency.
6. `energy` adds power times time to the twelve totals; what is less than a Wh stays as residue.
7. `pulse` turns the same energy into LED pulses, one per 1/constant of a kWh, for ever.
8. Beside the windows `half_cycle`, with `voltage_kernel`, keeps the one-cycle RMS of each voltage.

Integers only: no float, no allocation per frame. Nothing here knows a register or a board.
"""
