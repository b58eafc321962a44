# What every board carries. A board's own manifest includes this file and adds its board.py and the
# drivers of its chips.
#
# The legally relevant part stands apart: metrology and drivers alone make the metrology checksum.

package("metrology", base_path=".", opt=3)

package("app", base_path=".", opt=3)
module("civil.py", base_path=".", opt=3)
module("version.py", base_path=".", opt=3)
module("main.py", base_path=".", opt=3)
