"""The versions a meter shows: its metrology part, its application part, its data format.

The two parts are versioned apart because the legally relevant one is approved and checksummed by
itself (WELMEC 7.2, extension S); the data format tells an update whether stored data can stay.
"""

METROLOGY = "0.1.0"
APPLICATION = "0.1.0"
DATA_FORMAT = 1  # layout of FRAM and flash; rises when stored records change their meaning
