/* FlexBuffers, the schema-less format of FlatBuffers: reading untrusted bytes.
 *
 * A value consists of a slot (in a vector, or the root's at the end of the bytes) and a packed
 * type: the type in the upper six bits, the logarithm of a width in the lower two. Numbers are
 * stored in the slot. Other values are stored at a lower position, and the slot contains the
 * distance to them.
 *
 * The functions below promise, for any bytes:
 *  1. No byte outside the `size` bytes at `data` is read. Positions are 64-bit numbers up to
 *     `size`; every comparison uses a difference that can't wrap. Loads are byte by byte, so
 *     alignment and byte order don't affect safety.
 *  2. The target of a reference in a container ends before the container begins. All writers
 *     write this way, bottom-up, and it makes cycles impossible.
 *  3. Every visit is charged to a budget that is linear in `size`, so the work is linear even if
 *     many slots refer to one place. Reading the same place again may be cheaper than the first
 *     time (the reader keeps the result) and is then charged less.
 *  4. The verdict depends only on the bytes.
 *
 * Stricter than Google's verifier: also refuses a reference into or past its own container, a
 * misaligned reference, a string without its zero byte, text that isn't UTF-8, a map whose key
 * vector has another length, and floats of 8 and 16 bits (no writer creates them, and readers
 * disagree). */
#ifndef WFBS_FLEX_READ_H
#define WFBS_FLEX_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The types, as on the wire. */
enum {
    WFBS_FLEX_NULL = 0,
    WFBS_FLEX_INT = 1,
    WFBS_FLEX_UINT = 2,
    WFBS_FLEX_FLOAT = 3,
    WFBS_FLEX_KEY = 4,
    WFBS_FLEX_STRING = 5,
    WFBS_FLEX_INDIRECT_INT = 6,
    WFBS_FLEX_INDIRECT_UINT = 7,
    WFBS_FLEX_INDIRECT_FLOAT = 8,
    WFBS_FLEX_MAP = 9,
    WFBS_FLEX_VECTOR = 10,
    WFBS_FLEX_VECTOR_INT = 11, /* up to _KEY, the number gives the element type */
    WFBS_FLEX_VECTOR_UINT = 12,
    WFBS_FLEX_VECTOR_FLOAT = 13,
    WFBS_FLEX_VECTOR_KEY = 14,
    WFBS_FLEX_VECTOR_STRING = 15, /* deprecated: its elements have no width, so they read as keys */
    WFBS_FLEX_VECTOR_INT2 = 16,   /* up to _FLOAT4: int, uint, float by 2, 3, 4 elements */
    WFBS_FLEX_VECTOR_FLOAT4 = 24,
    WFBS_FLEX_BLOB = 25,
    WFBS_FLEX_BOOL = 26,
    WFBS_FLEX_VECTOR_BOOL = 36,
};

/* Maximum nesting of containers. */
#define WFBS_FLEX_MAX_DEPTH 256

/* The budget: this many units, plus this many per byte. */
#define WFBS_FLEX_BUDGET_MINIMUM 4096
#define WFBS_FLEX_BUDGET_FACTOR 4
/* The cost of a visit, in addition to the bytes that it reads. */
#define WFBS_FLEX_VISIT_COST 4
/* A text that was read before costs one unit, plus one unit for this many bytes. It takes no more
 * memory, but if the value is written again in a format without sharing, the text is repeated. This
 * bounds the written size to WFBS_FLEX_BUDGET_FACTOR times the input's size. */
#define WFBS_FLEX_KNOWN_BYTES 16
/* Texts of at most this many bytes may be shared without limit: a reference costs no more units
 * than a map's entry provides, minus the cost of reading the entry. */
#define WFBS_FLEX_SHARED_MAX 64

/* All errors in a buffer. */
#define WFBS_FLEX_ERRORS(X)                                         \
    X(OK, "no error")                                               \
    X(TOO_SHORT, "shorter than the smallest FlexBuffer")            \
    X(WIDTH, "width is not 1, 2, 4 or 8")                           \
    X(TYPE, "unknown type")                                         \
    X(FLOAT_WIDTH, "float of less than 32 bits")                    \
    X(OFFSET, "offset leads outside the buffer")                    \
    X(ALIGNMENT, "offset leads to an unaligned place")              \
    X(RANGE, "value doesn't end before what refers to it")          \
    X(KEY_TERMINATOR, "key is not terminated by a zero byte")       \
    X(STRING_TERMINATOR, "string is not terminated by a zero byte") \
    X(UTF8, "text is not valid UTF-8")                              \
    X(MAP_KEYS, "map has more or fewer values than keys")           \
    X(DUPLICATE, "map has the same key twice")                      \
    X(DEPTH, "containers are nested too deep")                      \
    X(BUDGET, "references add up to more than the buffer may hold")

