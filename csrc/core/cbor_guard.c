/* Keeps input away from cbor2 that costs it far more than its size: what this codec doesn't read
 * itself goes there, and some of what it takes is quadratic or exponential in the input.
 *
 * - Shared values (tags 28 and 29): 200 bytes can describe a tuple whose hash takes years.
 * - References to strings (tag 25): what is 3 bytes here is a long text when it is written again.
 * - Map keys and set elements whose hashes can be made to collide: containers and most tags
 *   (bignums, UUIDs, decimals). Each key is then compared with all before it.
 * - Decimals, bigfloats and rationals with huge digits: converting them is quadratic.
 * - Regular expressions (tag 35): compiling one takes up to 0.2 ms a byte. MIME messages (tag 36):
 *   each line is compared with the boundaries of all parts that it is in.
 *
 * Numbers as such, text and byte strings as keys are harmless: at most 16 integers of 64 bits
 * have one hash, and the hashes of strings, like those of dates, are keyed. */
#include "cbor_guard.h"

/* As deep as cbor2 goes: but before 5.9 that was as deep as the stack allows. */
#define GUARD_DEPTH 400

enum { TAG_DECIMAL = 4, TAG_BIGFLOAT = 5, TAG_RATIONAL = 30, TAG_STRING_REFERENCE = 25,
       TAG_SHARED = 28, TAG_REFERENCE = 29, TAG_REGULAR_EXPRESSION = 35, TAG_MIME = 36,
       TAG_SET = 258 };

typedef struct {
    const uint8_t *next;   /* <= end */
    const uint8_t *end;
    const char *refusal;   /* why the input is not taken, or NULL */
    const char *malformed; /* what has been met that some versions of cbor2 take, or NULL */
} scanner;

static int scan_item(scanner *s, int in_set, int depth);

/* Refuses the input. Returns 0, to be returned. */
static int refuse(scanner *s, const char *why) {
    s->refusal = why;
    return 0;
}

/* Reads the argument of an initial byte that has been taken. Returns 1; or 0 where the input
 * ends or the encoding is reserved, where cbor2 stops as well. */
static int scan_argument(scanner *s, uint8_t byte, uint64_t *n) {
    const uint8_t info = byte & 0x1f;
    size_t count;

    if (info < 24) {
        *n = info;
        return 1;
    }
    if (info > 27) {
        return 0;
    }
    count = (size_t)1 << (info - 24);
    if (count > (size_t)(s->end - s->next)) {
        return 0;
    }
    for (*n = 0; count > 0; count--) {
        *n = *n << 8 | *s->next++;
    }
    return 1;
}

/* Whether the item ahead is a container, or a tag that isn't a date's: what can be given any
 * hash. Only called where there is a byte ahead. */
static int is_costly_key(const scanner *s) {
    scanner ahead = *s;
    const uint8_t byte = *ahead.next++;
    uint64_t tag;

    if (byte >> 5 != 6) {
        return byte >> 5 == 4 || byte >> 5 == 5;
    }
    return !scan_argument(&ahead, byte, &tag) ||
           !(tag == 0 || tag == 1 || tag == 100 || tag == 1004);
}

/* Skips the items of an array (`keys` 0, or 1 where all are set elements) or of a map (`keys` 2:
 * every other one is a key), whose initial byte has been taken. Returns as scan_item. */
static int scan_items(scanner *s, uint8_t byte, int keys, int depth) {
    const int endless = (byte & 0x1f) == 31;
    uint64_t count = 0;
    int costly = 0;

    if (!endless && !scan_argument(s, byte, &count)) {
        return 0;
    }
    /* Every item takes a byte at least, so the input ends before `i` can wrap. */
    for (uint64_t i = 0; endless || i / (keys == 2 ? 2 : 1) < count; i++) {
        const int is_key = keys == 1 || (keys == 2 && i % 2 == 0);
        if (s->next == s->end) {
            return 0;
        }
        if (endless && *s->next == 0xff && (keys != 2 || is_key)) {
            s->next++;
            return 1;
        }
        if (is_key && is_costly_key(s) && ++costly > WFBS_CBOR_COSTLY_KEYS) {
            return refuse(s, "too many keys of a map or elements of a set that are neither "
                             "strings nor plain numbers");
        }
        if (!scan_item(s, 0, depth + 1)) {
            return 0;
        }
    }
    return 1;
}

