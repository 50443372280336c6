/* The requirements of WAMP attributes. The rules for text are the RFC's regular expressions,
 * matched against the whole string. */
#include "wamp_attributes.h"

#include <stdio.h>
#include <string.h>

#include "../cbor_guard.h"

enum { ON_TEXT = 1, ON_BYTES = 2, ON_INTEGER = 4, LAST_EMPTY = 8, ANY_EMPTY = 16, STRICT = 32 };

static const struct {
    const char *name;
    uint8_t on;
    uint8_t bytes; /* required number of bytes, 0 for any */
    uint8_t words; /* required size of a struct of words */
    const char *expected;
} demands[WFBS_DEMAND_COUNT] = {
    [WFBS_DEMAND_NONE] = {"", 0, 0, 0, ""},
    [WFBS_DEMAND_WAMPID] = {"wampid", ON_INTEGER, 0, 0, "1 to 2**53 expected for wampid"},
    [WFBS_DEMAND_WAMPNAME] = {"wampname", ON_TEXT, 0, 0, "not a wampname"},
    [WFBS_DEMAND_WAMPNAME_STRICT] = {"wampname_s", ON_TEXT | STRICT, 0, 0, "not a wampname_s"},
    [WFBS_DEMAND_WAMPURI] = {"wampuri", ON_TEXT, 0, 0, "not a wampuri"},
    [WFBS_DEMAND_WAMPURI_STRICT] = {"wampuri_s", ON_TEXT | STRICT, 0, 0, "not a wampuri_s"},
    [WFBS_DEMAND_WAMPURI_PREFIX] = {"wampuri_p", ON_TEXT | ANY_EMPTY, 0, 0, "not a wampuri_p"},
    [WFBS_DEMAND_WAMPURI_PREFIX_STRICT] = {"wampuri_sp", ON_TEXT | ANY_EMPTY | STRICT, 0, 0,
                                           "not a wampuri_sp"},
    [WFBS_DEMAND_WAMPURI_PATTERN] = {"wampuri_pp", ON_TEXT | LAST_EMPTY, 0, 0, "not a wampuri_pp"},
    [WFBS_DEMAND_WAMPURI_PATTERN_STRICT] = {"wampuri_spp", ON_TEXT | LAST_EMPTY | STRICT, 0, 0,
                                            "not a wampuri_spp"},
    [WFBS_DEMAND_UUID] = {"uuid", ON_TEXT | ON_BYTES, 16, 16, "not the canonical text of a uuid"},
    [WFBS_DEMAND_ETHADR] = {"ethadr", ON_TEXT | ON_BYTES, 20, 20,
                            "0x and 40 hexadecimal digits expected for ethadr"},
    [WFBS_DEMAND_ETHSIG] = {"ethsig", ON_BYTES, 65, 0, "not an ethsig"},
    [WFBS_DEMAND_ETHHASH] = {"ethhash", ON_BYTES, 32, 32, "not an ethhash"},
    [WFBS_DEMAND_ETHVAL] = {"ethval", ON_BYTES, 32, 32, "not an ethval"},
    [WFBS_DEMAND_URL] = {"url", ON_TEXT, 0, 0, "not a url"},
    [WFBS_DEMAND_CBOR] = {"cbor", ON_BYTES, 0, 0, "not well-formed CBOR"},
};

wfbs_demand
wfbs_demand_of(const char *attribute, size_t size)
{
    for (unsigned i = 1; i < WFBS_DEMAND_COUNT; i++) {
        if (strlen(demands[i].name) == size && memcmp(demands[i].name, attribute, size) == 0) {
            return (wfbs_demand)i;
        }
    }
    return size == 8 && memcmp(attribute, "ethblock", 8) == 0 ? WFBS_DEMAND_ETHVAL
                                                              : WFBS_DEMAND_NONE;
}

const char *
wfbs_demand_name(wfbs_demand demand)
{
    return demands[demand].name;
}

bool
wfbs_demand_suits_text(wfbs_demand demand)
{
    return demands[demand].on & ON_TEXT;
}

bool
wfbs_demand_suits_bytes(wfbs_demand demand)
{
    return demands[demand].on & ON_BYTES;
}

bool
wfbs_demand_suits_integer(wfbs_demand demand)
{
    return demands[demand].on & ON_INTEGER;
}

unsigned
wfbs_demand_words(wfbs_demand demand)
{
    return demands[demand].words;
}

unsigned
wfbs_demand_size(wfbs_demand demand)
{
    return demands[demand].bytes;
}

static bool
is_hexadecimal(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const uint8_t lower = data[i] | 0x20;
        if (!((data[i] >= '0' && data[i] <= '9') || (lower >= 'a' && lower <= 'f'))) {
            return false;
        }
    }
    return true;
}

