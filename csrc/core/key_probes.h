/* What it costs to put keys into a Python dict or set, known before they are put there.
 *
 * Strings have keyed hashes, which a peer can't foresee. The hashes of numbers are known to
 * everybody, so a peer can choose numbers that all look for their places along one chain. Each
 * then meets all that came before it: quadratic time, without two equal hashes. So the searches
 * are repeated here, in a table of the same size, where one costs little, and are counted. */
#ifndef WFBS_KEY_PROBES_H
#define WFBS_KEY_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many numbers are taken whatever they are: each meets 32 others on average at the most. */
#define WFBS_PROBES_FREE 64
/* Numbers that each number may meet on average. Regular ones need the most: multiples of a power
 * of two, say, meet fewer than 10. */
#define WFBS_PROBES_MAX 32
/* Beyond that many numbers in one container, it may have that many elements that are something
 * else, or that have the hash of another: they make its table differ from ours. */
#define WFBS_PROBES_NUMBERS 256
#define WFBS_PROBES_OTHERS 64

/* The numbers that are in a dict, as far as the places in its table go. */
typedef struct {
    uint64_t *taken; /* a bit for each place */
    size_t mask;     /* places - 1; their number is a power of two */
    size_t searches; /* numbers that looked for a place */
    uint64_t met;    /* places that they found taken */
} wfbs_probes;

/* How many places the table of a dict has that takes one more beside `count` elements, and how many
 * elements it takes in all. `count` <= SIZE_MAX / 64. */
size_t wfbs_probes_places(size_t count);
size_t wfbs_probes_most(size_t places);

/* Begins with the empty table of a dict. `taken` has wfbs_probes_words of them, is all 0, and stays
 * the caller's. */
void wfbs_probes_begin(wfbs_probes *p, size_t places, uint64_t *taken);
size_t wfbs_probes_words(size_t places);

/* The place after `place` in a search, where `perturb` is what is left of the hash. */
static inline size_t
wfbs_probes_next(size_t place, uint64_t *perturb, size_t mask)
{
#ifndef WFBS_PYPY
    *perturb >>= 5;
#endif
    place = (place * 5 + (size_t)*perturb + 1) & mask; /* unsigned, so it may wrap */
#ifdef WFBS_PYPY
    *perturb >>= 5;
#endif
    return place;
}

/* 1 if the place is taken, otherwise 0. */
static inline uint64_t
wfbs_probes_is_taken(const wfbs_probes *p, size_t place)
{
    return p->taken[place / 64] >> (place % 64) & 1; /* place <= mask */
}

/* Goes on with a search from a place that is taken. Returns the first free one; there is one. */
size_t wfbs_probes_search(wfbs_probes *p, size_t place, uint64_t perturb);

/* Gives a number with that hash a place in a table that has free ones, and returns that. The first
 * two places are looked at without a branch: no processor can foresee which of them is free. */
static inline size_t
wfbs_probes_add(wfbs_probes *p, uint64_t hash)
{
    uint64_t perturb = hash;
    const size_t first = (size_t)hash & p->mask;
    const size_t second = wfbs_probes_next(first, &perturb, p->mask);
    const uint64_t met = wfbs_probes_is_taken(p, first);
    size_t place = first ^ ((first ^ second) & (0 - (size_t)met)); /* second if met, else first */
    p->met += met;
    p->searches++;
    if (met & wfbs_probes_is_taken(p, second)) {
        place = wfbs_probes_search(p, second, perturb);
    }
    p->taken[place / 64] |= UINT64_C(1) << (place % 64);
    return place;
}

/* Takes the place back from a number that turned out to be in the dict already. */
static inline void
wfbs_probes_leave(wfbs_probes *p, size_t place)
{
    p->taken[place / 64] &= ~(UINT64_C(1) << (place % 64));
}

/* Whether the numbers so far may be in one dict. */
static inline bool
wfbs_probes_are_few(const wfbs_probes *p)
{
    return p->searches <= WFBS_PROBES_FREE || p->met / WFBS_PROBES_MAX <= p->searches;
}

/* Adds numbers one after the other, up to the first that isn't allowed, into a table that has free
 * places for all of them. Each one's place goes to `places`, if that isn't NULL. Returns whether all
 * are allowed. */
bool wfbs_probes_add_all(wfbs_probes *p, const uint64_t *hashes, size_t count, size_t *places);

/* Whether one container may have so many numbers beside so many others. */
static inline bool
wfbs_probes_may_mix(size_t numbers, size_t others)
{
    return numbers <= WFBS_PROBES_NUMBERS || others <= WFBS_PROBES_OTHERS;
}

/* The two containers; they look for places in different orders. */
typedef enum { WFBS_PROBES_DICT, WFBS_PROBES_SET } wfbs_probes_kind;

/* Returns whether numbers with these hashes may be in one container, from the beginning on, with
 * `others` others. `room` is aligned for uint32_t and has as many bytes as wfbs_probes_room says for
 * all of them: SIZE_MAX where there can't be as many. */
bool wfbs_probes_allow(wfbs_probes_kind kind, const uint64_t *hashes, size_t count, size_t others,
                       void *room);
size_t wfbs_probes_room(wfbs_probes_kind kind, size_t count);

/* Why a container is refused. */
#define WFBS_PROBES_REFUSAL "numbers as keys of a map or elements of a set collide too often"

/* Python's hash of an integer, which is n or (negative) -1 - n, and of a double by its bits. That of
 * a NaN depends on its address in CPython; here it is 0. */
uint64_t wfbs_hash_integer(uint64_t n, bool negative);
uint64_t wfbs_hash_double(uint64_t bits);

#endif
