"""Up to five pulse outputs, each with its own energy, polarity, rate and width (row LED-10).

Set at production: a change needs the parameter switch open, is counted among the changes of
factory parameters and posts the same event. One record in FRAM holds all of them.
"""

import struct

from micropython import const

from app.storage import record, regions
from metrology import pulse

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.parameters import Parameters
    from hal import Memory
    from metrology.pulse import PulseGenerator

# Fields of an output, by E of its objects less 1
ENERGY = const(0)
POLARITY = const(1)  # 0 conducting in a pulse, 1 conducting between them
RATE = const(2)  # imp/kWh, imp/kvarh
WIDTH = const(3)  # ms

_OUTPUTS_MAX = const(5)
_FORM = "<BBHB"
_SIZE = const(5)
_RATE_MIN = const(500)
_RATE_MAX = const(16_000)
_FACTORY = (pulse.NO_ENERGY, 0, 1000, pulse.WIDTH_MIN_MS)
# |A+|+|A-|, |R+|+|R-|, (A+)+(A-), A+, A-, R+, R-, R1 to R4
_ENERGIES = (pulse.NO_ENERGY, pulse.ACTIVE, pulse.REACTIVE, 16, 1, 2, 3, 4, 5, 6, 7, 8)


class PulseOutputs:
    """The settings of a board's outputs, and the generators that obey them.

    damaged: both copies were unreadable at start, or hold what cannot be: all outputs are off
    """

    def __init__(
        self, memory: "Memory", generators: "list[PulseGenerator]", parameters: "Parameters"
    ) -> None:
        self._generators = generators
        self._parameters = parameters
        self._record = regions.open_record(memory, "pulse_outputs")
        self._values = [list(_FACTORY) for _ in generators]
        self.damaged = False
        try:
            payload = self._record.load()
        except OSError:
            return  # the start-up checks tell of a memory that does not answer
        if payload is not None and len(payload) == _SIZE * _OUTPUTS_MAX:
            try:
                for number in range(len(generators)):
                    values = list(struct.unpack_from(_FORM, payload, _SIZE * number))
                    self._apply(number, values)
                    self._values[number] = values
            except ValueError:
                self.damaged = True
        else:
            self.damaged = payload is not None or self._record.state >= record.LOST

    @property
    def count(self) -> int:
        """Outputs that the board has."""
        return len(self._generators)

    def get(self, number: int, field: int) -> int:
        """Return a field of output `number`, from 0 on."""
        return self._values[number][field]

    def put(self, number: int, field: int, value: int) -> None:
        """Set a field, at once and for good.

        Raises AccessRefused under lock, ValueError for a value that cannot be, OSError if it could
        not be stored; the old value stays then.
        """
        self._parameters.lock.require()
        old = self._values[number]
        values = list(old)
        values[field] = value
        if values == old:
            return
        try:
            self._apply(number, values)
            self._values[number] = values
            self._parameters.note_change(self._save, old[field], value)
        except (ValueError, OSError):
            self._values[number] = old
            self._apply(number, old)
            raise
        self.damaged = False

    def _save(self) -> None:
        payload = bytearray(_SIZE * _OUTPUTS_MAX)
        for number in range(_OUTPUTS_MAX):
            values = self._values[number] if number < self.count else _FACTORY
            struct.pack_into(_FORM, payload, _SIZE * number, *values)
        self._record.save(payload)

    def _apply(self, number: int, values: "list[int]") -> None:
        """Let an output obey. Raises ValueError."""
        energy, polarity, rate, width_ms = values
        if energy not in _ENERGIES:
            raise ValueError("energy of a pulse output: 0 to 8, 16, 23, 26")
        if not 0 <= polarity <= 1:
            raise ValueError("polarity: 0 or 1")
        if not _RATE_MIN <= rate <= _RATE_MAX:
            raise ValueError("rate of a pulse output: 500 to 16000")
        generator = self._generators[number]
        generator.set_width(width_ms)
        generator.configure(energy, rate)
        generator.invert(polarity == 1)