/* 8-4-4-4-12 hexadecimal digits. */
static bool
is_uuid(const uint8_t *data, size_t size)
{
    if (size != 36) {
        return false;
    }
    return data[8] == '-' && data[13] == '-' && data[18] == '-' && data[23] == '-'
           && is_hexadecimal(data, 8) && is_hexadecimal(data + 9, 4) && is_hexadecimal(data + 14, 4)
           && is_hexadecimal(data + 19, 4) && is_hexadecimal(data + 24, 12);
}

/* Whether a component may contain a byte: strict ones contain [0-9a-z_], loose ones everything
 * except white space, "." and "#". is_space detects white space outside ASCII. */
static bool
is_component_byte(uint8_t c, bool strict)
{
    if (strict) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_';
    }
    return c > ' ' ? c != '.' && c != '#' : !(c == ' ' || (c >= 9 && c <= 13) || c >= 28);
}

/* Whether Python's \s matches the non-ASCII character at `p`, where `left` bytes of valid UTF-8
 * remain. */
static bool
is_space(const uint8_t *p, size_t left)
{
    if (p[0] == 0xC2 && left >= 2) { /* U+0085, U+00A0 */
        return p[1] == 0x85 || p[1] == 0xA0;
    }
    if (left < 3 || p[0] < 0xE1 || p[0] > 0xE3) {
        return false;
    }
    const unsigned c = (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    return c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F
           || c == 0x205F || c == 0x3000;
}

/* Components joined by dots; `on` says which of them may be empty. */
static bool
is_uri(const uint8_t *data, size_t size, unsigned on, bool one_component)
{
    const bool strict = on & STRICT;
    size_t component = 0; /* bytes of the current component */
    for (size_t i = 0; i < size; i++) {
        const uint8_t c = data[i];
        if (c == '.' && !one_component) {
            if (!component && !(on & ANY_EMPTY)) {
                return false;
            }
            component = 0;
            continue;
        }
        if (!is_component_byte(c, strict) || (c >= 0x80 && is_space(data + i, size - i))) {
            return false;
        }
        component++;
    }
    return component || (on & (ANY_EMPTY | LAST_EMPTY));
}

/* A scheme, a colon, and at least one more character, without white space. */
static bool
is_url(const uint8_t *data, size_t size)
{
    size_t scheme = 0;
    while (scheme < size && data[scheme] != ':') {
        const uint8_t c = data[scheme], lower = c | 0x20;
        const bool other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
        if (!(lower >= 'a' && lower <= 'z') && !(scheme && other)) {
            return false;
        }
        scheme++;
    }
    if (!scheme || size - scheme < 2) { /* scheme <= size */
        return false;
    }
    for (size_t i = scheme; i < size; i++) {
        if (data[i] <= ' ' || data[i] == 0x7F) {
            return false;
        }
    }
    return true;
}

bool
wfbs_demand_text(wfbs_demand demand, const uint8_t *data, size_t size)
{
    switch (demand) {
    case WFBS_DEMAND_WAMPNAME:
    case WFBS_DEMAND_WAMPNAME_STRICT:
        return is_uri(data, size, demands[demand].on, true);
    case WFBS_DEMAND_WAMPURI:
    case WFBS_DEMAND_WAMPURI_STRICT:
    case WFBS_DEMAND_WAMPURI_PREFIX:
    case WFBS_DEMAND_WAMPURI_PREFIX_STRICT:
    case WFBS_DEMAND_WAMPURI_PATTERN:
    case WFBS_DEMAND_WAMPURI_PATTERN_STRICT:
        return is_uri(data, size, demands[demand].on, false);
    case WFBS_DEMAND_UUID:
        return is_uuid(data, size);
    case WFBS_DEMAND_ETHADR:
        return size == 42 && data[0] == '0' && data[1] == 'x' && is_hexadecimal(data + 2, 40);
    case WFBS_DEMAND_URL:
        return is_url(data, size);
    default:
        return true;
    }
}

bool
wfbs_demand_bytes(wfbs_demand demand, const uint8_t *data, size_t size)
{
    if (demand == WFBS_DEMAND_CBOR) {
        return wfbs_cbor_is_well_formed(data, size);
    }
    return !demands[demand].bytes || demands[demand].bytes == size;
}

bool
wfbs_demand_integer(wfbs_demand demand, uint64_t value)
{
    return demand != WFBS_DEMAND_WAMPID || (value >= 1 && value <= UINT64_C(1) << 53);
}

void
wfbs_demand_reason(wfbs_demand demand, uint64_t got, char *to, size_t room)
{
    if (got != UINT64_MAX && demands[demand].bytes) {
        (void)snprintf(to, room, "%u bytes expected for %s, got %llu", demands[demand].bytes,
                       demands[demand].name, (unsigned long long)got);
    }
    else {
        (void)snprintf(to, room, "%s", demands[demand].expected);
    }
}
