/* The work on a frame as a C compiler does it: the yardstick of `make bench`.

   The same functions on the same buffers as metrology/kernel.py, voltage_kernel.py and
   waveform_kernel.py, with the same results to the bit, written the way one writes C: plain signed
   arithmetic, structures by their fields. It runs nowhere but in the bench. */

#include <stdint.h>

struct decode_state {
    int32_t words, channels, first, ring, status, bad, spare[2];
    int32_t channel[8], good[8];
    uint16_t table[512];
};

int decode(int left, struct decode_state *state, const uint8_t *ring, int32_t *out)
{
    const int words = state->words, channels = state->channels, length = 3 * words;
    const uint16_t *one = state->table, *two = state->table + 256;
    const int32_t *good = state->good;
    int frame = state->first, errors = 0;
    while (left--) {
        const uint8_t *chip = ring + frame * length;
        uint32_t crc = 0xFFFF;
        if (words & 1) {
            for (int k = 0; k < length; k++)
                crc = (crc >> 8) ^ two[(crc & 255) ^ chip[k]];
        } else {
            const uint16_t *half = (const uint16_t *)chip, *end = half + length / 2;
            while (half != end) {
                crc ^= *half++;
                crc = one[crc & 255] ^ two[crc >> 8];
            }
        }
        if (crc) {
            errors++;
            state->bad = (state->bad + 1) & 0xFFFFFF;
            for (int k = 0; k < channels; k++)
                out[k] = good[k];
        } else {
            state->status = chip[0] << 8 | chip[1];
            state->bad = 0;
            for (int k = 0; k < channels; k++) {
                const uint8_t *b = chip + state->channel[k];
                out[k] = (int32_t)((uint32_t)b[0] << 24 | b[1] << 16 | b[2] << 8) >> 8;
            }
        }
        good = out;
        out += channels;
        if (++frame == state->ring)
            frame = 0;
    }
    state->first = frame;
    for (int k = 0; k < channels; k++)
        state->good[k] = good[k];
    return errors;
}

struct scan_state {
    int32_t channels, channel, zero, shift, level, hold_off, target;
    int32_t filter, armed, since, count, before, after;
};

int scan(struct scan_state *state, const int32_t *frames, int first, int count)
{
    const int channels = state->channels, shift = state->shift, level = state->level;
    const int zero = state->zero - 0x800000, hold_off = state->hold_off;
    int since = state->since, armed = state->armed, stop = count;
    int y = state->filter - 0x20000000;
    const int32_t *at = frames + first * channels + state->channel;
    for (int k = first; k < count; k++) {
        const int before = y;
        y += ((*at - zero) * 16 - y) >> shift;
        at += channels;
        since++;
        if (y < 0) {
            if (y < -level)
                armed = 1;
        } else if (armed) {
            armed = 0;
            if (since > hold_off) {
                since = 0;
                state->before = -before;
                state->after = y;
                if (++state->count >= state->target) {
                    state->count = 0;
                    stop = k;
                    break;
                }
            }
        }
    }
    state->since = since > 0xFFFFFF ? 0xFFFFFF : since;
    state->armed = armed;
    state->filter = y + 0x20000000;
    return stop;
}

int references(int left, const int32_t *table, int32_t *state, int32_t *pairs)
{
    int phase = state[0];
    const int step = state[1];
    while (left--) {
        const int32_t *p = table + (phase >> 22);
        const int part = phase >> 11 & 2047;
        pairs[0] = (((p[1] - p[0]) * part >> 11) + p[0] + 128) >> 8;
        pairs[1] = (((p[65] - p[64]) * part >> 11) + p[64] + 128) >> 8;
        pairs += 2;
        phase = (phase + step) & 0x3FFFFFFF;
    }
    state[0] = phase;
    return 0;
}

struct phase {
    int32_t zero_u, zero_i, allpass, late_u, late_i;
    int32_t x1, y, held, i1, i2;
    int32_t u[2], i[2], uu[4], ii[4], ui[4], us[3], uc[3], is[3], ic[3];
};

