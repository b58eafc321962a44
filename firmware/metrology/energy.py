"""The twelve total energies: power times time, with every remainder carried.

quantities.py's powers come in once a window; registers, storage and pulse.py read the totals.
Index 0..11 is C = 1 A+, 2 A-, 3 Q+, 4 Q-, 5..8 Q of quadrants I..IV, 9 S+, 10 S-, 15 |A+| + |A-|,
16 |A+| - |A-| (rows EN-01, EN-02, EN-05, MET-03, MET-05 to MET-08).

What a window adds, in micro-watt-seconds: the power of its phases above the start threshold, a
whole number of micro-watts, times its length; the division by the frame rate leaves a remainder,
which the next window of the same direction takes over. So an energy is exactly the sum of the
powers times their windows, rounded down once.

A meter of two elements counts the active import of each besides, and that of the second one by
rates (row MET-34): exactly as the totals, which are of both elements together.

Behind transformers the registers may hold primary values (rows TRF-01, TRF-02): what they gain is
then the measured energy times the ratio, the remainder of that division carried as well. LEDs and
pulse outputs always follow what is measured: `flow_uws`, eight directions that never overlap, and
a ninth for (A+) + (A-): what import adds to the net energy once earlier export is made up for.
"""

import struct

from micropython import const

from metrology.quantities import exporting, isqrt, rounded

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from hal import Variant
    from metrology.quantities import Quantities

ENERGIES = const(12)
UNIT_UWS = 3_600_000_000  # micro-watt-seconds of a Wh
SNAPSHOT_BYTES = const(254)
_SNAPSHOT_1_BYTES = const(256)  # one of eight flows
_TOTALS_BYTES = const(192)  # what a snapshot held before it kept the flows
KWH_UWS = 3_600_000_000_000

A_IMPORT = const(0)
A_EXPORT = const(1)
Q_POSITIVE = const(2)
Q_NEGATIVE = const(3)
QUADRANT_I = const(4)
S_IMPORT = const(8)
S_EXPORT = const(9)
A_ABSOLUTE = const(10)
A_NET = const(11)

# Active import of the elements: of the first, of the second, of the second by rates
ELEMENT_1 = const(0)
ELEMENT_2 = const(1)
ELEMENT_2_RATES = const(2)
RATES_OF_ELEMENT_2 = const(4)

# Flows: what can be measured in a window, each in one direction or quadrant only
FLOWS = const(9)
FLOW_A_IMPORT = const(0)
FLOW_A_EXPORT = const(1)
FLOW_QUADRANT_I = const(2)
FLOW_S_IMPORT = const(6)
FLOW_S_EXPORT = const(7)
FLOW_A_NET = const(8)
_REGISTER_OF_FLOW = (
    A_IMPORT, A_EXPORT,
    QUADRANT_I, QUADRANT_I + 1, QUADRANT_I + 2, QUADRANT_I + 3,
    S_IMPORT, S_EXPORT,
    A_IMPORT,
)  # fmt: skip

# Registration modes, row MET-08
ONE_WAY = const(0)  # sum of phases; what runs backwards is not counted
TWO_WAY = const(1)  # sum of phases, import and export apart
ABSOLUTE = const(2)  # every phase counts as import

_DEBT_MAX_UWS = 1 << 62
_RATIO_MAX = const(10_000)  # 50000 A to 5 A
_RATIO_PART_MAX = const(65_535)

# Start threshold in millionths of the reference current: below the standards' starting currents
# (0.4 % of Ib direct, 0.1 % of In with transformers), above 0.3 % of Ib, which must stand still.
_START_DIRECT_PPM = const(3500)
_START_TRANSFORMER_PPM = const(900)

_ENTRY = "<qq"
_FLOW_ENTRY = "<HI"  # upper and lower part: below 2**42
_FLOW_BYTES = const(6)
_DEBT_AT = const(246)
_FLOW_1_ENTRY = "<q"


