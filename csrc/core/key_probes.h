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

/* The two containers; they look for places in different orders. */
typedef enum { WFBS_PROBES_DICT, WFBS_PROBES_SET } wfbs_probes_kind;

/* A table of a dict or set, as far as numbers are in it. */
typedef struct {
    uint64_t *taken; /* a bit for each place; or NULL */
    uint32_t *tags; /* where `taken` is NULL: a tag of the hash in each place, 0 where it is free */
    size_t places;  /* a power of two */
    size_t numbers; /* how many are in it */
    size_t equal;   /* those whose hash an earlier one has; 0 without tags */
    uint64_t met;   /* places (of sets: with neighbours) that were found taken */
    wfbs_probes_kind kind;
} wfbs_probes;

/* How many places the table of a dict has that takes one more beside `count` elements, and how many
 * elements it takes in all. `count` <= SIZE_MAX / 64. */
size_t wfbs_probes_places(size_t count);
size_t wfbs_probes_most(size_t places);

/* Begins with the empty table of a dict. `taken` has a bit for each place, all of them 0, is aligned
 * for uint64_t, and stays the caller's. */
void wfbs_probes_begin(wfbs_probes *p, size_t places, void *taken);

/* Puts a number with that hash into a table that has free places. Returns whether that is allowed. */
bool wfbs_probes_add(wfbs_probes *p, uint64_t hash);

/* The same for many, one after the other, up to the first that isn't allowed. */
bool wfbs_probes_add_all(wfbs_probes *p, const uint64_t *hashes, size_t count);

/* Whether one container may have so many numbers beside so many others. */
bool wfbs_probes_may_mix(size_t numbers, size_t others);

/* Returns whether numbers with these hashes may be in one container, from the beginning on, with
 * `others` others. `room` is aligned for uint32_t and has as many bytes as wfbs_probes_room says for
 * all of them: SIZE_MAX where there can't be as many. */
bool wfbs_probes_allow(wfbs_probes_kind kind, const uint64_t *hashes, size_t count, size_t others,
                       void *room);
size_t wfbs_probes_room(wfbs_probes_kind kind, size_t count);

/* Why a container is refused. */
#define WFBS_PROBES_REFUSAL "numbers as keys of a map or elements of a set collide too often"

/* Python's hash of an integer, which is n or (negative) -1 - n, and of a double by its bits. */
uint64_t wfbs_hash_integer(uint64_t n, bool negative);
uint64_t wfbs_hash_double(uint64_t bits);

#endif