struct sums {
    int32_t channels, phases, neutral, zero_n;
    int32_t reference[10], n[2], nn[4];
    struct phase phase[3];
};

#define BIAS 0x4000000

static void add2(int32_t *limb, int32_t value)
{
    value += limb[0];
    limb[0] = value & 0xFFFFFF;
    limb[1] += value >> 24;
}

static void add3(int32_t *limb, int32_t high, int32_t low)
{
    low += limb[0];
    limb[0] = low & 4095;
    high += limb[1] + (low >> 12);
    limb[1] = high & 0xFFFFFF;
    limb[2] += high >> 24;
}

static void add4(int32_t *limb, int32_t high, int32_t middle, int32_t low)
{
    low += limb[0];
    limb[0] = low & 4095;
    middle += limb[1] + (low >> 12);
    limb[1] = middle & 4095;
    high += limb[2] + (middle >> 12);
    limb[2] = high & 0xFFFFFF;
    limb[3] += high >> 24;
}

int accumulate(int span, const int32_t *frames, struct sums *state, const int32_t *pairs)
{
    const int count = span & 255, first = span >> 8, stride = state->channels;
    for (int n = 0; n < state->phases; n++) {
        struct phase *p = &state->phase[n];
        const int32_t *f = frames + first * stride + 2 * n, *r = pairs + 2 * first;
        const int zero_u = p->zero_u - 0x800000, zero_i = p->zero_i - 0x800000;
        const int c = p->allpass - 65536;
        int x1 = p->x1 - BIAS, y = p->y - BIAS, held = p->held - BIAS;
        int i1 = p->i1 - BIAS, i2 = p->i2 - BIAS;
        int us = 0, is = 0, uu_h = 0, uu_m = 0, uu_l = 0, ii_h = 0, ii_m = 0, ii_l = 0;
        int ui_h = 0, ui_m = 0, ui_l = 0, us_h = 0, us_l = 0, uc_h = 0, uc_l = 0;
        int is_h = 0, is_l = 0, ic_h = 0, ic_l = 0;
        for (int k = 0; k < count; k++) {
            int x = f[0] - zero_u, t;
            if (p->late_u) {
                t = x;
                x = held;
                held = t;
            }
            t = x1;
            x1 = x;
            if (c) {
                x -= y;
                t += ((((x & 4095) * c) >> 12) + (x >> 12) * c + 8) >> 4;
            }
            y = t;
            int i = i1;
            i1 = f[1] - zero_i;
            if (p->late_i) {
                t = i;
                i = i2;
                i2 = t;
            }
            const int uh = y >> 12, ul = y & 4095, ih = i >> 12, il = i & 4095;
            const int sine = r[0], cosine = r[1];
            us += y;
            is += i;
            uu_h += uh * uh;
            uu_m += uh * ul;
            uu_l += ul * ul;
            ii_h += ih * ih;
            ii_m += ih * il;
            ii_l += il * il;
            ui_h += uh * ih;
            ui_m += uh * il + ul * ih;
            ui_l += ul * il;
            us_h += uh * sine;
            us_l += ul * sine;
            uc_h += uh * cosine;
            uc_l += ul * cosine;
            is_h += ih * sine;
            is_l += il * sine;
            ic_h += ih * cosine;
            ic_l += il * cosine;
            f += stride;
            r += 2;
        }
        p->x1 = x1 + BIAS;
        p->y = y + BIAS;
        p->held = held + BIAS;
        p->i1 = i1 + BIAS;
        p->i2 = i2 + BIAS;
        add2(p->u, us);
        add2(p->i, is);
        add4(p->uu, uu_h, 2 * uu_m, uu_l);
        add4(p->ii, ii_h, 2 * ii_m, ii_l);
        add4(p->ui, ui_h, ui_m, ui_l);
        add3(p->us, us_h - us, us_l);
        add3(p->uc, uc_h - us, uc_l);
        add3(p->is, is_h - is, is_l);
        add3(p->ic, ic_h - is, ic_l);
    }
    return 0;
}