class Energies:
    """Whole units and residues of the twelve totals.

    wh: whole Wh, varh or VAh; residue: what is over, in micro-watt-seconds, 0..UNIT_UWS - 1; both
    of the net register carry its sign.
    counting: False while every phase is below the start threshold
    mode: ONE_WAY, TWO_WAY or ABSOLUTE
    flow_uws, flow_added_uws: measured energy of each flow, modulo a kWh, and what the last window
    added to it; whole kWh are whole pulses of any constant, so the rest is all that pulses need
    net_debt_uws: exported energy that import has yet to make up for, in the ninth flow
    element_uws: active import of the elements; empty unless one phase has two
    element_rates: which rates of the second element count, rate n in bit n - 1
    ratio_numerator, ratio_denominator: registers are measured energy times this; see `set_ratio`
    """

    def __init__(self, variant: "Variant", rate_mhz: int, two_elements: bool = False) -> None:
        ppm = _START_TRANSFORMER_PPM if variant.transformer else _START_DIRECT_PPM
        self.start_ua = variant.reference_current_ma * ppm // 1000
        self.mode = TWO_WAY
        self.wh = [0] * ENERGIES
        self.residue = [0] * ENERGIES
        self.counting = False
        self.flow_uws = [0] * FLOWS
        self.flow_added_uws = [0] * FLOWS
        self.net_debt_uws = 0
        self.element_uws = [0] * (ELEMENT_2_RATES + RATES_OF_ELEMENT_2) if two_elements else []
        self.element_rates = 1
        self._element_part = [0, 0]
        self.ratio_numerator = 1
        self.ratio_denominator = 1
        # None, or called before a change if RAM has lost what stands here (row ERR-06)
        self.on_damage: Callable[[], None] | None = None
        self._signature = 0
        # Remainders of the division by the frame rate, in 1/_divisor micro-watt-seconds
        self._divisor = 65536 * rate_mhz
        self._part = [0] * FLOWS
        # and of that by the ratio, in 1/denominator micro-watt-seconds
        self._ratio_part = [0] * FLOWS

    def set_ratio(self, numerator: int, denominator: int) -> None:
        """Let registers grow by measured energy times a transformer ratio from now on.

        What they hold stays. Raises ValueError for a ratio that no transformers have.
        """
        check_ratio(numerator, denominator)
        for flow in range(FLOWS):
            part = self._ratio_part[flow] * denominator // self.ratio_denominator
            self._ratio_part[flow] = part
        self.ratio_numerator = numerator
        self.ratio_denominator = denominator

    def primary(self, measured: int) -> int:
        """Return a measured power or current as the registers show it, rounded to the nearest."""
        return rounded(measured * self.ratio_numerator, self.ratio_denominator)

    def add(self, quantities: "Quantities", frames_q16: int, repeat: int = 1) -> None:
        """Count `repeat` windows of `frames_q16` frames each, all with these quantities."""
        self.check()
        p_uw = q_uvar = 0
        self.counting = False
        weight = frames_q16 * repeat * 1000
        for phase in range(len(quantities.p_uw)):
            if quantities.i_ua[phase] >= self.start_ua and quantities.u_uv[phase]:
                self.counting = True
                p = quantities.p_uw[phase]
                if self.mode == ABSOLUTE:
                    p = abs(p)
                p_uw += p
                if self.element_uws and p > 0:
                    self._add_element(phase, p * weight)
                q_uvar += quantities.q_uvar[phase]
        if p_uw < 0 and self.mode == ONE_WAY:
            p_uw = 0
        for flow in range(FLOWS):
            self.flow_added_uws[flow] = 0
        if self.counting:
            self._add_active(p_uw, weight)
            self._add_reactive(p_uw, q_uvar, weight)
            self._add_apparent(p_uw, q_uvar, weight)
        self.sign()

    def check(self) -> None:
        """Call `on_damage` if what stands here is not what was left here."""
        if self._signature != self._sum() and self.on_damage is not None:
            self.on_damage()

    def sign(self) -> None:
        """Say that what stands here now is right."""
        self._signature = self._sum()

    def _sum(self) -> int:
        # factors that no single changed bit can be lost by
        few = sum(self.flow_uws) + sum(self.element_uws)
        return 7 * sum(self.wh) + 3 * sum(self.residue) + few

    def total_uws(self, index: int) -> int:
        """The whole energy in micro-watt-seconds."""
        return self.wh[index] * UNIT_UWS + self.residue[index]

    def snapshot_into(self, buffer: "bytearray | memoryview", offset: int) -> int:
        """Write totals and flows at `offset` and return how many bytes that took (254)."""
        for index in range(ENERGIES):
            struct.pack_into(
                _ENTRY, buffer, offset + 16 * index, self.wh[index], self.residue[index]
            )
        for flow in range(FLOWS):
            at = offset + _TOTALS_BYTES + _FLOW_BYTES * flow
            uws = self.flow_uws[flow]
            struct.pack_into(_FLOW_ENTRY, buffer, at, uws >> 32, uws & 0xFFFFFFFF)
        struct.pack_into("<q", buffer, offset + _DEBT_AT, self.net_debt_uws)
        return SNAPSHOT_BYTES

    def restore_from(self, buffer: "bytes | bytearray | memoryview", offset: int) -> None:
        """Take a snapshot over. Raises ValueError, and keeps all, if it is none.

        One of 192 bytes is of a version that followed registers with its pulses, one of 256 of a
        version that knew eight flows.
        """
        size = len(buffer) - offset
        if size < _TOTALS_BYTES:
            raise ValueError("energies of a snapshot")
        wh = [0] * ENERGIES
        residue = [0] * ENERGIES
        for index in range(ENERGIES):
            wh[index], residue[index] = struct.unpack_from(_ENTRY, buffer, offset + 16 * index)
            if not _is_energy(wh[index], residue[index], index == A_NET):
                raise ValueError("energies of a snapshot")
        flows, debt = _flows_of(buffer, offset, size, wh, residue)
        for index in range(ENERGIES):
            self.wh[index] = wh[index]
            self.residue[index] = residue[index]
        for flow in range(FLOWS):
            self.flow_uws[flow] = flows[flow]
            self._part[flow] = 0
            self._ratio_part[flow] = 0
        self.net_debt_uws = debt
        self.sign()

    def resume_from(self, buffer: "bytes | bytearray | memoryview", offset: int) -> None:
        """Go on from a snapshot that could not be read at start: what was counted since is added.

        Raises ValueError, and keeps all, if it is none.
        """
        totals_uws = [self.total_uws(index) for index in range(ENERGIES)]
        flow_uws = list(self.flow_uws)
        debt_uws = self.net_debt_uws
        self.restore_from(buffer, offset)
        self._net_debt(debt_uws)
        for index in range(ENERGIES):
            self._increase(index, totals_uws[index])
        for flow in range(FLOWS):
            self.flow_uws[flow] = (self.flow_uws[flow] + flow_uws[flow]) % KWH_UWS
        self.sign()

    def _add_active(self, p_uw: int, weight: int) -> None:
        added = self._share(FLOW_A_IMPORT if p_uw >= 0 else FLOW_A_EXPORT, abs(p_uw), weight)
        self._increase(A_ABSOLUTE, added)
        self._increase(A_NET, added if p_uw >= 0 else -added)
        # what pulses follow is measured, whatever the registers show
        measured = self.flow_added_uws[FLOW_A_IMPORT]
        if measured:
            made_up = min(measured, self.net_debt_uws)
            self.net_debt_uws -= made_up
            measured -= made_up
            self.flow_added_uws[FLOW_A_NET] = measured
            self.flow_uws[FLOW_A_NET] = (self.flow_uws[FLOW_A_NET] + measured) % KWH_UWS
        else:
            self._net_debt(self.flow_added_uws[FLOW_A_EXPORT])

    def _add_element(self, element: int, amount: int) -> None:
        amount += self._element_part[element]
        added = amount // self._divisor
        self._element_part[element] = amount - added * self._divisor
        self.element_uws[element] += added
        for rate in range(RATES_OF_ELEMENT_2 if element else 0):
            if self.element_rates >> rate & 1:
                self.element_uws[ELEMENT_2_RATES + rate] += added

    def _net_debt(self, uws: int) -> None:
        self.net_debt_uws = min(_DEBT_MAX_UWS, self.net_debt_uws + uws)

    def _add_reactive(self, p_uw: int, q_uvar: int, weight: int) -> None:
        # I import inductive, II export with positive Q, III export with negative Q, IV import
        exports = exporting(p_uw, q_uvar)
        if q_uvar >= 0:
            quadrant, register = (1 if exports else 0), Q_POSITIVE
        else:
            quadrant, register = (2 if exports else 3), Q_NEGATIVE
        added = self._share(FLOW_QUADRANT_I + quadrant, abs(q_uvar), weight)
        self._increase(register, added)

    def _add_apparent(self, p_uw: int, q_uvar: int, weight: int) -> None:
        s_uva = isqrt(p_uw * p_uw + q_uvar * q_uvar)
        exports = exporting(p_uw, q_uvar)
        self._share(FLOW_S_EXPORT if exports else FLOW_S_IMPORT, s_uva, weight)

    def _share(self, flow: int, power_uw: int, weight: int) -> int:
        """Add power times time to a flow; return by how much its register grew."""
        amount = power_uw * weight + self._part[flow]
        measured = amount // self._divisor
        self._part[flow] = amount - measured * self._divisor
        self.flow_added_uws[flow] = measured
        self.flow_uws[flow] = (self.flow_uws[flow] + measured) % KWH_UWS
        if self.ratio_numerator == self.ratio_denominator:
            added = measured
        else:
            amount = measured * self.ratio_numerator + self._ratio_part[flow]
            added = amount // self.ratio_denominator
            self._ratio_part[flow] = amount - added * self.ratio_denominator
        self._increase(_REGISTER_OF_FLOW[flow], added)
        return added

    def _increase(self, index: int, added_uws: int) -> None:
        residue = self.residue[index] + added_uws
        if self.wh[index] >= 0 and 0 <= residue < UNIT_UWS:
            self.residue[index] = residue
            return
        total = self.wh[index] * UNIT_UWS + residue
        if total >= 0:
            self.wh[index] = total // UNIT_UWS
            self.residue[index] = total % UNIT_UWS
        else:
            self.wh[index] = -(-total // UNIT_UWS)
            self.residue[index] = -(-total % UNIT_UWS)


def _flows_of(
    buffer: "bytes | bytearray | memoryview",
    offset: int,
    size: int,
    wh: list[int],
    residue: list[int],
) -> tuple[list[int], int]:
    """Return the flows of a snapshot of `size` bytes, and the net debt. Raises ValueError."""
    flows = [0] * FLOWS
    debt = 0
    for flow in range(FLOWS):
        if size < SNAPSHOT_BYTES:
            index = _REGISTER_OF_FLOW[flow]
            flows[flow] = (wh[index] * UNIT_UWS + residue[index]) % KWH_UWS
        elif size < _SNAPSHOT_1_BYTES:
            at = offset + _TOTALS_BYTES + _FLOW_BYTES * flow
            high, low = struct.unpack_from(_FLOW_ENTRY, buffer, at)
            flows[flow] = (high << 32) + low
        elif flow < FLOW_A_NET:
            at = offset + _TOTALS_BYTES + 8 * flow
            flows[flow] = struct.unpack_from(_FLOW_1_ENTRY, buffer, at)[0]
        if not 0 <= flows[flow] < KWH_UWS:
            raise ValueError("flows of a snapshot")
    if SNAPSHOT_BYTES <= size < _SNAPSHOT_1_BYTES:
        debt = struct.unpack_from("<q", buffer, offset + _DEBT_AT)[0]
    if not 0 <= debt <= _DEBT_MAX_UWS:
        raise ValueError("flows of a snapshot")
    return flows, debt


def check_ratio(numerator: int, denominator: int) -> None:
    """Raise ValueError for a ratio that no current transformers have (row TRF-02)."""
    if not (0 < numerator <= _RATIO_PART_MAX and 0 < denominator <= _RATIO_PART_MAX):
        raise ValueError("transformer ratio: numerator and denominator are 1 to 65535")
    if not denominator <= numerator <= _RATIO_MAX * denominator:
        raise ValueError("transformer ratio: 1 to 10000")


def _is_energy(wh: int, residue: int, signed: bool) -> bool:
    if not -UNIT_UWS < residue < UNIT_UWS:
        return False
    if wh < 0 or residue < 0:
        return signed and wh <= 0 and residue <= 0
    return True
