"""Models of the chips on the simulated board: a file a chip, each as its data sheet has it.

Drivers reach a model through `machine` only; the world and the tests reach its physical side.
A model refuses what the chip refuses. Nothing here imports firmware.

Time comes in by two callables of the constructor: `now_us()` is the virtual time in microseconds,
`at(us, callback)` calls `callback()` once that time has come and returns a handle.

SPI chip            `select()`, `deselect()`: the chip select falls, rises;
                    `transfer(out_buf, in_buf)`: equal lengths, either may be None (zeros go out,
                    the answer is thrown away)
I2C chip            `i2c_write(address, data) -> int`: bytes acknowledged after the address, -1 if
                    the address is not; `i2c_read(address, buf) -> int`: 0, or -1 likewise
pin into a chip     `set_<pin>(level)`; pin out of a chip: `<pin>() -> level`, and where the board
                    may want an edge `on_<pin>`, None or callable(level)
every chip          `power(on)`; `fault(name, **arguments)`: raises ValueError with a clear text
                    for a name or an argument it does not know; `fault("clear")` ends them all
non-volatile chip   its content is a chip file: `read(offset, n) -> bytes`, `write(offset, data)`,
                    written through; a write under way when the power goes stays torn
"""
