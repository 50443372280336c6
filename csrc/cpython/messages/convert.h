/* Converts one attribute's Python value to one field's value. */
#ifndef WFBS_CONVERT_H
#define WFBS_CONVERT_H

#include "convert_errors.h"

#include "../../core/write.h"

/* The memory and references that a conversion keeps until the message is written. */
typedef struct {
    void *blocks[WFBS_MAX_FIELDS + 8]; /* owned, PyMem */
    unsigned count;
} wfbs_arena;
void wfbs_arena_free(wfbs_arena *arena);
/* `count` zeroed elements of `size` bytes that live as long as the arena, or NULL with
 * MemoryError. */
void *wfbs_arena_take(wfbs_arena *arena, size_t count, size_t size);

/* Converts `value` (borrowed, not None; must outlive the result) to *out. Returns OK, METADATA if
 * the typed field can't express it, or ERROR with TypeError/ValueError that names the attribute.
 * Runs no Python code for exact types, except for roles. */
WFBS_MUST_USE wfbs_converted wfbs_convert(wfbs_attribute *a, PyObject *value, wfbs_arena *arena,
                                          wfbs_value *out);
/* Whether `value` may be an enc_algo, enc_serializer or ppt_cipher: a name from the enum, or a
 * custom x_ one. 1, 0, or -1 with an exception. */
int wfbs_is_ppt_name(const wfbs_attribute *a, PyObject *value);
/* Whether an exact int or float equals False or True, as `value in [True, False]`. */
bool wfbs_equals_bool(PyObject *value);

#endif
