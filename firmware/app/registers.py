"""The register file: every measured value with its OBIS code, scaler and unit, in one table.

Values come from metrology's quantities (micro units) and energies (whole Wh, varh, VAh) at the
moment they are asked for; nothing is copied and nothing is a float. Class 3 objects, the display
and the profiles all read here, so a quantity is added in one place. Codes are the value groups C,
D, E of 1-0:C.D.E.255 (rows MET-08 to MET-18, MET-25, MET-26, EN-02).
"""

import struct

from micropython import const

from metrology.energy import ABSOLUTE
from metrology.quantities import exporting, isqrt

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from metrology.energy import Energies
    from metrology.quantities import Quantities

    Reader = Callable[["RegisterFile", int], int]

# Units, Blue Book table of class 3
UNIT_DEGREE = const(8)
UNIT_W = const(27)
UNIT_VA = const(28)
UNIT_VAR = const(29)
UNIT_WH = const(30)
UNIT_VAH = const(31)
UNIT_VARH = const(32)
UNIT_A = const(33)
UNIT_V = const(35)
UNIT_HZ = const(44)
UNIT_PERCENT = const(56)
UNIT_NONE = const(255)

# A-XDR tags of the values
TAG_INT32 = const(5)
TAG_UINT32 = const(6)
TAG_INT16 = const(16)
TAG_UINT16 = const(18)
TAG_INT64 = const(20)
TAG_UINT64 = const(21)

# Index of an energy in metrology -> C, unit
_ENERGIES = (
    (1, UNIT_WH),
    (2, UNIT_WH),
    (3, UNIT_VARH),
    (4, UNIT_VARH),
    (5, UNIT_VARH),
    (6, UNIT_VARH),
    (7, UNIT_VARH),
    (8, UNIT_VARH),
    (9, UNIT_VAH),
    (10, UNIT_VAH),
    (15, UNIT_WH),
    (16, UNIT_WH),
)
_NET = const(16)
_TOTAL = const(-1)  # phase index that stands for the sum of all phases
_ROW = "<BBBbBBBb"
_ROW_SIZE = const(8)
_PHASE_C = const(20)  # C of a phase quantity is C of the total + 20, 40 or 60


