/* The hashes of numbers are not randomized, so a peer could choose numbers as keys that collide.
 * The library msgpack accepts only text and binary keys (strict_map_key), whose hashes are
 * randomized. umsgpack accepts any key, and no library checks keys when it writes. */
#include "msgpack_keys.h"

#include <stdbool.h>

typedef enum {
    PLAIN, /* neither a key nor a container */
    KEY,   /* text or binary */
    ARRAY,
    MAP,
    INVALID,
} kind;

/* What follows the first byte of a value. */
typedef struct {
    uint8_t kind;
    uint8_t width; /* the bytes of a count: big-endian, and 0 if there is no count */
    uint8_t more;  /* bytes that are not included in the count */
} head;

/* The heads from 0xC0 to 0xDF. All others contain their count. */
static const head heads[32] = {
    {PLAIN, 0, 0},  {INVALID, 0, 0}, {PLAIN, 0, 0}, {PLAIN, 0, 0}, /* nil, unused, false, true */
    {KEY, 1, 0},    {KEY, 2, 0},     {KEY, 4, 0},                  /* binary */
    {PLAIN, 1, 1},  {PLAIN, 2, 1},   {PLAIN, 4, 1},                /* extensions */
    {PLAIN, 0, 4},  {PLAIN, 0, 8},                                 /* floats */
    {PLAIN, 0, 1},  {PLAIN, 0, 2},   {PLAIN, 0, 4}, {PLAIN, 0, 8}, /* unsigned integers */
    {PLAIN, 0, 1},  {PLAIN, 0, 2},   {PLAIN, 0, 4}, {PLAIN, 0, 8}, /* signed integers */
    {PLAIN, 0, 2},  {PLAIN, 0, 3},   {PLAIN, 0, 5}, {PLAIN, 0, 9}, /* extensions of 1 to 8 bytes */
    {PLAIN, 0, 17},                                                /* and of 16 */
    {KEY, 1, 0},    {KEY, 2, 0},     {KEY, 4, 0},                  /* text */
    {ARRAY, 2, 0},  {ARRAY, 4, 0},   {MAP, 2, 0},   {MAP, 4, 0},
};

/* The head that begins with this byte, and its count if the byte contains it. */
static inline head
head_of(uint8_t first, uint32_t *count)
{
    *count = 0;
    if (first < 0x80 || first >= 0xE0) {
        return (head){PLAIN, 0, 0};
    }
    if (first >= 0xC0) {
        return heads[first - 0xC0];
    }
    if (first >= 0xA0) {
        *count = first & 31;
        return (head){KEY, 0, 0};
    }
    *count = first & 15;
    return (head){first < 0x90 ? MAP : ARRAY, 0, 0};
}

/* Whether the next value in a container is the key of a map. */
static inline bool
is_key(kind container, uint64_t left)
{
    return container == MAP && left % 2 == 0;
}

const char *
wfbs_msgpack_refusal(const uint8_t *data, size_t size, size_t *at)
{
    struct {
        uint64_t left; /* values, at most 2 * UINT32_MAX */
        kind kind;
    } open[WFBS_MSGPACK_DEPTH + 1]; /* the containers around the next value */
    size_t depth = 0, i = 0;
    open[0].left = 1;
    open[0].kind = ARRAY;
    for (;;) {
        while (!open[depth].left) { /* each container is closed once */
            if (!depth--) {
                return NULL;
            }
        }
        if (i == size) {
            return NULL;
        }
        *at = i;
        uint32_t count;
        head h = head_of(data[i++], &count);
        if (h.kind == INVALID || h.width > size - i) { /* i <= size */
            return NULL;
        }
        if (is_key(open[depth].kind, open[depth].left) && h.kind != KEY) {
            return "the key of a map is neither text nor binary";
        }
        open[depth].left--;
        for (unsigned n = h.width; n; n--) { /* width <= size - i */
            count = count << 8 | data[i++];
        }
        if (h.kind == ARRAY || h.kind == MAP) {
            if (depth == WFBS_MSGPACK_DEPTH) {
                return "more than 1024 levels";
            }
            depth++;
            open[depth].left = (uint64_t)count * (h.kind == MAP ? 2 : 1);
            open[depth].kind = (kind)h.kind;
        }
        else { /* the sum is at most UINT32_MAX + 17, in 64 bits */
            if ((uint64_t)count + h.more > size - i) {
                return NULL;
            }
            i += (size_t)count + h.more; /* so no more than `size` */
        }
    }
}
