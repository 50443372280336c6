/* Counts what keys cost before a dict or set has them. See key_probes.h. */
#include "key_probes.h"

#include <string.h>

/* A dict or set begins with 8 places. */
#define FIRST_PLACES 8

/* How many elements make a table of so many places grow: places < 2^(bits of size_t - 2). */
static inline size_t
most_in(wfbs_probes_kind kind, size_t places)
{
    return kind == WFBS_PROBES_DICT ? places * 2 / 3 : places * 3 / 5;
}

/* The size of the next table after one of so many places. CPython's sets quadruple theirs while
 * they are small. */
static inline size_t
next_places(wfbs_probes_kind kind, size_t places)
{
    return kind == WFBS_PROBES_SET && places < 131072 ? places * 4 : places * 2;
}

/* The places of a table that has room for one more beside `count`: 8 * count + 8 at the most. */
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

void
wfbs_probes_begin(wfbs_probes *p, size_t places, void *taken)
{
    *p = (wfbs_probes){.taken = taken, .places = places, .kind = WFBS_PROBES_DICT};
}

/* Whether place `i` is free. If not, *equal tells whether a number with that tag is there. */
static inline bool
is_free(const wfbs_probes *p, size_t i, uint32_t tag, bool *equal)
{
    if (p->taken) {
        return !(p->taken[i / 64] >> (i % 64) & 1);
    }
    *equal |= p->tags[i] == tag;
    return !p->tags[i];
}

/* Whether place *i is free, or in a set one of its 9 neighbours, which *i is then. */
static inline bool
find_near(const wfbs_probes *p, size_t *i, uint32_t tag, bool *equal)
{
#ifndef WFBS_PYPY
    if (p->kind == WFBS_PROBES_SET && *i + 9 < p->places) {
        for (size_t last = *i + 9; *i < last; ++*i) {
            if (is_free(p, *i, tag, equal)) {
                return true;
            }
        }
    }
#endif
    return is_free(p, *i, tag, equal);
}

/* As wfbs_probes_add, for all kinds. */
static inline bool
add_any(wfbs_probes *p, uint64_t hash)
{
    const size_t mask = p->places - 1;
    const uint32_t tag = (uint32_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 32) | 1; /* mixes all */
    uint64_t perturb = hash;
    size_t start = (size_t)hash & mask, i = start;
    bool equal = false;
    while (!find_near(p, &i, tag, &equal)) { /* ends: i comes to all places, and some are free */
        p->met++;
#ifndef WFBS_PYPY
        perturb >>= 5;
#endif
        start = i = (start * 5 + (size_t)perturb + 1) & mask; /* unsigned, so it may wrap */
#ifdef WFBS_PYPY
        perturb >>= 5;
#endif
    }
    if (p->taken) {
        p->taken[i / 64] |= UINT64_C(1) << (i % 64);
    }
    else {
        p->tags[i] = tag;
    }
    p->equal += equal;
    p->numbers++;
    return p->numbers <= WFBS_PROBES_FREE || p->met / WFBS_PROBES_MAX <= p->numbers;
}

bool
wfbs_probes_add(wfbs_probes *p, uint64_t hash)
{
    const size_t mask = p->places - 1;
    size_t i = (size_t)hash & mask;
    if (p->taken && !(p->taken[i / 64] >> (i % 64) & 1)) { /* most of the time */
        p->taken[i / 64] |= UINT64_C(1) << (i % 64);
        p->numbers++;
        return true;
    }
    return add_any(p, hash);
}

bool
wfbs_probes_add_all(wfbs_probes *p, const uint64_t *hashes, size_t count)
{
    size_t i = 0;
    while (i < count && wfbs_probes_add(p, hashes[i])) {
        i++;
    }
    return i == count;
}

bool
wfbs_probes_may_mix(size_t numbers, size_t others)
{
    return numbers <= WFBS_PROBES_NUMBERS || others <= WFBS_PROBES_OTHERS;
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
    wfbs_probes p = {.tags = room, .kind = kind};
    if (!wfbs_probes_may_mix(count, others)) {
        return false;
    }
    for (size_t places = FIRST_PLACES; places <= last; places = next_places(kind, places)) {
        const size_t most = most_in(kind, places);
        memset(room, 0, places * sizeof(uint32_t));
        p.places = places;
        p.numbers = p.equal = 0;
        p.met = 0;
        if (most > others
            && !wfbs_probes_add_all(&p, hashes, most - others < count ? most - others : count)) {
            return false;
        }
    }
    return wfbs_probes_may_mix(count, others + p.equal);
}

/* ---- hashes of numbers: modulo 2^61 - 1, and never -1 */

#define MODULUS_BITS 61
#define MODULUS ((UINT64_C(1) << MODULUS_BITS) - 1)

/* The hash of a number of either sign, by the hash of its magnitude. */
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
    if (raised == 0x7ff) { /* NaN's hash is its address */
        return fraction ? 0 : signed_hash(314159, negative);
    }
    /* The value is `whole` times 2^(raised - 1075). 2^61 is 1 modulo 2^61 - 1, so multiplying by
     * a power of two turns the 61 bits around. 18 * 61 > 1075, so nothing is below zero. */
    const uint64_t whole = raised ? fraction | UINT64_C(1) << 52 : fraction;
    const unsigned by = ((raised ? raised : 1) + 18 * MODULUS_BITS - 1075) % MODULUS_BITS;
    return signed_hash(by ? (whole << by & MODULUS) | whole >> (MODULUS_BITS - by) : whole,
                       negative);
}
