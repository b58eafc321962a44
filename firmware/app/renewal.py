"""A start as a new meter, where a master reset was asked for (row PRD-07)."""

from micropython import const

from app.storage import regions

_TYPE_CHECKING = const(False)
if _TYPE_CHECKING:
    from app.master_reset import Parts
    from hal import Memory


def renewed(memory: "Memory") -> "Memory":
    """Return the memory; if a master reset was asked for, do what comes before all restoring."""
    try:
        if _master_reset_is_due(memory):
            from app import master_reset

            master_reset.begin(memory)
    except OSError:
        pass  # it stays due
    return memory


def ask_master_reset(parts: "Parts") -> None:
    """Let the next start, which is soon, be that of a new meter. Raises AccessRefused, OSError."""
    from app import master_reset  # hardly any meter ever needs it

    master_reset.request(parts)


def end_master_reset(parts: "Parts") -> None:
    """Do what is left of a master reset now that the flash is open."""
    try:
        if _master_reset_is_due(parts.memory):
            from app import master_reset

            master_reset.finish(parts)
    except OSError:
        pass  # the next start does it once more


def _master_reset_is_due(memory: "Memory") -> bool:
    return regions.open_record(memory, "master_reset").load() is not None
