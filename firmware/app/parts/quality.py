"""The quality of the supply: sags and swells, levels, extremes, weeks by EN 50160, waveforms."""

from micropython import const

from app import event_codes
from app.logs.week_profile import open_profile
from app.quality.parts import QualityParts

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from typing import Protocol

    from app.cosem.objects import Build, Objects
    from app.display.status import MeterStatus
    from app.logs.captured import Recorder
    from app.quality.parts import Parts
    from app.tariff.parts import TariffParts

    class Face(Protocol):
        """What shows the state of the supply."""

        status: MeterStatus

    class Meter(Parts, Protocol):
        """What this stands on, and where it is found."""

        face: Face
        quality: QualityParts
        recorder: Recorder
        tariff: TariffParts

        def problem(self, text: str, code: int) -> None:
            """Take a problem in words and the event of it."""
            ...


def fit(meter: "Meter") -> "tuple[Build, ...]":
    """Watch the supply, and tell what the memory has lost of it."""
    meter.quality = quality = QualityParts(meter)
    week_profile, quality.weeks.on_week = open_profile(meter.recorder)
    if quality.extremes.damaged:
        meter.problem(
            "both copies of the extremes are damaged, they begin anew", event_codes.MEMORY_ERROR
        )

    def values(objects: "Objects") -> None:
        from app.cosem import quality_values

        post = meter.events.post
        quality_values.add(objects, quality.extremes, quality.temperature, meter.clock, post)

    def supply(objects: "Objects") -> None:
        from app.cosem import failure_values, supply_values

        phases = meter.board.variant.phases
        supply_values.add(objects, quality, phases)
        failure_values.add(objects, quality.failures, phases, meter.clock)

    def waveforms(objects: "Objects") -> None:
        from app.cosem import profile_objects, snapshot_profiles, waveform_profile

        clock, engine = meter.clock, meter.engine
        waveform_profile.add(objects, clock, engine, meter.board.frames)
        snapshot_profiles.add(objects, clock, quality.waveforms, engine.energies.primary)
        profile_objects.add_weeks(objects, week_profile, clock)

    return values, supply, waveforms


def join(meter: "Meter") -> None:
    """Let display and billing know."""
    quality = meter.quality
    meter.tariff.billing.on_billing.append(quality.extremes.new_billing_period)
    status = meter.face.status
    status.present = quality.disturbances.present
    status.wrong_sequence = quality.conditions.wrong_sequence.lasts
