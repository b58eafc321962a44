# What every board carries. A board's own manifest includes this file and adds its board.py and the
# drivers of its chips.
#
# The legally relevant part stands apart: metrology and drivers alone make the metrology checksum.
# `files=False` leaves out what a board of frozen code has as a file: main.py, and its fitted.py.

options.defaults(files=True)

package("metrology", base_path=".", opt=3)

package("app", base_path=".", opt=3)
module("civil.py", base_path=".", opt=3)
module("version.py", base_path=".", opt=3)
if options.files:
    module("main.py", base_path=".", opt=3)