typedef enum {
#define WFBS_FLEX_ERROR_CODE(code, text) WFBS_FLEX_ERROR_##code,
    WFBS_FLEX_ERRORS(WFBS_FLEX_ERROR_CODE)
#undef WFBS_FLEX_ERROR_CODE
        WFBS_FLEX_ERROR_COUNT
} wfbs_flex_error;

/* The text of an error; never NULL. */
const char *wfbs_flex_error_text(wfbs_flex_error error);

/* Texts that were read before are remembered in slots. WFBS_FLEX_WAYS slots are for texts whose
 * positions have the same hash. A reader has WFBS_FLEX_SEEN slots, enough for 8 KiB. For more data,
 * the caller lends it more slots for keys (wfbs_flex_lend), so that keys shared by many maps don't
 * evict each other and aren't charged again and again. */
#define WFBS_FLEX_WAYS 4u
#define WFBS_FLEX_SEEN_BITS 8
#define WFBS_FLEX_SEEN (1u << WFBS_FLEX_SEEN_BITS)

/* The bytes being read (borrowed), the remaining budget, and the first error. */
typedef struct {
    const uint8_t *data;
    uint64_t size;
    uint64_t budget;
    wfbs_flex_error error;
    uint64_t error_at;   /* position of the error in the bytes */
    unsigned seen_bits;  /* of a slot's number: few bits for few bytes */
    unsigned key_bits;   /* of a key's slot, which counts from ... */
    size_t key_base;     /* ... here */
    uint64_t *seen;      /* tags of texts, 0 for none: own_seen, or memory that was lent */
    uint64_t *seen_ends; /* where the texts end; valid if there is a tag */
    uint64_t own_seen[WFBS_FLEX_SEEN]; /* valid up to the last tag in use */
    uint64_t own_ends[WFBS_FLEX_SEEN];
} wfbs_flex_reader;

/* A slot and its packed type. Widths are in bytes: 1, 2, 4 or 8. */
typedef struct {
    uint64_t at;    /* position of the slot; at + slot_width <= size */
    uint64_t limit; /* upper bound for the end of the target; <= at */
    uint8_t slot_width;
    uint8_t type;  /* any of 64 values: every user refuses the unknown ones */
    uint8_t width; /* of the target */
} wfbs_flex_ref;

/* The elements of a vector, within the bytes. */
typedef struct {
    uint64_t start; /* position of the first byte of its header */
    uint64_t at;    /* position of the first element */
    uint64_t count; /* all elements and their types are within the bytes */
    uint8_t width;  /* of each element */
    uint8_t type;   /* of each element if typed */
    bool typed;     /* otherwise a packed type for each element follows the elements */
} wfbs_flex_vector;

/* A map: a vector of values, and one of as many keys. */
typedef struct {
    wfbs_flex_vector values;
    wfbs_flex_vector keys;
} wfbs_flex_map;

/* Bytes of a string, key or blob. */
typedef struct {
    uint64_t at;
    uint64_t size;
} wfbs_flex_span;

/* ---- numbers: `width` bytes at `p`, little-endian */

