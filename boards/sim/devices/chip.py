"""What every chip model shares: power and the faults that a test or the bench may ask for."""


class Chip:
    """A powered part with named faults.

    `FAULTS` of a model maps each name to its method and the arguments that this takes, each a
    whole number with its default (None: the caller must give it).
    `dead` and `clear` are known to all: a dead chip drives nothing and hears nothing.
    """

    NAME = "chip"
    FAULTS = {}

    def __init__(self):
        self.powered = True
        self.dead = False
        self.stuck = False

    def power(self, on):
        """Give or take the supply. Models extend it by what their registers do then."""
        self.powered = on

    def answers(self):
        """Tell whether anything on the bus reaches the chip."""
        return self.powered and not self.dead

    def fault(self, name, **arguments):
        """Start the fault `name`; ValueError for a name or an argument that is not known."""
        if name == "clear":
            self.clear_faults()
            return
        if name == "dead":
            self.dead = True
            return
        if name not in self.FAULTS:
            known = sorted(list(self.FAULTS) + ["clear", "dead"])
            raise ValueError("{} has no fault {!r}, only {}".format(self.NAME, name, ", ".join(known)))
        method, needed = self.FAULTS[name]
        values = []
        for key, default in needed:
            value = arguments.pop(key, default)
            if isinstance(value, bool) or not isinstance(value, int):
                raise ValueError("fault {!r} needs a whole number {!r}".format(name, key))
            values.append(value)
        if arguments:
            raise ValueError("fault {!r} does not know {!r}".format(name, sorted(arguments)[0]))
        getattr(self, method)(*values)

    def clear_faults(self):
        """End every fault; what it has already destroyed stays so."""
        self.dead = False
        self.stuck = False

    def set_stuck(self):
        """Freeze what the chip holds or measures."""
        self.stuck = True


def float_high(buffer):
    """Fill `buffer` with what a master reads while nobody drives the line."""
    if buffer is not None:
        for index in range(len(buffer)):
            buffer[index] = 0xFF
