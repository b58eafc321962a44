"""The table of events as the meter carries it; made by `make events` from events.csv.

EVENTS: code with its cause (u16), logs (u16, one bit each in the order of
app.logs.events.LOGS), alarm (u8). ERRORS: code with its cause (u16), bits of the three
error registers (u32). ALERTS: code with its cause, alert (u16). Little-endian, in
rising order of the first.
"""

EVENTS = (
    b"\x01\x00\x01\x00\x20"  # 1 Power down of the whole device
    b"\x02\x00\x01\x00\x21"  # 2 Power up of the whole device
    b"\x03\x00\x01\x00\xff"  # 3 Daylight saving switched on or off
    b"\x04\x00\x01\x00\xff"  # 4 Clock adjusted, dated by the old time
    b"\x05\x00\x01\x00\xff"  # 5 Clock adjusted, dated by the new time
    b"\x06\x00\x01\x00\x00"  # 6 Clock invalid, found at power-up
    b"\x07\x00\x01\x00\x01"  # 7 Replace battery, end of its expected life
    b"\x08\x00\x01\x00\x01"  # 8 Battery voltage low
    b"\x09\x00\x01\x00\xff"  # 9 Passive calendar activated
    b"\x0a\x00\x01\x00\xff"  # 10 Error register cleared
    b"\x0b\x00\x01\x00\xff"  # 11 Alarm register cleared
    b"\x0c\x00\x01\x00\x08"  # 12 Program memory error
    b"\x0d\x00\x01\x00\x09"  # 13 RAM error
    b"\x0e\x00\x01\x00\x0a"  # 14 Memory error
    b"\x0f\x00\x01\x00\x0c"  # 15 Watchdog or hardware reset of the controller
    b"\x10\x00\x01\x00\x0b"  # 16 Measurement error
    b"\x11\x00\x81\x00\xff"  # 17 Firmware loaded and verified, ready for activation
    b"\x12\x00\x81\x00\xff"  # 18 Firmware activated
    b"\x13\x00\x01\x00\xff"  # 19 Passive calendar programmed
    b"\x14\x00\x01\x00\x31"  # 20 External alert on an input
    b"\x15\x00\x01\x00\xff"  # 21 PDP context established
    b"\x28\x00\x02\x00\xff"  # 40 Terminal cover removed
    b"\x29\x00\x02\x00\x8d"  # 41 Terminal cover closed
    b"\x2a\x00\x02\x00\xff"  # 42 Strong DC magnetic field
    b"\x2b\x00\x02\x00\x8d"  # 43 Strong DC magnetic field gone
    b"\x2c\x00\x02\x00\xff"  # 44 Meter cover removed
    b"\x2d\x00\x02\x00\x8d"  # 45 Meter cover closed
    b"\x2e\x00\x02\x00\xff"  # 46 Authentication of an association failed too often
    b"\x2f\x00\x01\x00\xff"  # 47 One or more parameters changed
    b"\x30\x00\x01\x01\x2d"  # 48 One or more global keys changed
    b"\x31\x00\x02\x01\xff"  # 49 Deciphering or authentication failed
    b"\x32\x00\x02\x01\xff"  # 50 Replay of a protected message
    b"\x33\x00\x81\x00\xff"  # 51 Firmware verification failed
    b"\x34\x00\x01\x00\x2c"  # 52 Unexpected consumption while disconnected
    b"\x35\x00\x01\x00\x32"  # 53 Local communication attempt
    b"\x3b\x00\x04\x00\xff"  # 59 Ready for manual reconnection
    b"\x3c\x00\x04\x00\xff"  # 60 Manual disconnection
    b"\x3d\x00\x04\x00\xff"  # 61 Manual connection
    b"\x3e\x00\x04\x00\xff"  # 62 Remote disconnection
    b"\x3f\x00\x04\x00\xff"  # 63 Remote connection
    b"\x40\x00\x04\x00\xff"  # 64 Local disconnection
    b"\x41\x00\x04\x00\xff"  # 65 Limiter threshold exceeded
    b"\x42\x00\x04\x00\xff"  # 66 Limiter threshold kept again
    b"\x43\x00\x04\x00\xff"  # 67 Limiter threshold changed
    b"\x44\x00\x04\x00\x3f"  # 68 Disconnect/reconnect failure
    b"\x45\x00\x04\x00\xff"  # 69 Local reconnection
    b"\x46\x00\x04\x00\xff"  # 70 Supervision monitor threshold exceeded, monitor 1
    b"\x47\x00\x04\x00\xff"  # 71 Supervision monitor threshold ok, monitor 1
    b"\x48\x00\x04\x00\xff"  # 72 Supervision monitor threshold exceeded, monitor 2
    b"\x49\x00\x04\x00\xff"  # 73 Supervision monitor threshold ok, monitor 2
    b"\x4a\x00\x04\x00\xff"  # 74 Supervision monitor threshold exceeded, monitor 3
    b"\x4b\x00\x04\x00\xff"  # 75 Supervision monitor threshold ok, monitor 3
    b"\x4c\x00\x10\x00\xff"  # 76 Undervoltage (sag), L1
    b"\x4d\x00\x10\x00\xff"  # 77 Undervoltage (sag), L2
    b"\x4e\x00\x10\x00\xff"  # 78 Undervoltage (sag), L3
    b"\x4f\x00\x10\x00\xff"  # 79 Overvoltage (swell), L1
    b"\x50\x00\x10\x00\xff"  # 80 Overvoltage (swell), L2
    b"\x51\x00\x10\x00\xff"  # 81 Overvoltage (swell), L3
    b"\x52\x00\x10\x00\x22"  # 82 Missing voltage (cut), L1
    b"\x53\x00\x10\x00\x23"  # 83 Missing voltage (cut), L2
    b"\x54\x00\x10\x00\x24"  # 84 Missing voltage (cut), L3
    b"\x55\x00\x10\x00\x25"  # 85 Voltage normal again, L1
    b"\x56\x00\x10\x00\x26"  # 86 Voltage normal again, L2
    b"\x57\x00\x10\x00\x27"  # 87 Voltage normal again, L3
    b"\x58\x00\x01\x00\x2b"  # 88 Phase sequence reversed
    b"\x59\x00\x01\x00\x28"  # 89 Missing neutral
    b"\x5a\x00\x10\x00\x29"  # 90 Phase asymmetry
    b"\x5b\x00\x02\x00\x2a"  # 91 Current reversal on an import-only meter
    b"\x5c\x00\x10\x00\x2e"  # 92 Bad voltage quality, EN 50160, L1
    b"\x5d\x00\x10\x00\x2f"  # 93 Bad voltage quality, EN 50160, L2
    b"\x5e\x00\x10\x00\x30"  # 94 Bad voltage quality, EN 50160, L3
    b"\x64\x00\x08\x00\x10"  # 100 M-Bus communication error, channel 1
    b"\x65\x00\x08\x00\x90"  # 101 M-Bus communication works again, channel 1
    b"\x66\x00\x08\x00\xff"  # 102 M-Bus device asks for a new battery, channel 1
    b"\x67\x00\x08\x00\x14"  # 103 M-Bus device tells of a fraud attempt, channel 1
    b"\x68\x00\x08\x00\xff"  # 104 M-Bus device clock adjusted, channel 1
    b"\x69\x00\x08\x00\x33"  # 105 New M-Bus device installed, channel 1
    b"\x6a\x00\x08\x00\xff"  # 106 Permanent error of M-Bus device, channel 1
    b"\x6e\x00\x08\x00\x11"  # 110 M-Bus communication error, channel 2
    b"\x6f\x00\x08\x00\x91"  # 111 M-Bus communication works again, channel 2
    b"\x70\x00\x08\x00\xff"  # 112 M-Bus device asks for a new battery, channel 2
    b"\x71\x00\x08\x00\x15"  # 113 M-Bus device tells of a fraud attempt, channel 2
    b"\x72\x00\x08\x00\xff"  # 114 M-Bus device clock adjusted, channel 2
    b"\x73\x00\x08\x00\x34"  # 115 New M-Bus device installed, channel 2
    b"\x74\x00\x08\x00\xff"  # 116 Permanent error of M-Bus device, channel 2
    b"\x78\x00\x08\x00\x12"  # 120 M-Bus communication error, channel 3
    b"\x79\x00\x08\x00\x92"  # 121 M-Bus communication works again, channel 3
    b"\x7a\x00\x08\x00\xff"  # 122 M-Bus device asks for a new battery, channel 3
    b"\x7b\x00\x08\x00\x16"  # 123 M-Bus device tells of a fraud attempt, channel 3
    b"\x7c\x00\x08\x00\xff"  # 124 M-Bus device clock adjusted, channel 3
    b"\x7d\x00\x08\x00\x35"  # 125 New M-Bus device installed, channel 3
    b"\x7e\x00\x08\x00\xff"  # 126 Permanent error of M-Bus device, channel 3
    b"\x82\x00\x08\x00\x13"  # 130 M-Bus communication error, channel 4
    b"\x83\x00\x08\x00\x93"  # 131 M-Bus communication works again, channel 4
    b"\x84\x00\x08\x00\xff"  # 132 M-Bus device asks for a new battery, channel 4
    b"\x85\x00\x08\x00\x17"  # 133 M-Bus device tells of a fraud attempt, channel 4
    b"\x86\x00\x08\x00\xff"  # 134 M-Bus device clock adjusted, channel 4
    b"\x87\x00\x08\x00\x36"  # 135 New M-Bus device installed, channel 4
    b"\x88\x00\x08\x00\xff"  # 136 Permanent error of M-Bus device, channel 4
    b"\x8c\x00\x20\x00\xff"  # 140 No connection timeout
    b"\x8d\x00\x20\x00\x40"  # 141 Modem initialisation failure
    b"\x8e\x00\x20\x00\x41"  # 142 SIM card failure
    b"\x8f\x00\x20\x00\xc1"  # 143 SIM card ok
    b"\x90\x00\x20\x00\x42"  # 144 GSM registration failure
    b"\x91\x00\x20\x00\x43"  # 145 GPRS registration failure
    b"\x92\x00\x20\x00\xff"  # 146 PDP context established
    b"\x93\x00\x20\x00\xff"  # 147 PDP context destroyed
    b"\x94\x00\x20\x00\x44"  # 148 PDP context failure, no valid context
    b"\x95\x00\x20\x00\xff"  # 149 Modem software reset
    b"\x96\x00\x20\x00\xff"  # 150 Modem hardware reset, not after general power-up
    b"\x97\x00\x20\x00\xff"  # 151 GSM outgoing connection
    b"\x98\x00\x20\x00\x47"  # 152 GSM incoming connection
    b"\x99\x00\x20\x00\xff"  # 153 GSM hang-up
    b"\x9a\x00\x20\x00\x45"  # 154 Modem diagnostic failure
    b"\x9b\x00\x20\x00\x46"  # 155 User initialisation failure
    b"\x9c\x00\x20\x00\xff"  # 156 Signal quality low, unknown or not detectable
    b"\x9d\x00\x20\x00\xff"  # 157 Too many calls answered automatically
    b"\x9e\x00\x20\x00\x32"  # 158 Local communication attempt
    b"\x9f\x00\x20\x00\xff"  # 159 Command received, not actioned
    b"\xa0\x00\x00\x04\xff"  # 160 M-Bus valve: manual disconnection, channel 1
    b"\xa1\x00\x00\x04\xff"  # 161 M-Bus valve: manual connection, channel 1
    b"\xa2\x00\x00\x04\xff"  # 162 M-Bus valve: remote disconnection, channel 1
    b"\xa3\x00\x00\x04\xff"  # 163 M-Bus valve: remote connection, channel 1
    b"\xa4\x00\x00\x04\x3b"  # 164 M-Bus valve: valve alarm, channel 1
    b"\xa5\x00\x00\x04\xff"  # 165 M-Bus valve: local disconnection, channel 1
    b"\xa6\x00\x00\x04\xff"  # 166 M-Bus valve: local connection, channel 1
    b"\xaa\x00\x00\x04\xff"  # 170 M-Bus valve: manual disconnection, channel 2
    b"\xab\x00\x00\x04\xff"  # 171 M-Bus valve: manual connection, channel 2
    b"\xac\x00\x00\x04\xff"  # 172 M-Bus valve: remote disconnection, channel 2
    b"\xad\x00\x00\x04\xff"  # 173 M-Bus valve: remote connection, channel 2
    b"\xae\x00\x00\x04\x3c"  # 174 M-Bus valve: valve alarm, channel 2
    b"\xaf\x00\x00\x04\xff"  # 175 M-Bus valve: local disconnection, channel 2
    b"\xb0\x00\x00\x04\xff"  # 176 M-Bus valve: local connection, channel 2
    b"\xb4\x00\x00\x04\xff"  # 180 M-Bus valve: manual disconnection, channel 3
    b"\xb5\x00\x00\x04\xff"  # 181 M-Bus valve: manual connection, channel 3
    b"\xb6\x00\x00\x04\xff"  # 182 M-Bus valve: remote disconnection, channel 3
    b"\xb7\x00\x00\x04\xff"  # 183 M-Bus valve: remote connection, channel 3
    b"\xb8\x00\x00\x04\x3d"  # 184 M-Bus valve: valve alarm, channel 3
    b"\xb9\x00\x00\x04\xff"  # 185 M-Bus valve: local disconnection, channel 3
    b"\xba\x00\x00\x04\xff"  # 186 M-Bus valve: local connection, channel 3
    b"\xbe\x00\x00\x04\xff"  # 190 M-Bus valve: manual disconnection, channel 4
    b"\xbf\x00\x00\x04\xff"  # 191 M-Bus valve: manual connection, channel 4
    b"\xc0\x00\x00\x04\xff"  # 192 M-Bus valve: remote disconnection, channel 4
    b"\xc1\x00\x00\x04\xff"  # 193 M-Bus valve: remote connection, channel 4
    b"\xc2\x00\x00\x04\x3e"  # 194 M-Bus valve: valve alarm, channel 4
    b"\xc3\x00\x00\x04\xff"  # 195 M-Bus valve: local disconnection, channel 4
    b"\xc4\x00\x00\x04\xff"  # 196 M-Bus valve: local connection, channel 4
    b"\xc8\x00\x01\x00\xff"  # 200 Irregular reset of the legally relevant part
    b"\xc9\x00\x01\x00\xff"  # 201 Tariff source external to internal
    b"\xca\x00\x01\x00\xff"  # 202 Tariff source internal to external
    b"\xcb\x00\x01\x00\xff"  # 203 Unusually long signal processing
    b"\xcc\x00\x80\x00\xff"  # 204 Image transfer aborted
    b"\xcd\x00\x80\x00\xff"  # 205 Image transfer aborted, optical port
    b"\xce\x00\x01\x00\xff"  # 206 Meter too hot
    b"\xd1\x00\x01\x00\xff"  # 209 Remote billing capture
    b"\xd2\x00\x01\x00\xff"  # 210 Manual billing capture
    b"\xd6\x00\x10\x00\xff"  # 214 Power factor below its limit
    b"\xd7\x00\x10\x00\xff"  # 215 Power factor within its limit again
    b"\xd8\x00\x10\x00\xff"  # 216 Frequency above its threshold
    b"\xd9\x00\x10\x00\xff"  # 217 Frequency below its threshold
    b"\xda\x00\x02\x00\xff"  # 218 High voltage discharge on the meter
    b"\xdb\x00\x10\x00\xff"  # 219 Frequency within its threshold again
    b"\xdc\x00\x10\x00\xff"  # 220 Current above its threshold, L1
    b"\xdd\x00\x10\x00\xff"  # 221 Current above its threshold, L2
    b"\xde\x00\x10\x00\xff"  # 222 Current above its threshold, L3
    b"\xdf\x00\x01\x00\xff"  # 223 Regular billing capture
    b"\xe0\x00\x10\x00\xff"  # 224 Current within its threshold again, L1
    b"\xe1\x00\x10\x00\xff"  # 225 Current within its threshold again, L2
    b"\xe2\x00\x10\x00\xff"  # 226 Current within its threshold again, L3
    b"\xe4\x00\x10\x00\xff"  # 228 Current without voltage, L1
    b"\xe5\x00\x10\x00\xff"  # 229 Current without voltage, L2
    b"\xe6\x00\x01\x00\xff"  # 230 Fatal error
    b"\xe7\x00\x01\x00\xff"  # 231 Billing reset
    b"\xe8\x00\x01\x00\xff"  # 232 Power failure of a phase, L1
    b"\xe9\x00\x01\x00\xff"  # 233 Power failure of a phase, L2
    b"\xea\x00\x01\x00\xff"  # 234 Power failure of a phase, L3
    b"\xeb\x00\x01\x00\xff"  # 235 Power of a phase restored, L1
    b"\xec\x00\x01\x00\xff"  # 236 Power of a phase restored, L2
    b"\xed\x00\x01\x00\xff"  # 237 Power of a phase restored, L3
    b"\xef\x00\x01\x02\xff"  # 239 Prepayment token accepted
    b"\xf0\x00\x01\x02\xff"  # 240 Prepayment token failed
    b"\xf1\x00\x01\x02\xff"  # 241 Prepayment credit expired
    b"\xf2\x00\x01\x02\xff"  # 242 Emergency credit expired
    b"\xf3\x00\x01\x02\xff"  # 243 Emergency credit activated
    b"\xf4\x00\x80\x00\xff"  # 244 Verification failed, optical port
    b"\xf5\x00\x80\x00\xff"  # 245 Image for another type, optical port
    b"\xf6\x00\x82\x00\xff"  # 246 Wrong signature, optical port
    b"\xf9\x00\x00\x01\xff"  # 249 Successful user authentication
    b"\xfa\x00\x00\x02\xff"  # 250 Debt collection complete, time debt 1
    b"\xfb\x00\x02\x00\xff"  # 251 Phase bypass with neutral present
    b"\xfc\x00\x00\x02\xff"  # 252 Debt collection complete, payment debt
    b"\xfe\x00\x01\x00\xff"  # 254 Profile cleared
    b"\xff\x00\x00\x00\xff"  # 255 Log cleared, the first entry of any log
    b"\x02\x01\x00\x00\xff"  # 2 Power up of the whole device: after a long outage
    b"\x06\x01\x01\x00\x00"  # 6 Clock invalid, found at power-up: clock chip does not answer
    b"\x0e\x01\x01\x00\x0a"  # 14 Memory error: one copy of the energies
    b"\x10\x01\x01\x00\x0b"  # 16 Measurement error: calibration
    b"\x31\x01\x02\x01\x48"  # 49 Deciphering or authentication failed: certificate refused
    b"\x4c\x01\x10\x00\xff"  # 76 Undervoltage: mean below its threshold, L1
    b"\x4d\x01\x10\x00\xff"  # 77 Undervoltage: mean below its threshold, L2
    b"\x4e\x01\x10\x00\xff"  # 78 Undervoltage: mean below its threshold, L3
    b"\x4f\x01\x10\x00\xff"  # 79 Overvoltage: mean above its threshold, L1
    b"\x50\x01\x10\x00\xff"  # 80 Overvoltage: mean above its threshold, L2
    b"\x51\x01\x10\x00\xff"  # 81 Overvoltage: mean above its threshold, L3
    b"\x52\x01\x10\x00\xff"  # 82 Missing voltage: extreme undervoltage, L1
    b"\x53\x01\x10\x00\xff"  # 83 Missing voltage: extreme undervoltage, L2
    b"\x54\x01\x10\x00\xff"  # 84 Missing voltage: extreme undervoltage, L3
    b"\x59\x01\x00\x00\x68"  # 89 Asymmetric current, possible break of the neutral
    b"\x5b\x01\x00\x00\xff"  # 91 Current reversal on an import-only meter: L1
    b"\x98\x01\x00\x00\x47"  # 152 GSM incoming connection: log-in from the network
    b"\xe6\x01\x10\x00\xff"  # 230 Current without voltage, L3
    b"\xf0\x01\x80\x00\xff"  # 240 Image for another meter type
    b"\xf1\x01\x82\x00\xff"  # 241 Image with wrong signature
    b"\xf2\x01\x80\x00\xff"  # 242 Firmware ready, optical port
    b"\xf3\x01\x80\x00\xff"  # 243 Firmware activated, optical port
    b"\xfb\x01\x00\x02\xff"  # 251 Debt collection complete, time debt 2
    b"\xfe\x01\x08\x00\xff"  # 254 Profile cleared: M-Bus
    b"\x0e\x02\x01\x00\x0a"  # 14 Memory error: both copies of the energies
    b"\x4c\x02\x10\x00\xff"  # 76 Undervoltage: below a threshold, L1
    b"\x4d\x02\x10\x00\xff"  # 77 Undervoltage: below a threshold, L2
    b"\x4e\x02\x10\x00\xff"  # 78 Undervoltage: below a threshold, L3
    b"\x4f\x02\x10\x00\xff"  # 79 Overvoltage: extreme, L1
    b"\x50\x02\x10\x00\xff"  # 80 Overvoltage: extreme, L2
    b"\x51\x02\x10\x00\xff"  # 81 Overvoltage: extreme, L3
    b"\x5b\x02\x00\x00\xff"  # 91 Current reversal on an import-only meter: L2
    b"\x0e\x03\x01\x00\x0a"  # 14 Memory error: parameters
    b"\x4f\x03\x10\x00\xff"  # 79 Overvoltage: above a threshold, L1
    b"\x50\x03\x10\x00\xff"  # 80 Overvoltage: above a threshold, L2
    b"\x51\x03\x10\x00\xff"  # 81 Overvoltage: above a threshold, L3
    b"\x5b\x03\x00\x00\xff"  # 91 Current reversal on an import-only meter: L3
    b"\x0e\x04\x01\x00\x0a"  # 14 Memory error: flash
    b"\x0e\x05\x01\x00\x0a"  # 14 Memory error: profile or billing
    b"\x0e\x06\x01\x00\x0a"  # 14 Memory error: event log
    b"\x0e\x07\x01\x00\x0a"  # 14 Memory error: calendar, masks or scripts
)
ERRORS = (
    b"\x06\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02"  # 6
    b"\x07\x00\x02\x00\x00\x00\x00\x00\x80\x00\x00\x00\x00\x01"  # 7
    b"\x08\x00\x02\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x01"  # 8
    b"\x0c\x00\x00\x01\x00\x00\x00\x00\x01\x00\x00\x01\x00\x00"  # 12
    b"\x0d\x00\x00\x02\x00\x00\x00\x00\x04\x00\x00\x00\x01\x00"  # 13
    b"\x0e\x00\x00\x04\x00\x00\x02\x00\x00\x00\x00\x00\x02\x00"  # 14
    b"\x0f\x00\x00\x10\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00"  # 15
    b"\x10\x00\x00\x08\x00\x00\x00\x08\x00\x00\x00\x00\x04\x00"  # 16
    b"\x28\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00"  # 40
    b"\x2a\x00\x00\x00\x00\x00\x00\x00\x00\x08\x00\x00\x00\x00"  # 42
    b"\x2c\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00"  # 44
    b"\x52\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"  # 82
    b"\x53\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00"  # 83
    b"\x54\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00"  # 84
    b"\x5a\x00\x00\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00"  # 90
    b"\xe6\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x00"  # 230
    b"\x06\x01\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x08\x00"  # 6
    b"\x0e\x01\x00\x04\x00\x00\x02\x00\x00\x00\x00\x02\x00\x00"  # 14
    b"\x10\x01\x00\x08\x00\x00\x08\x00\x00\x00\x00\x00\x04\x00"  # 16
    b"\x5b\x01\x00\x00\x00\x00\x00\x00\x00\x20\x00\x00\x00\x00"  # 91
    b"\x0e\x02\x00\x04\x00\x00\x02\x00\x00\x00\x00\x22\x00\x00"  # 14
    b"\x5b\x02\x00\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00\x00"  # 91
    b"\x0e\x03\x00\x04\x00\x00\x00\x00\x04\x00\x00\x04\x00\x00"  # 14
    b"\x5b\x03\x00\x00\x00\x00\x00\x00\x00\x80\x00\x00\x00\x00"  # 91
    b"\x0e\x04\x00\x04\x00\x00\x00\x80\x00\x00\x00\x18\x00\x00"  # 14
    b"\x0e\x05\x00\x04\x00\x00\x00\x80\x00\x00\x00\x08\x00\x00"  # 14
    b"\x0e\x06\x00\x04\x00\x00\x00\x80\x00\x00\x00\x10\x00\x00"  # 14
    b"\x0e\x07\x00\x04\x00\x00\x00\x00\x18\x00\x00\x04\x00\x00"  # 14
)
ALERTS = (
    b"\x01\x00\x57\x81"  # 1
    b"\x12\x00\x43\x8f"  # 18
    b"\x28\x00\x76\x8f"  # 40
    b"\x41\x00\x01\x8f"  # 65
    b"\x4c\x00\x2c\x80"  # 76
    b"\x4d\x00\x2c\x80"  # 77
    b"\x4e\x00\x2c\x80"  # 78
    b"\x5b\x00\xbb\x81"  # 91
    b"\x9f\x00\x55\x81"  # 159
    b"\xe8\x00\x57\x81"  # 232
    b"\xe9\x00\x57\x81"  # 233
    b"\xea\x00\x57\x81"  # 234
    b"\xfa\x00\xa7\x81"  # 250
    b"\xfc\x00\xa9\x81"  # 252
    b"\x02\x01\x57\x8f"  # 2
    b"\x4f\x01\x02\x80"  # 79
    b"\x50\x01\x02\x80"  # 80
    b"\x51\x01\x02\x80"  # 81
    b"\x52\x01\x28\x80"  # 82
    b"\x53\x01\x28\x80"  # 83
    b"\x54\x01\x28\x80"  # 84
    b"\xfb\x01\xa8\x81"  # 251
)
