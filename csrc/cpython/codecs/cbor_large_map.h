/* A dict that is made of a map of many entries, so that numbers that collide are refused before
 * they cost much: core/key_probes.h. */
#ifndef WFBS_CBOR_LARGE_MAP_H
#define WFBS_CBOR_LARGE_MAP_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

#include "../../core/key_probes.h"

typedef struct {
    PyObject *dict; /* owned */
    size_t entries; /* more are not put in */
    size_t numbers; /* keys that are counted */
    uint64_t next;  /* while `hashes` is NULL: their hashes are the `numbers` below that, ascending,
                        * so that each has a place of its own */
    uint64_t *hashes; /* owned, or NULL: theirs; room for `entries`, and then for `probes` */
    size_t most;      /* elements that `probes` is for; 0 without hashes */
    wfbs_probes probes;
} wfbs_large_map;

/* Begins an empty one. Returns 0, or -1 with MemoryError set; wfbs_large_map_end is due then, too. */
int wfbs_large_map_begin(wfbs_large_map *m, size_t entries);

/* Returns the dict as a new reference if `whole`, otherwise NULL. Frees all else. */
PyObject *wfbs_large_map_end(wfbs_large_map *m, bool whole);

/* Makes the table as large as the dict's is after one more key. Returns 0, or -1 with ValueError or
 * MemoryError set. */
int wfbs_large_map_grow(wfbs_large_map *m);

/* Sets ValueError. Returns -1, to be returned. */
int wfbs_large_map_refuse(void);

/* Puts in an entry. Returns 0, or -1 with an exception set: ValueError where there are too many
 * numbers beside others. */
static inline int
wfbs_large_map_put(wfbs_large_map *m, PyObject *key, PyObject *value)
{
    if (PyDict_SetItem(m->dict, key, value) < 0) {
        return -1;
    }
    return wfbs_probes_may_mix(m->numbers, (size_t)PyDict_GET_SIZE(m->dict) - m->numbers)
               ? 0
               : wfbs_large_map_refuse();
}

/* The same for a key that is neither text nor bytes, and its hash; ValueError, too, where the
 * numbers collide. */
static inline int
wfbs_large_map_put_number(wfbs_large_map *m, PyObject *key, uint64_t hash, PyObject *value)
{
    const size_t before = (size_t)PyDict_GET_SIZE(m->dict);
    const bool in_sequence = m->hashes == NULL && (m->numbers == 0 || hash == m->next);
    size_t place = 0;
    if (!in_sequence) {
        if (before >= m->most && wfbs_large_map_grow(m) < 0) {
            return -1;
        }
        place = wfbs_probes_add(&m->probes, hash); /* numbers <= before < most, so some are free */
        if (!wfbs_probes_are_few(&m->probes)) {
            return wfbs_large_map_refuse();
        }
        m->hashes[m->numbers] = hash; /* numbers <= before < entries */
    }
    if (PyDict_SetItem(m->dict, key, value) < 0) {
        return -1;
    }
    if ((size_t)PyDict_GET_SIZE(m->dict) > before) {
        m->numbers++;
        m->next = hash + 1;
    }
    else if (m->hashes != NULL) {
        wfbs_probes_leave(&m->probes, place);
    }
    return wfbs_probes_may_mix(m->numbers, (size_t)PyDict_GET_SIZE(m->dict) - m->numbers)
               ? 0
               : wfbs_large_map_refuse();
}

#endif
