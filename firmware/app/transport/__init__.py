"""How APDUs travel: HDLC and TCP wrapper without I/O, and the tasks that move their bytes.

`hdlc` (over `hdlc_frame`) and `wrapper` take octets and the time and give octets; above them they
call a channel of the DLMS server. `serial_link` and `tcp_link` are the only files here that await
a port.
"""
