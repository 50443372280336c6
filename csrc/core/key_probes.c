/* Counts the probes for keys before a dict or set is created. See key_probes.h. */
#include "key_probes.h"

#include <string.h>

/* A dict or set begins with 8 slots. */
#define FIRST_PLACES 8

/* The number of elements at which a table of this many slots grows: places < 2^(bits of size_t -
 * 2). */
static inline size_t
most_in(wfbs_probes_kind kind, size_t places)
{
    return kind == WFBS_PROBES_DICT ? places * 2 / 3 : places * 3 / 5;
}

/* The size of the next table after one with this many slots. CPython's small sets grow by a factor
 * of four. */
static inline size_t
next_places(wfbs_probes_kind kind, size_t places)
{
    return kind == WFBS_PROBES_SET && places < 131072 ? places * 4 : places * 2;
}

/* The number of slots of a table that has room for one more element than `count`: 8 * count + 8 at
 * most. */
static size_t
places_for(wfbs_probes_kind kind, size_t count)
{
    size_t places = FIRST_PLACES;
    while (most_in(kind, places) <= count) {
        places = next_places(kind, places);
    }
    return places;
}

size_t
wfbs_probes_places(size_t count)
{
    return places_for(WFBS_PROBES_DICT, count);
}

size_t
wfbs_probes_most(size_t places)
{
    return most_in(WFBS_PROBES_DICT, places);
}

size_t
wfbs_probes_words(size_t places)
{
    return places / 64 + 1;
}

void
wfbs_probes_begin(wfbs_probes *p, size_t places, uint64_t *taken)
{
    *p = (wfbs_probes){.taken = taken, .mask = places - 1};
}

size_t
wfbs_probes_search(wfbs_probes *p, size_t place, uint64_t perturb)
{
    do { /* terminates: a search reaches all slots, and some are free */
        p->met++;
        place = wfbs_probes_next(place, &perturb, p->mask);
    } while (wfbs_probes_is_taken(p, place));
    return place;
}

bool
wfbs_probes_add_all(wfbs_probes *p, const uint64_t *hashes, size_t count, size_t *places)
{
    for (size_t i = 0; i < count; i++) {
        const size_t place = wfbs_probes_add(p, hashes[i]);
        if (!wfbs_probes_are_few(p)) {
            return false;
        }
        if (places) {
            places[i] = place;
        }
    }
    return true;
}

/* ---- all keys of a container at once */

/* Its table. */
typedef struct {
    uint32_t *tags; /* of the hash in each slot; 0 if it is free */
    size_t places;
    size_t numbers; /* number of elements */
    size_t equal; /* numbers that collided with their own tag: all whose hash is already present */
    uint64_t met; /* slots (for sets, including neighbours) that were found occupied */
    wfbs_probes_kind kind;
} table;

/* Whether slot `i` is free. If not, *equal says whether a number with that tag is in it. */
static inline bool
is_free(const table *t, size_t i, uint32_t tag, bool *equal)
{
    *equal |= t->tags[i] == tag;
    return !t->tags[i];
}

/* Whether slot *i is free or, for a set, one of its 9 neighbours; then sets *i to it. */
static inline bool
find_near(const table *t, size_t *i, uint32_t tag, bool *equal)
{
#ifndef WFBS_PYPY
    if (t->kind == WFBS_PROBES_SET && *i + 9 < t->places) {
        for (size_t last = *i + 9; *i < last; ++*i) {
            if (is_free(t, *i, tag, equal)) {
                return true;
            }
        }
    }
#endif
    return is_free(t, *i, tag, equal);
}

/* Inserts a number into a table with free slots. Returns whether that is allowed. */
static inline bool
add_tag(table *t, uint64_t hash)
{
    const size_t mask = t->places - 1;
    const uint32_t tag = (uint32_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 32) | 1; /* mixes all */
    uint64_t perturb = hash;
    size_t start = (size_t)hash & mask, i = start;
    bool equal = false;
    while (
        !find_near(t, &i, tag, &equal)) { /* terminates: i reaches all slots, and some are free */
        t->met++;
        start = i = wfbs_probes_next(start, &perturb, mask);
    }
    t->tags[i] = tag;
    t->equal += equal;
    t->numbers++;
    return t->numbers <= WFBS_PROBES_FREE || t->met / WFBS_PROBES_MAX <= t->numbers;
}

size_t
wfbs_probes_room(wfbs_probes_kind kind, size_t count)
{
    return count > SIZE_MAX / 64 ? SIZE_MAX : places_for(kind, count) * sizeof(uint32_t);
}

bool
wfbs_probes_allow(wfbs_probes_kind kind, const uint64_t *hashes, size_t count, size_t others,
                  void *room)
{
    const size_t last = places_for(kind, count + others);
    table t = {.tags = room, .kind = kind};
    if (!wfbs_probes_may_mix(count, others)) {
        return false;
    }
    for (size_t places = FIRST_PLACES; places <= last; places = next_places(kind, places)) {
        const size_t most = most_in(kind, places);
        const size_t fit = most > others ? most - others : 0;
        memset(room, 0, places * sizeof(uint32_t));
        t = (table){.tags = room, .places = places, .kind = kind};
        for (size_t i = 0; i < count && i < fit; i++) {
            if (!add_tag(&t, hashes[i])) {
                return false;
            }
        }
    }
    return wfbs_probes_may_mix(count, others + t.equal);
}

/* ---- hashes of numbers: modulo 2^61 - 1, and never -1 */

#define MODULUS_BITS 61
#define MODULUS ((UINT64_C(1) << MODULUS_BITS) - 1)

/* The hash of a number of either sign, from the hash of its magnitude. */
static uint64_t
signed_hash(uint64_t hash, bool negative)
{
    hash = hash == MODULUS ? 0 : hash;
    hash = negative ? 0 - hash : hash; /* unsigned: the two's complement */
    return hash == UINT64_MAX ? UINT64_MAX - 1 : hash;
}

uint64_t
wfbs_hash_integer(uint64_t n, bool negative)
{
    return signed_hash(n % MODULUS + negative, negative); /* -1 - n is -(n + 1) */
}

uint64_t
wfbs_hash_double(uint64_t bits)
{
    const unsigned raised = (unsigned)(bits >> 52 & 0x7ff);
    const uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
    const bool negative = bits >> 63;
    if (raised == 0x7ff) { /* NaN's hash depends on its address */
        return fraction ? 0 : signed_hash(314159, negative);
    }
    /* The value is `whole` times 2^(raised - 1075). 2^61 is 1 modulo 2^61 - 1, so multiplying by a
     * power of two rotates the 61 bits. 18 * 61 > 1075, so nothing is negative. */
    const uint64_t whole = raised ? fraction | UINT64_C(1) << 52 : fraction;
    const unsigned by = ((raised ? raised : 1) + 18 * MODULUS_BITS - 1075) % MODULUS_BITS;
    return signed_hash(by ? (whole << by & MODULUS) | whole >> (MODULUS_BITS - by) : whole,
                       negative);
}
