/* Checks of text: UTF-8 well-formedness and WAMP URIs. */
#include "text.h"

#include "read.h"

/* True if the `size` bytes at `data` are UTF-8 by RFC 3629: shortest forms, no surrogates, nothing
 * above U+10FFFF. */
bool
wfbs_utf8_is_valid(const uint8_t *data, size_t size)
{
    size_t i = 0;
    while (size - i >= 8) { /* i <= size always, so the difference can't wrap */
        uint64_t word;
        memcpy(&word, data + i, sizeof word);
        if (word & UINT64_C(0x8080808080808080)) {
            break;
        }
        i += 8;
    }
    while (i < size) {
        uint8_t lead = data[i];
        if (lead < 0x80) {
            i++;
            continue;
        }
        size_t length;
        uint8_t low = 0x80, high = 0xBF; /* range of the second byte */
        if (lead >= 0xC2 && lead <= 0xDF) {
            length = 2;
        }
        else if (lead >= 0xE0 && lead <= 0xEF) {
            length = 3;
            if (lead == 0xE0) {
                low = 0xA0;
            }
            else if (lead == 0xED) {
                high = 0x9F;
            }
        }
        else if (lead >= 0xF0 && lead <= 0xF4) {
            length = 4;
            if (lead == 0xF0) {
                low = 0x90;
            }
            else if (lead == 0xF4) {
                high = 0x8F;
            }
        }
        else {
            return false;
        }
        if (size - i < length || data[i + 1] < low || data[i + 1] > high) {
            return false;
        }
        for (size_t k = 2; k < length; k++) {
            if ((data[i + k] & 0xC0) != 0x80) {
                return false;
            }
        }
        i += length;
    }
    return true;
}

/* The size in bytes of the character at `p` if it is white space by Python's `\s` (str.isspace),
 * else 0. `left` bytes of valid UTF-8 follow `p`. */
static size_t
wfbs_space_length(const uint8_t *p, size_t left)
{
    uint8_t c = p[0];
    if (c < 0x80) {
        return c == ' ' || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F);
    }
    if (c == 0xC2 && left >= 2) { /* U+0085, U+00A0 */
        return p[1] == 0x85 || p[1] == 0xA0 ? 2 : 0;
    }
    if (left < 3) {
        return 0;
    }
    bool space = (c == 0xE1 && p[1] == 0x9A && p[2] == 0x80) /* U+1680 */
                 || (c == 0xE2 && p[1] == 0x80
                     && ((p[2] >= 0x80 && p[2] <= 0x8A)                    /* U+2000..200A */
                         || p[2] == 0xA8 || p[2] == 0xA9 || p[2] == 0xAF)) /* U+2028, 2029, 202F */
                 || (c == 0xE2 && p[1] == 0x81 && p[2] == 0x9F)            /* U+205F */
                 || (c == 0xE3 && p[1] == 0x80 && p[2] == 0x80);           /* U+3000 */
    return space ? 3 : 0;
}

/* The classes of bytes that matter inside a URI. */
static inline bool
wfbs_uri_byte_is_plain(uint8_t c)
{
    return c > ' ' && c < 0x80 && c != '.' && c != '#';
}

bool
wfbs_uri_is_valid(const uint8_t *data, size_t size, wfbs_uri_mode mode)
{
    /* `$` also matches before one trailing newline. */
    if (size && data[size - 1] == '\n') {
        size--;
    }
    size_t component = 0; /* bytes in the current component */
    for (size_t i = 0; i < size; i++) {
        uint8_t c = data[i];
        if (wfbs_uri_byte_is_plain(c)) {
            component++;
        }
        else if (c == '.') {
            if (!component && mode != WFBS_URI_ANY_EMPTY) {
                return false;
            }
            component = 0;
        }
        else if (c == '#' || wfbs_space_length(data + i, size - i)) {
            return false;
        }
        else {
            component++;
        }
    }
    return component || mode != WFBS_URI_NO_EMPTY;
}
