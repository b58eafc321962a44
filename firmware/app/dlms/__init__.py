"""The DLMS application layer, without I/O: APDUs in, APDUs out (IEC 62056-53).

server.Server belongs to the meter, server.Channel to one TCP connection or HDLC link. A request
goes through association (who asks, what was negotiated) to one of the services get, set and
action, which reach the objects through the catalogue of app.cosem.
"""