class RegisterFile:
    """All registers of the meter, by index 0..count-1 and by C, D, E."""

    def __init__(
        self,
        quantities: "Quantities",
        energies: "Energies",
        neutral: bool,
        primary: "Callable[[int], int] | None" = None,
    ) -> None:
        """`primary` takes measured powers and currents to those before a transformer, if any."""
        self._primary = primary or _as_measured
        self._quantities = quantities
        self._energies = energies
        self._readers: list[Reader] = []
        # C, D, E, scaler, unit, tag, place of the reader, its argument: an octet each, because
        # a hundred tuples would take ten times the room
        self._rows = bytearray()
        add = self._add
        for index, (c, unit) in enumerate(_ENERGIES):
            tag = TAG_INT64 if c == _NET else TAG_UINT64
            add(c, 8, 0, 0, unit, tag, RegisterFile._energy, index)
        self._add_powers(_TOTAL)
        add(13, 7, 0, -3, UNIT_NONE, TAG_INT16, RegisterFile._power_factor, _TOTAL)
        add(14, 7, 0, -3, UNIT_HZ, TAG_UINT32, RegisterFile._frequency_mhz, _TOTAL)
        for phase in range(quantities.phases):
            c = _PHASE_C * (phase + 1)
            self._add_powers(phase)
            add(c + 11, 7, 0, -3, UNIT_A, TAG_UINT32, RegisterFile._current_ma, phase)
            add(c + 11, 7, 124, -2, UNIT_PERCENT, TAG_UINT16, RegisterFile._thd_i, phase)
            add(c + 12, 7, 0, -2, UNIT_V, TAG_UINT32, RegisterFile._voltage_cv, phase)
            add(c + 12, 7, 124, -2, UNIT_PERCENT, TAG_UINT16, RegisterFile._thd_u, phase)
            add(c + 13, 7, 0, -3, UNIT_NONE, TAG_INT16, RegisterFile._power_factor, phase)
            add(c + 14, 7, 0, -3, UNIT_HZ, TAG_UINT32, RegisterFile._frequency_mhz, phase)
            # angles as Blue Book names them: 10 from U1 to U2, 04 from U1 to I1
            if phase:
                add(81, 7, 10 * phase, -1, UNIT_DEGREE, TAG_UINT16, RegisterFile._angle_u, phase)
            add(81, 7, 11 * phase + 4, -1, UNIT_DEGREE, TAG_UINT16, RegisterFile._angle_ui, phase)
        add(90, 7, 0, -3, UNIT_A, TAG_UINT32, RegisterFile._current_ma, _TOTAL)
        if neutral:
            add(91, 7, 0, -3, UNIT_A, TAG_UINT32, RegisterFile._neutral_current_ma, _TOTAL)
        self.count = len(self._rows) // _ROW_SIZE

    def find(self, c: int, d: int, e: int) -> int:
        """Return the index of 1-0:c.d.e.255, or -1 if the meter has no such register."""
        code = bytes((c, d, e))
        at = self._rows.find(code)
        while at % _ROW_SIZE and at >= 0:  # octets of a row that look like a code
            at = self._rows.find(code, at + 1)
        return at // _ROW_SIZE if at >= 0 else -1

    def obis(self, index: int) -> tuple[int, int, int]:
        """Return (C, D, E) of a register."""
        at = index * _ROW_SIZE
        return self._rows[at], self._rows[at + 1], self._rows[at + 2]

    def value(self, index: int) -> int:
        """Return the present value; times 10**scaler it is in the register's unit."""
        return self.of_element(index, 0)

    def form(self, index: int) -> "tuple[int, int, int]":
        """Return the power of ten, the unit code and the A-XDR type of the value."""
        return struct.unpack_from(_ROW, self._rows, index * _ROW_SIZE)[3:6]

    def of_element(self, index: int, element: int) -> int:
        """Return what register `index`, which is of the first phase, is of element 0 or 1."""
        row = struct.unpack_from(_ROW, self._rows, index * _ROW_SIZE)
        place: int = row[6]
        return self._readers[place](self, row[7] + element)

    def _add(  # noqa: PLR0913, PLR0917 - the columns of a table
        self,
        c: int,
        d: int,
        e: int,
        scaler: int,
        unit: int,
        tag: int,
        reader: "Reader",
        argument: int,
    ) -> None:
        if reader not in self._readers:
            self._readers.append(reader)
        place = self._readers.index(reader)
        self._rows += struct.pack(_ROW, c, d, e, scaler, unit, tag, place, argument)

    def _add_powers(self, phase: int) -> None:
        add = self._add
        base = _PHASE_C * (phase + 1)
        for c, unit, reader in (
            (1, UNIT_W, RegisterFile._active_import),
            (2, UNIT_W, RegisterFile._active_export),
            (3, UNIT_VAR, RegisterFile._reactive_positive),
            (4, UNIT_VAR, RegisterFile._reactive_negative),
            (9, UNIT_VA, RegisterFile._apparent_import),
            (10, UNIT_VA, RegisterFile._apparent_export),
        ):
            add(base + c, 7, 0, -1, unit, TAG_UINT32, reader, phase)
        for quadrant in (1, 2, 3, 4):
            argument = quadrant * 4 + phase
            c = base + 4 + quadrant
            add(c, 7, 0, -1, UNIT_VAR, TAG_UINT32, RegisterFile._reactive_in_quadrant, argument)
        if phase == _TOTAL:
            add(15, 7, 0, -1, UNIT_W, TAG_UINT32, RegisterFile._active_absolute, phase)
            add(16, 7, 0, -1, UNIT_W, TAG_INT32, RegisterFile._active_net, phase)

    def _energy(self, index: int) -> int:
        return self._energies.wh[index]

    def _p_uw(self, phase: int) -> int:
        """Active power; the total is that which the total energies count (row MET-08)."""
        quantities = self._quantities
        p_uw = quantities.p_total_uw if phase == _TOTAL else quantities.p_uw[phase]
        if phase == _TOTAL and self._energies.mode == ABSOLUTE:
            p_uw = sum([abs(one) for one in quantities.p_uw])
        return self._primary(p_uw)

    def _q_uvar(self, phase: int) -> int:
        quantities = self._quantities
        q_uvar = quantities.q_total_uvar if phase == _TOTAL else quantities.q_uvar[phase]
        return self._primary(q_uvar)

    def _s_uva(self, phase: int) -> int:
        quantities = self._quantities
        s_uva = quantities.s_total_uva if phase == _TOTAL else quantities.s_uva[phase]
        if phase == _TOTAL and self._energies.mode == ABSOLUTE:
            p_uw = sum([abs(one) for one in quantities.p_uw])
            s_uva = isqrt(p_uw * p_uw + quantities.q_total_uvar**2)
        return self._primary(s_uva)

    def _angle_u(self, phase: int) -> int:
        return _rounded(self._quantities.angle_u_mdeg(phase), 100) % 3600

    def _angle_ui(self, phase: int) -> int:
        return _rounded(self._quantities.angle_ui_mdeg(phase), 100) % 3600

    def _active_import(self, phase: int) -> int:
        return _rounded(max(0, self._p_uw(phase)), 100_000)

    def _active_export(self, phase: int) -> int:
        return _rounded(max(0, -self._p_uw(phase)), 100_000)

    def _active_absolute(self, phase: int) -> int:
        return _rounded(abs(self._p_uw(phase)), 100_000)

    def _active_net(self, phase: int) -> int:
        return _rounded(self._p_uw(phase), 100_000)

    def _reactive_positive(self, phase: int) -> int:
        return _rounded(max(0, self._q_uvar(phase)), 100_000)

    def _reactive_negative(self, phase: int) -> int:
        return _rounded(max(0, -self._q_uvar(phase)), 100_000)

    def _reactive_in_quadrant(self, argument: int) -> int:
        """Only the quadrant that P and Q stand in shows a value (row MET-14)."""
        phase = (argument + 1) % 4 - 1
        quadrant = (argument - phase) // 4
        q_uvar = self._q_uvar(phase)
        exports = exporting(self._p_uw(phase), q_uvar)
        present = (2 if exports else 1) if q_uvar >= 0 else (3 if exports else 4)
        return _rounded(abs(q_uvar), 100_000) if present == quadrant else 0

    def _apparent_import(self, phase: int) -> int:
        return 0 if self._exports(phase) else _rounded(self._s_uva(phase), 100_000)

    def _apparent_export(self, phase: int) -> int:
        return _rounded(self._s_uva(phase), 100_000) if self._exports(phase) else 0

    def _exports(self, phase: int) -> bool:
        return exporting(self._p_uw(phase), self._q_uvar(phase))

    def _power_factor(self, phase: int) -> int:
        quantities = self._quantities
        ppm = quantities.pf_total_ppm if phase == _TOTAL else quantities.pf_ppm[phase]
        return _rounded(ppm, 1000)

    def _frequency_mhz(self, phase: int) -> int:
        return _rounded(self._quantities.f_uhz, 1000)

    def _voltage_cv(self, phase: int) -> int:
        return _rounded(self._quantities.u_uv[phase], 10_000)

    def _current_ma(self, phase: int) -> int:
        currents_ua = self._quantities.i_ua
        i_ua = sum(currents_ua) if phase == _TOTAL else currents_ua[phase]
        return _rounded(self._primary(i_ua), 1000)

    def _neutral_current_ma(self, phase: int) -> int:
        return _rounded(self._primary(self._quantities.in_ua), 1000)

    def _thd_u(self, phase: int) -> int:
        return min(65535, _rounded(self._quantities.thd_u_ppm[phase], 100))

    def _thd_i(self, phase: int) -> int:
        return min(65535, _rounded(self._quantities.thd_i_ppm[phase], 100))


def _as_measured(value: int) -> int:
    return value


def _rounded(value: int, divisor: int) -> int:
    """Divide to the nearest, halves away from zero, so that import and export round alike."""
    half = divisor // 2
    return (value + half) // divisor if value >= 0 else -((half - value) // divisor)
