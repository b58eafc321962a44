// Settings of ST's library for a pyboard 1.1: MicroPython's own, and this board's crystals.
#ifndef FERRARIS_STM32F4XX_HAL_CONF_H
#define FERRARIS_STM32F4XX_HAL_CONF_H

#include "boards/stm32f4xx_hal_conf_base.h"

// hertz
#define HSE_VALUE (12000000)
#define LSE_VALUE (32768)
#define EXTERNAL_CLOCK_VALUE (12288000)

// milliseconds until a crystal is given up
#define HSE_STARTUP_TIMEOUT (100)
#define LSE_STARTUP_TIMEOUT (5000)

#endif
