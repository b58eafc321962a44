# What every board freezes. A board's own manifest includes this file and adds its board.py.
#
# The legally relevant part stands apart: its files alone make the metrology checksum.

package("metrology", base_path=".", opt=3)
package("drivers", base_path=".", opt=3)

package("app", base_path=".", opt=3)
module("civil.py", base_path=".", opt=3)
module("hal.py", base_path=".", opt=3)
module("version.py", base_path=".", opt=3)
module("main.py", base_path=".", opt=3)
