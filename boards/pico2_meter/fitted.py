"""What is fitted on this meter: change it to what you have soldered, then flash again."""

# "3ph": three phases, direct, ADS131M08.   "ct": the same behind transformers of 5 A.
# "1ph": one phase with neutral, ADS131M04.   "twin": the same with two loads to count apart.
MODEL = "3ph"

# "ads131m0x", or one for a first look with MODEL "1ph": "own", the Pico's own ADC, class 1 from
# 0.25 A with a linearity table and tens of percent wrong below 50 mA; "ads1115", which meets no
# class and is wrong by percents with loads that are no sine (docs/front-ends.md).
CONVERTER = "ads131m0x"

# Parts of the firmware: "full"; "standard", without the quality of the supply; "basic", without
# tariff, demand, billing and IEC 62056-21 as well; "look", for a first look on the glass, without
# ports and logs; "auto", the most of these that fits.
PARTS = "auto"

# Volts of the mains for one volt at the converter's input:
# a ZMPT101B with 112 k before and 150 ohm behind is 112_000 / 150.
VOLTAGE_RATIO = 747

# Milliamperes of the mains for one volt at the converter's input:
# a transformer of 2000:1 on 6.2 ohm is 1000 * 2000 / 6.2.
CURRENT_MA_PER_V = 322_581

# The converter's amplifier, 1 to 128: its input takes 1.2 V of peak divided by this.
VOLTAGE_GAIN = 1
CURRENT_GAIN = 1

# True for a shunt in a circuit that carries DC, and for nothing else.
KEEP_DC = False

# True: a piezo disc clicks as a key goes down, in the place of the pulse output's OptoMOS.
SOUNDER = False