int accumulate_shared(int span, const int32_t *frames, struct sums *state, const int32_t *pairs)
{
    const int stride = state->channels, neutral = state->neutral;
    const int zero_n = state->zero_n - 0x800000;
    int count = span & 255, s_sum = 0, c_sum = 0, ss = 0, cc = 0, sc = 0, n_sum = 0;
    int nn_h = 0, nn_m = 0, nn_l = 0;
    const int32_t *f = frames + (span >> 8) * stride + neutral;
    pairs += 2 * (span >> 8);
    while (count--) {
        const int s = pairs[0] - 4096, c = pairs[1] - 4096;
        pairs += 2;
        s_sum += s;
        c_sum += c;
        ss += s * s;
        cc += c * c;
        sc += s * c;
        if (neutral) {
            const int n = *f - zero_n, h = (n + 2048) >> 12, l = ((n + 2048) & 4095) - 2048;
            f += stride;
            n_sum += n;
            nn_h += h * h;
            nn_m += h * l;
            nn_l += l * l;
        }
    }
    add2(state->reference, s_sum);
    add2(state->reference + 2, c_sum);
    add2(state->reference + 4, ss);
    add2(state->reference + 6, cc);
    add2(state->reference + 8, sc);
    add2(state->n, n_sum);
    add4(state->nn, nn_h, 2 * nn_m, nn_l);
    return 0;
}

struct voltage {
    int32_t zero, sum, last, factor, factor_shift, half, left, length, before, count, wait;
};

struct half_state {
    int32_t channels, phases, shift, slots;
    struct voltage voltage[3];
};

static int millivolts(int squares, int duration, const struct voltage *p)
{
    int word = squares / duration, shift = p->factor_shift, root = 0;
    word = (word << 12) + ((squares - word * duration) << 12) / duration;
    for (int t = 0; t < 7; t++)
        if (word < 0x4000000) {
            word <<= 2;
            shift++;
        }
    for (int bit = 0x10000000; bit; bit >>= 2) {
        const int t = root + bit;
        root >>= 1;
        if (word >= t) {
            word -= t;
            root += bit;
        }
    }
    return root * p->factor >> shift;
}

int half_cycles(int frames, const int32_t *block, struct half_state *state, int32_t *ring)
{
    const int stride = state->channels, phases = state->phases, shift = state->shift;
    int ended = 0;
    for (int phase = 0; phase < phases; phase++) {
        struct voltage *p = &state->voltage[phase];
        const int zero = p->zero - 0x800000 - (1 << (shift - 1));
        const int32_t *f = block + 2 * phase;
        int frames_left = frames, left = p->left;
        while (frames_left) {
            int n = left >> 8, squares = p->sum;
            if (n > frames_left)
                n = frames_left;
            frames_left -= n;
            left -= n << 8;
            while (n--) {
                const int x = (*f - zero) >> shift;
                squares += x * x;
                f += stride;
            }
            p->sum = squares;
            if (frames_left) {
                const int x = (*f - zero) >> shift, t = ((x * x) >> 1) * left >> 7;
                int32_t *slot = ring + (p->count & (state->slots - 1)) * phases + phase;
                squares += t;
                p->sum = x * x - t;
                if (p->wait) {
                    p->wait--;
                    *slot = -1;
                } else
                    *slot = millivolts(p->last + squares, p->length + p->before, p);
                p->last = squares;
                p->before = p->length;
                p->length = p->half;
                p->count = (p->count + 1) & 0x3FFFFFFF;
                left += p->half - 256;
                f += stride;
                frames_left--;
                ended++;
            }
        }
        p->left = left;
    }
    return ended;
}

int keep(const int32_t *frames, int32_t *ring, int words)
{
    const int size = ring[0];
    int at = ring[1];
    while (words) {
        int run = size - at < words ? size - at : words;
        int32_t *target = ring + 2 + at;
        words -= run;
        at += run;
        if (at == size)
            at = 0;
        while (run--)
            *target++ = *frames++;
    }
    ring[1] = at;
    return 0;
}
