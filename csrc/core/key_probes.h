/* Predicts the cost of inserting keys into a Python dict or set.
 *
 * The hashes of strings are keyed, so a peer can't predict them. The hashes of numbers are known,
 * so a peer can choose numbers that all probe along one chain. Each number then collides with all
 * earlier ones: this takes quadratic time, without two equal hashes. This code therefore repeats
 * the probing in a table of the same size, where it is cheap, and counts the collisions. */
#ifndef WFBS_KEY_PROBES_H
#define WFBS_KEY_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* This many numbers are always accepted: each collides with at most 32 others on average. */
#define WFBS_PROBES_FREE 64
/* The average number of collisions allowed per number. Regular numbers need the most: multiples of
 * a power of two, for example, collide with fewer than 10. */
#define WFBS_PROBES_MAX 32
/* With more numbers than this, a container may have this many elements that aren't numbers, or that
 * have the same hash as another: they make its table differ from ours. */
#define WFBS_PROBES_NUMBERS 256
#define WFBS_PROBES_OTHERS 64

/* The numbers in a dict, as far as occupied slots matter. */
typedef struct {
    uint64_t *taken; /* a bit for each slot */
    size_t mask;     /* number of slots - 1; a power of two minus 1 */
    size_t searches; /* numbers that were inserted */
    uint64_t met;    /* occupied slots that they found */
} wfbs_probes;

/* The number of slots in the table of a dict that takes one more element in addition to `count`,
 * and the number of elements that it can take in total. `count` <= SIZE_MAX / 64. */
size_t wfbs_probes_places(size_t count);
size_t wfbs_probes_most(size_t places);

/* Starts with the empty table of a dict. `taken` has wfbs_probes_words elements, all 0. The caller
 * keeps ownership of it. */
void wfbs_probes_begin(wfbs_probes *p, size_t places, uint64_t *taken);
size_t wfbs_probes_words(size_t places);

/* The next slot of a search after `place`, where `perturb` is the rest of the hash. */
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

/* 1 if the slot is occupied, otherwise 0. */
static inline uint64_t
wfbs_probes_is_taken(const wfbs_probes *p, size_t place)
{
    return p->taken[place / 64] >> (place % 64) & 1; /* place <= mask */
}

/* Continues a search from an occupied slot. Returns the first free slot; there is one. */
size_t wfbs_probes_search(wfbs_probes *p, size_t place, uint64_t perturb);

/* Inserts a number with that hash into a table with free slots, and returns its slot. The first two
 * slots are checked without a branch, because branch prediction fails here. */
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

/* Removes a number that turned out to be in the dict already. */
static inline void
wfbs_probes_leave(wfbs_probes *p, size_t place)
{
    p->taken[place / 64] &= ~(UINT64_C(1) << (place % 64));
}

/* Whether one dict may contain the numbers so far. */
static inline bool
wfbs_probes_are_few(const wfbs_probes *p)
{
    return p->searches <= WFBS_PROBES_FREE || p->met / WFBS_PROBES_MAX <= p->searches;
}

/* Inserts numbers one after the other, up to the first that isn't allowed, into a table with enough
 * free slots. Writes each one's slot to `places` unless that is NULL. Returns whether all are
 * allowed. */
bool wfbs_probes_add_all(wfbs_probes *p, const uint64_t *hashes, size_t count, size_t *places);

/* Whether one container may have this many numbers together with this many other elements. */
static inline bool
wfbs_probes_may_mix(size_t numbers, size_t others)
{
    return numbers <= WFBS_PROBES_NUMBERS || others <= WFBS_PROBES_OTHERS;
}

/* The two containers. They probe slots in different orders. */
typedef enum { WFBS_PROBES_DICT, WFBS_PROBES_SET } wfbs_probes_kind;

/* Returns whether one container may have numbers with these hashes, inserted from the beginning,
 * together with `others` other elements. `room` is aligned for uint32_t and has the size that
 * wfbs_probes_room returns for all of them: SIZE_MAX if that much memory can't exist. */
bool wfbs_probes_allow(wfbs_probes_kind kind, const uint64_t *hashes, size_t count, size_t others,
                       void *room);
size_t wfbs_probes_room(wfbs_probes_kind kind, size_t count);

/* The reasons for refusing a container: its numbers, or wfbs_probes_may_mix. */
#define WFBS_PROBES_COLLIDE "numbers as keys of a map or elements of a set collide too often"
#define WFBS_PROBES_MIXED "more than 256 numbers and 64 others are keys of a map, or in a set"

/* Python's hash of an integer, which is n or (negative) -1 - n, and of a double given by its bits.
 * In CPython, the hash of a NaN depends on its address; here it is 0. */
uint64_t wfbs_hash_integer(uint64_t n, bool negative);
uint64_t wfbs_hash_double(uint64_t bits);

#endif