static inline uint64_t
wfbs_flex_load_unsigned(const uint8_t *p, unsigned width)
{
    switch (width) {
    case 1:
        return p[0];
    case 2:
        return (uint64_t)p[0] | (uint64_t)p[1] << 8;
    case 4:
        return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24;
    default:
        return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24
               | (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48
               | (uint64_t)p[7] << 56;
    }
}

static inline int64_t
wfbs_flex_load_signed(const uint8_t *p, unsigned width)
{
    const uint64_t sign = UINT64_C(1) << (width * 8 - 1);
    uint64_t bits = wfbs_flex_load_unsigned(p, width);
    int64_t value;

    bits = (bits ^ sign) - sign; /* unsigned, so it may wrap, which extends the sign */
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* `width` is 4 or 8. */
static inline double
wfbs_flex_load_float(const uint8_t *p, unsigned width)
{
    if (width == 4) {
        const uint32_t bits = (uint32_t)wfbs_flex_load_unsigned(p, 4);
        float value;
        memcpy(&value, &bits, sizeof value);
        return (double)value;
    }
    const uint64_t bits = wfbs_flex_load_unsigned(p, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline bool
wfbs_flex_width_is_valid(uint64_t width)
{
    return width == 1 || width == 2 || width == 4 || width == 8;
}

/* ---- reading; each returns true, or false with the reader's first error set */

/* Records the first error. */
static inline void
wfbs_flex_note(wfbs_flex_reader *r, wfbs_flex_error error, uint64_t at)
{
    if (r->error == WFBS_FLEX_ERROR_OK) {
        r->error = error;
        r->error_at = at;
    }
}

/* The same, and false. A macro, so that analysers see this as well. */
#define WFBS_FLEX_FAIL(reader, error, at) (wfbs_flex_note((reader), (error), (at)), false)

/* Subtracts `cost` from the budget. */
static inline bool
wfbs_flex_charge(wfbs_flex_reader *r, uint64_t cost, uint64_t at)
{
    if (cost > r->budget) {
        return WFBS_FLEX_FAIL(r, WFBS_FLEX_ERROR_BUDGET, at);
    }
    r->budget -= cost;
    return true;
}

/* The number of slots (as a power of two) to remember texts in that suits `size` bytes: at least
 * one for 32 bytes. */
static inline unsigned
wfbs_flex_seen_bits(size_t size)
{
    unsigned bits = 2; /* WFBS_FLEX_WAYS */

    while (size >> 5 >> bits) { /* terminates, since size has at most 64 bits */
        bits++;
    }
    return bits;
}

/* Starts reading `size` bytes at `data` with a full budget. The reader must not be moved. */
static inline void
wfbs_flex_open(wfbs_flex_reader *r, const uint8_t *data, size_t size)
{
    const unsigned bits = wfbs_flex_seen_bits(size);

    r->data = data;
    r->size = size;
    /* An object in memory has fewer than 2**61 bytes, so the product can't wrap. */
    r->budget = (uint64_t)size * WFBS_FLEX_BUDGET_FACTOR + WFBS_FLEX_BUDGET_MINIMUM;
    r->error = WFBS_FLEX_ERROR_OK;
    r->error_at = 0;
    r->seen_bits = bits < WFBS_FLEX_SEEN_BITS ? bits : WFBS_FLEX_SEEN_BITS;
    r->key_bits = r->seen_bits;
    r->key_base = 0;
    r->seen = r->own_seen;
    r->seen_ends = r->own_ends;
    memset(r->own_seen, 0, sizeof r->own_seen[0] << r->seen_bits);
}

/* Lends 2**bits slots for keys (bits >= 2), and WFBS_FLEX_SEEN for other texts, to a reader that
 * was opened and has read nothing. `seen` has that many elements, all zero, and so has `ends`, with
 * any content. The caller keeps ownership of both. */
static inline void
wfbs_flex_lend(wfbs_flex_reader *r, unsigned bits, uint64_t *seen, uint64_t *ends)
{
    r->key_bits = bits;
    r->key_base = WFBS_FLEX_SEEN;
    r->seen = seen;
    r->seen_ends = ends;
}

/* Makes a reference from a slot and its packed type. */
static inline wfbs_flex_ref
wfbs_flex_ref_of(uint64_t at, uint64_t limit, uint8_t slot_width, unsigned packed)
{
    return (wfbs_flex_ref){at, limit, slot_width, (uint8_t)(packed >> 2),
                           (uint8_t)(1u << (packed & 3))};
}

/* The root: its slot, packed type and slot width are the last bytes of the buffer. */
static inline bool
wfbs_flex_root(wfbs_flex_reader *r, wfbs_flex_ref *out)
{
    if (r->size < 3) {
        return WFBS_FLEX_FAIL(r, WFBS_FLEX_ERROR_TOO_SHORT, 0);
    }
    const uint8_t width = r->data[r->size - 1];
    if (!wfbs_flex_width_is_valid(width)) {
        return WFBS_FLEX_FAIL(r, WFBS_FLEX_ERROR_WIDTH, r->size - 1);
    }
    if (width > r->size - 2) { /* size >= 3 */
        return WFBS_FLEX_FAIL(r, WFBS_FLEX_ERROR_TOO_SHORT, 0);
    }
    const uint64_t at = r->size - 2 - width;
    if (at & (width - 1u)) {
        return WFBS_FLEX_FAIL(r, WFBS_FLEX_ERROR_ALIGNMENT, at);
    }
    *out = wfbs_flex_ref_of(at, at, width, r->data[r->size - 2]);
    return true;
}

/* The element `i` < count of a vector. Can't fail, because vectors are checked as a whole. */
static inline wfbs_flex_ref
wfbs_flex_item(const wfbs_flex_reader *r, const wfbs_flex_vector *v, uint64_t i)
{
    const uint64_t at = v->at + i * v->width; /* within the bytes, see wfbs_flex_vector_of */
    const unsigned packed =
        v->typed ? (unsigned)v->type << 2 : r->data[v->at + v->count * v->width + i];
    return wfbs_flex_ref_of(at, v->start, v->width, packed);
}

/* The target of a slot that contains an offset: <= limit. */
static inline bool
wfbs_flex_target(wfbs_flex_reader *r, const wfbs_flex_ref *ref, uint64_t *out)
{
    const uint64_t offset = wfbs_flex_load_unsigned(r->data + ref->at, ref->slot_width);

    if (offset > ref->at) { /* so the difference below can't wrap */
        return WFBS_FLEX_FAIL(r, WFBS_FLEX_ERROR_OFFSET, ref->at);
    }
    if (ref->at - offset > ref->limit) {
        return WFBS_FLEX_FAIL(r, WFBS_FLEX_ERROR_RANGE, ref->at);
    }
    *out = ref->at - offset;
    return true;
}

/* The same for targets that are aligned to their width. */
static inline bool
wfbs_flex_aligned_target(wfbs_flex_reader *r, const wfbs_flex_ref *ref, uint64_t *out)
{
    if (!wfbs_flex_target(r, ref, out)) {
        return false;
    }
    if (*out & (ref->width - 1u)) {
        return WFBS_FLEX_FAIL(r, WFBS_FLEX_ERROR_ALIGNMENT, ref->at);
    }
    return true;
}

/* ---- texts: strings, and keys, which end at their first zero byte */

/* The first slot in `seen` for the text at `target` with a length field of `width` bytes (0 for a
 * key), and the tag that stands for the text. */
static inline size_t
wfbs_flex_places(const wfbs_flex_reader *r, uint64_t target, unsigned width, uint64_t *tag)
{
    *tag = (target << 4 | width) + 1; /* positions are below 2**60 */
    const uint64_t hash = *tag * UINT64_C(0x9e3779b97f4a7c15);
    const size_t place = width ? (size_t)(hash >> (64 - r->seen_bits))
                               : (size_t)(hash >> (64 - r->key_bits)) + r->key_base;
    return place & ~(size_t)(WFBS_FLEX_WAYS - 1);
}

/* The slot of a tag among the WFBS_FLEX_WAYS slots from `first` on, or the first free one, or
 * `first` + WFBS_FLEX_WAYS if there is neither. */
static inline size_t
wfbs_flex_place(const wfbs_flex_reader *r, size_t first, uint64_t tag)
{
    for (size_t place = first; place < first + WFBS_FLEX_WAYS; place++) {
        if (r->seen[place] == tag || r->seen[place] == 0) {
            return place;
        }
    }
    return first + WFBS_FLEX_WAYS;
}

typedef enum {
    WFBS_FLEX_BROKE,   /* the budget is exhausted */
    WFBS_FLEX_KNOWN,   /* seen before and still remembered: costs less */
    WFBS_FLEX_FIRST,   /* the first one in its slot */
    WFBS_FLEX_REPLACES /* another one was in its slot */
} wfbs_flex_visit;

/* Charges for a text and remembers it in *place. */
static inline wfbs_flex_visit
wfbs_flex_visit_text(wfbs_flex_reader *r, const wfbs_flex_span *text, unsigned width, size_t *place)
{
    uint64_t tag;
    const size_t first = wfbs_flex_places(r, text->at, width, &tag);
    size_t at = wfbs_flex_place(r, first, tag);

    if (at
        == first + WFBS_FLEX_WAYS) { /* evicts one: any, but always the same for the same bytes */
        at = first + (size_t)(r->budget % WFBS_FLEX_WAYS);
    }
    *place = at;
    const uint64_t last = r->seen[at];
    /* A text is within the bytes, so the sum can't wrap. */
    if (!wfbs_flex_charge(r,
                          last == tag ? 1 + text->size / WFBS_FLEX_KNOWN_BYTES
                                      : text->size + WFBS_FLEX_VISIT_COST,
                          text->at)) {
        return WFBS_FLEX_BROKE;
    }
    r->seen[at] = tag;
    r->seen_ends[at] = text->at + text->size;
    return last == tag ? WFBS_FLEX_KNOWN : last ? WFBS_FLEX_REPLACES : WFBS_FLEX_FIRST;
}

/* The key at a target, up to its zero byte. Neither charges for it nor checks its UTF-8. */
static inline bool
wfbs_flex_key_at(wfbs_flex_reader *r, uint64_t target, uint64_t limit, wfbs_flex_span *out)
{
    uint64_t tag;
    const size_t first = wfbs_flex_places(r, target, 0, &tag);
    const size_t place = wfbs_flex_place(r, first, tag);

    if (place < first + WFBS_FLEX_WAYS && r->seen[place] == tag && r->seen_ends[place] < limit) {
        *out = (wfbs_flex_span){target, r->seen_ends[place] - target};
        return true;
    }
    /* target <= limit <= size, which is a size_t */
    const uint8_t *start = r->data + target;
    const uint8_t *end = memchr(start, 0, (size_t)(limit - target));

    if (end == NULL) {
        return WFBS_FLEX_FAIL(r, WFBS_FLEX_ERROR_KEY_TERMINATOR, target);
    }
    *out = (wfbs_flex_span){target, (uint64_t)(end - start)};
    return true;
}

/* The length field before an aligned target. */
static inline bool
wfbs_flex_length(wfbs_flex_reader *r, const wfbs_flex_ref *ref, uint64_t target, uint64_t *out)
{
    if (target < ref->width) { /* so the difference below can't wrap */
        return WFBS_FLEX_FAIL(r, WFBS_FLEX_ERROR_OFFSET, ref->at);
    }
    *out = wfbs_flex_load_unsigned(r->data + target - ref->width, ref->width);
    return true;
}

/* The bytes of a string or blob at its target. Neither charges for it nor checks its UTF-8. */
static inline bool
wfbs_flex_bytes_at(wfbs_flex_reader *r, const wfbs_flex_ref *ref, uint64_t target,
                   wfbs_flex_span *out)
{
    uint64_t size;

    if (!wfbs_flex_length(r, ref, target, &size)) {
        return false;
    }
    /* target <= limit, so the difference can't wrap; a string's zero byte is before limit. */
    if (size > ref->limit - target) {
        return WFBS_FLEX_FAIL(r, WFBS_FLEX_ERROR_RANGE, target);
    }
    if (ref->type == WFBS_FLEX_STRING
        && (size == ref->limit - target || r->data[target + size] != 0)) {
        return WFBS_FLEX_FAIL(r, WFBS_FLEX_ERROR_STRING_TERMINATOR, target);
    }
    *out = (wfbs_flex_span){target, size};
    return true;
}

/* The place of an indirect number, with `width` bytes that are within the data. */
static inline bool
wfbs_flex_indirect(wfbs_flex_reader *r, const wfbs_flex_ref *ref, uint64_t *out)
{
    if (!wfbs_flex_aligned_target(r, ref, out)) {
        return false;
    }
    if (ref->width > ref->limit - *out) { /* target <= limit */
        return WFBS_FLEX_FAIL(r, WFBS_FLEX_ERROR_RANGE, ref->at);
    }
    return wfbs_flex_charge(r, ref->width, ref->at);
}

/* The elements of any vector except a map's, after checking all of them as a whole; charges for
 * them. */
bool wfbs_flex_vector_of(wfbs_flex_reader *r, const wfbs_flex_ref *ref, wfbs_flex_vector *out);

/* The values and keys of a map, after checking all of them as a whole; charges one unit per key. */
bool wfbs_flex_map_of(wfbs_flex_reader *r, const wfbs_flex_ref *ref, wfbs_flex_map *out);

/* The meaning of a type when walking through values. */
typedef enum { WFBS_FLEX_IS_SCALAR, WFBS_FLEX_IS_VECTOR, WFBS_FLEX_IS_MAP } wfbs_flex_shape;

static inline wfbs_flex_shape
wfbs_flex_shape_of(uint8_t type)
{
    if (type == WFBS_FLEX_MAP) {
        return WFBS_FLEX_IS_MAP;
    }
    return (type >= WFBS_FLEX_VECTOR && type <= WFBS_FLEX_VECTOR_FLOAT4)
                   || type == WFBS_FLEX_VECTOR_BOOL
               ? WFBS_FLEX_IS_VECTOR
               : WFBS_FLEX_IS_SCALAR;
}

/* Finds the element of a map's sorted key vector that equals `size` bytes at `text`, which contain
 * no zero byte. Sets *index to it, or to `count` if there is none. Checks the keys that it
 * compares, and charges for them. If the keys are not in order, it finds the key by a linear
 * search. A duplicate key is an error. */
bool wfbs_flex_find(wfbs_flex_reader *r, const wfbs_flex_map *map, const uint8_t *text, size_t size,
                    uint64_t *index);

#endif
