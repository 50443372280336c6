/* Recognizes CBOR that can certainly be read, and would be written again with the same bytes,
 * without decoding it.
 *
 * A payload that is forwarded undecoded must not surprise its reader. Instead of checking all of
 * CBOR, this knows only the few forms that encoders of plain data write (RFC 8949, 4.2.1, except
 * for the order of keys and short floats). Everything else is decoded. */
#include "cbor_plain.h"

#include "read.h"
#include "text.h"

typedef struct {
    const uint8_t *next; /* <= end */
    const uint8_t *end;
} scanner;

static bool scan_item(scanner *s, unsigned depth);

static inline size_t
left(const scanner *s)
{
    return (size_t)(s->end - s->next);
}

/* Consumes an argument whose initial byte has been consumed; false unless it is in the shortest
 * form. */
static inline bool
take_argument(scanner *s, uint8_t byte, uint64_t *n)
{
    unsigned info = byte & 0x1f;
    if (info < 24) {
        *n = info;
        return true;
    }
    size_t count = (size_t)1 << (info & 3);
    if (info > 27 || count > left(s)) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        value = value << 8 | s->next[i];
    }
    s->next += count;
    *n = value;
    return info == 24 ? value >= 24 : value >> (4 * count) != 0;
}

static inline bool
take_string(scanner *s, uint8_t byte, wfbs_span *text)
{
    uint64_t n;
    if (!take_argument(s, byte, &n) || n > left(s)) {
        return false;
    }
    *text = (wfbs_span){s->next, (size_t)n}; /* <= the remaining size, which is a size_t */
    s->next += text->size;
    return byte >> 5 == 2 || wfbs_utf8_is_valid(text->data, text->size);
}

/* Consumes a key of a map. It must be text and differ from the `count` keys before it. */
static inline bool
take_key(scanner *s, wfbs_span *keys, uint64_t count)
{
    if (!left(s) || *s->next >> 5 != 3 || count >= WFBS_CBOR_PLAIN_KEYS) {
        return false;
    }
    uint8_t byte = *s->next++;
    wfbs_span *key = &keys[count];
    if (!take_string(s, byte, key)) {
        return false;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (keys[i].size == key->size && !memcmp(keys[i].data, key->data, key->size)) {
            return false;
        }
    }
    return true;
}

/* A finite 64-bit float, or one of the three short ones that aren't finite. */
static inline bool
skip_float(scanner *s, uint8_t byte)
{
    size_t size = byte == 0xfb ? 8 : 2;
    if (size > left(s)) {
        return false;
    }
    unsigned top = (unsigned)s->next[0] << 8 | s->next[1];
    s->next += size;
    return size == 8 ? (top & 0x7ff0) != 0x7ff0 : top == 0x7e00 || top == 0x7c00 || top == 0xfc00;
}

/* The items of an array or a map whose initial byte has been consumed. */
static bool
scan_items(scanner *s, uint8_t byte, unsigned depth)
{
    uint64_t count;
    bool map = byte >> 5 == WFBS_CBOR_MAP;
    wfbs_span keys[WFBS_CBOR_PLAIN_KEYS];
    if (depth > WFBS_CBOR_PLAIN_DEPTH || !take_argument(s, byte, &count)) {
        return false;
    }
    /* Every item takes at least one byte: the remaining size bounds the loop, whatever the
     * count. */
    for (uint64_t i = 0; i < count; i++) {
        if (map && !take_key(s, keys, i)) {
            return false;
        }
        if (!scan_item(s, depth)) {
            return false;
        }
    }
    return true;
}

static bool
scan_item(scanner *s, unsigned depth)
{
    uint64_t n;
    wfbs_span text;
    if (!left(s)) {
        return false;
    }
    uint8_t byte = *s->next++;
    switch (byte >> 5) {
    case 0:
    case 1:
        return take_argument(s, byte, &n);
    case 2:
    case 3:
        return take_string(s, byte, &text);
    case 4:
    case 5:
        return scan_items(s, byte, depth + 1);
    case 7:
        return byte == 0xfb || byte == 0xf9 ? skip_float(s, byte) : byte >= 0xf4 && byte <= 0xf6;
    default: /* tags */
        return false;
    }
}

bool
wfbs_cbor_is_plain(const uint8_t *data, size_t size, wfbs_cbor_major outermost)
{
    scanner s = {data, data + size};
    return size && *data >> 5 == (uint8_t)outermost && scan_item(&s, 0) && s.next == s.end;
}