/* Skips a string. Returns as scan_item. */
static int scan_string(scanner *s, uint8_t byte) {
    uint64_t n;

    if ((byte & 0x1f) != 31) {
        if (!scan_argument(s, byte, &n) || n > (uint64_t)(s->end - s->next)) {
            return 0;
        }
        s->next += n;
        return 1;
    }
    while (s->next < s->end) {
        const uint8_t chunk = *s->next++;
        if (chunk == 0xff) {
            return 1;
        }
        if (chunk >> 5 != byte >> 5 || (chunk & 0x1f) == 31 || !scan_string(s, chunk)) {
            return 0; /* chunks are strings of the same kind, of known length */
        }
    }
    return 0;
}

/* Skips a tag and what it tags. Returns as scan_item. */
static int scan_tag(scanner *s, uint8_t byte, int in_set, int depth) {
    const uint8_t *start = s->next;
    uint64_t tag;

    if (!scan_argument(s, byte, &tag)) {
        return 0;
    }
    if (tag == TAG_SHARED || tag == TAG_REFERENCE || tag == TAG_STRING_REFERENCE) {
        return refuse(s, "shared values (tags 25, 28 and 29) are not taken");
    }
    if (tag == TAG_REGULAR_EXPRESSION || tag == TAG_MIME) {
        return refuse(s, "regular expressions and MIME messages (tags 35 and 36) are not taken");
    }
    const int scanned = scan_item(s, in_set || tag == TAG_SET, depth + 1);
    if ((tag == TAG_DECIMAL || tag == TAG_BIGFLOAT || tag == TAG_RATIONAL) &&
        s->next - start > WFBS_CBOR_NUMBER_MAX) {
        return refuse(s, "too long a decimal, bigfloat or rational number");
    }
    return scanned;
}

/* Skips a simple value or a number of floating point. Returns as scan_item; what is malformed here
 * is for cbor2 to judge. */
static int scan_simple(scanner *s, uint8_t byte) {
    uint64_t n;

    if (byte == 0xff) {
        s->malformed = "a break that ends nothing";
        return 1;
    }
    if (!scan_argument(s, byte, &n)) {
        return 0;
    }
    if (byte == 0xf8 && n < 32) { /* RFC 8949, 3.3: these have one byte, or are reserved */
        s->malformed = "a simple value below 32 in two bytes";
    }
    return 1;
}

/* Skips one item; `in_set` if it is what tag 258 makes a set of. Returns 1; or 0 if the input is
 * refused, or is one that cbor2 gets no further with than here. */
static int scan_item(scanner *s, int in_set, int depth) {
    uint8_t byte;
    uint64_t n;

    if (depth > GUARD_DEPTH) {
        return refuse(s, "containers and tags are nested more than 400 levels deep");
    }
    if (s->next == s->end) {
        return 0;
    }
    byte = *s->next++;
    switch (byte >> 5) {
    case 0:
    case 1:
        return scan_argument(s, byte, &n);
    case 2:
    case 3:
        return scan_string(s, byte);
    case 4:
        return scan_items(s, byte, in_set ? 1 : 0, depth);
    case 5:
        return scan_items(s, byte, 2, depth);
    case 6:
        return scan_tag(s, byte, in_set, depth);
    default:
        return scan_simple(s, byte);
    }
}

const char *wfbs_cbor_refusal(const uint8_t *data, size_t size) {
    scanner s = {.next = data, .end = data + size, .refusal = NULL, .malformed = NULL};

    (void)scan_item(&s, 0, 0);
    return s.refusal;
}

const char *wfbs_cbor_malformation(const uint8_t *data, size_t size) {
    scanner s = {.next = data, .end = data + size, .refusal = NULL, .malformed = NULL};

    (void)scan_item(&s, 0, 0);
    return s.malformed;
}

size_t wfbs_cbor_item_size(const uint8_t *data, size_t size) {
    scanner s = {.next = data, .end = data + size, .refusal = NULL, .malformed = NULL};

    return scan_item(&s, 0, 0) ? (size_t)(s.next - data) : size;
}
