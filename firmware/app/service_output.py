"""The OptoMOS as an indicator: ends of measuring periods, or the tariff (rows LCR-20, LED-11).

What it does is function 0-0:128.60.0: 1, pulses of energy, is the metrology's own matter; with 2
it conducts for a pulse at each end of measuring period 1, with 3 as long as another rate than the
first is in force.
"""

from micropython import const

from app.parameters import END_OF_PERIOD, MEASURING_PERIOD_1, SERVICE_FUNCTION, TARIFF_INDICATION

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.clock import Clock
    from app.parameters import Parameters
    from metrology.pulse import PulseGenerator


class ServiceOutput:
    """Follows clock and tariff; `window` is to be called after each measuring window."""

    def __init__(
        self,
        parameters: "Parameters",
        clock: "Clock",
        output: "PulseGenerator",
        rate: "Callable[[], int]",
    ) -> None:
        self._parameters = parameters
        self._output = output
        self._rate = rate
        self._closed = False
        self._period = clock.every(parameters.get(MEASURING_PERIOD_1), self._end)
        parameters.followers.append(self._follow)

    def window(self) -> None:
        """Show the rate that is in force now."""
        if self._parameters.get(SERVICE_FUNCTION) == TARIFF_INDICATION:
            self._close(self._rate() > 1)

    def _end(self, _utc_s: int) -> None:
        if self._parameters.get(SERVICE_FUNCTION) == END_OF_PERIOD:
            self._output.mark()

    def _follow(self) -> None:
        period_s = self._parameters.get(MEASURING_PERIOD_1)
        if period_s != self._period.period_s:
            self._period.set_length(period_s)
        if self._parameters.get(SERVICE_FUNCTION) != TARIFF_INDICATION:
            self._close(False)

    def _close(self, closed: bool) -> None:
        if closed != self._closed:
            self._closed = closed
            self._output.steady(closed)
