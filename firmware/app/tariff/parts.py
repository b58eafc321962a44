"""The tariff of a meter, put together: what it consists of and how a due script gets done.

What belongs to the tariff is built here and found as an attribute of TariffParts; the rules stand
in the parts.
"""

from micropython import const

from app.attributes import OBJECT_UNDEFINED, Reference
from app.errors import AccessRefused
from app.tariff import billing, calendar, maxima, scripts
from app.tariff.activation import Activation, rate_of
from app.tariff.blocks import Blocks
from app.tariff.control import CALENDAR, TARIFF_SCRIPTS, Control
from app.tariff.demand import Demand
from app.tariff.energy_rates import EnergyRates
from app.tariff.schedule import FIRST_OF_MONTH, Midnights, SingleAction
from app.tariff.sliding_current import SlidingCurrent
from app.tariff.special_days import SpecialDays
from app.tariff.tariff import Tariff
from app.tariff.window_totals import WindowTotals
from metrology.energy import RATES_OF_ELEMENT_2

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from app.attributes import Resolver
    from app.clock import Clock
    from app.parameters import Parameters
    from app.settings import Settings
    from app.tariff.billing import Billing
    from app.tariff.tariff import Schedule
    from hal import Memory
    from metrology.engine import Engine

_CALENDAR_CLASS = const(20)
_BILLINGS = ((billing.SCRIPTS, billing.BILLING_1), (billing.SCRIPTS, billing.BILLING_2))


class TariffParts:
    """Calendar, rates, demand, scripts and billing of this meter.

    element_masks: the masks of the second element's rates, None without one (row MET-34)
    energy: its rates, their registers and masks, which are `rates` and `energy_masks` as well
    billing: what the end of billing does; app.meter sets it when the profiles are there
    schedules: those of the end of billing, 1 and 2
    """

    billing: "Billing"

    def __init__(
        self,
        memory: "Memory",
        settings: "Settings",
        clock: "Clock",
        engine: "Engine",
        keep_totals: "Callable[[], None]",
        resolver: "Resolver",
        parameters: "Parameters",
    ) -> None:
        self._resolver = resolver
        self.totals = WindowTotals(engine)
        self.demand = Demand(memory, clock, self.totals, parameters)
        self.currents = SlidingCurrent(engine, self.totals)
        self.special_days = SpecialDays(settings)
        self.calendar = calendar.Calendar(memory, settings, self.special_days)
        self.schedules = [
            SingleAction(
                settings, "billing_1_schedule", _BILLINGS[0], _BILLINGS, (FIRST_OF_MONTH,)
            ),
            SingleAction(settings, "billing_2_schedule", _BILLINGS[1], _BILLINGS),
        ]
        # a place in this list is noted in FRAM: what is new comes behind
        schedules: list[Schedule] = [self.calendar]
        schedules += self.schedules
        schedules.append(Midnights(billing.SCRIPTS, billing.DAILY))
        self.clockwork = Tariff(memory, clock, self.calendar, schedules, self.execute, self.done)
        self.energy = EnergyRates(
            memory, settings, self.totals, keep_totals, self.clockwork.acting_ms
        )
        self.rates = self.energy.registers
        self.energy_masks = self.energy.masks
        self.demand_masks = Activation(
            settings,
            "demand_masks",
            maxima.RATE_REGISTERS,
            maxima.mask_of_rate,
            maxima.RATES,
            self.demand.maxima.switch,
        )
        self.demand_masks.apply()
        masks = [self.energy_masks, self.demand_masks]
        self.element_masks: Activation | None = None
        if engine.energies.element_uws:
            self.element_masks = Activation(
                settings,
                "element_masks",
                RATES_OF_ELEMENT_2,
                lambda rate: bytes((1 << rate - 1,)),
                RATES_OF_ELEMENT_2,
                lambda mask: setattr(engine.energies, "element_rates", mask[0]),
            )
            self.element_masks.apply()
            masks.append(self.element_masks)
        self.runner = scripts.Runner(resolver)
        self.control = Control(
            memory,
            settings,
            self.clockwork,
            masks,
            engine.nominal_uhz // 1_000_000,
        )
        self.clockwork.may_act = lambda script: (
            script != TARIFF_SCRIPTS or self.control.decides() == CALENDAR
        )
        self.blocks = Blocks(memory, self.rates.value_wh, keep_totals)

    def demand_rate(self) -> int:
        """Return the rate whose maxima are followed, 0 if the active mask names none of eight."""
        return rate_of(self.demand_masks.active, maxima.RATES)

    def use(self, billings: "Billing") -> None:
        """Take the end of billing; another calendar makes an entry of its own (row BIL-17)."""
        self.billing = billings
        billings.on_billing += (self.demand.reset_maxima, self.demand.reset_power_factor)
        billings.on_billing.append(self.blocks.new_period)
        self.calendar.before_activation = lambda: billings.note(billing.TARIFF_CHANGED)

    def done(self, script: bytes, selector: int, utc_s: int) -> bool:
        """Tell whether what was due when the power went needs no second try."""
        if script == calendar.LOGICAL_NAME:
            return self.calendar.is_activated()
        return script != billing.SCRIPTS or self.billing.did(selector, utc_s)

    def execute(self, script: bytes, selector: int, utc_s: int) -> None:
        """Carry out what is due. Raises AccessRefused if it cannot be, or not whole."""
        if script == billing.SCRIPTS:
            if not billing.BILLING_1 <= selector <= billing.DAILY:
                raise AccessRefused(OBJECT_UNDEFINED)
            self.billing.capture(selector, billing.REGULAR, utc_s)
        elif script == calendar.LOGICAL_NAME:
            reference = Reference(_CALENDAR_CLASS, script, selector)
            self._resolver.execute(reference, b"\x0f\x00")
        else:
            scripts.execute(self._resolver, script, selector)
