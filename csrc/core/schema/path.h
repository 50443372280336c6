/* Finds one value of an unverified buffer by its path, "header.points[3].x". Verifies only the
 * value and the path to it. */
#ifndef WFBS_SCHEMA_PATH_H
#define WFBS_SCHEMA_PATH_H

#include "verify.h"

typedef enum {
    WFBS_PLACE_ABSENT, /* the value, or a part of the path, is absent */
    WFBS_PLACE_FIELD,  /* of the table at `at` */
    WFBS_PLACE_MEMBER, /* of the struct at `at` */
    WFBS_PLACE_ELEMENT /* of the vector or array field: element `index`; element 0 is at `at` */
} wfbs_place_kind;

/* The place of a value: field `number` of `object`, or an element of that field. */
typedef struct {
    wfbs_place_kind kind;
    uint32_t object;
    uint32_t number;
    uint32_t index;
    uint64_t at;
} wfbs_place;

/* Finds the value at a path of `size` bytes, starting from a table of type `object` at the position
 * `root`, which wfbs_typed_open returned. Returns true and the place; or false with the fault
 * filled: WFBS_FAULT_PATH if the schema has no such path, or the vector no such element. */
bool wfbs_typed_find(wfbs_verifier *v, uint32_t object, uint32_t root, const char *path,
                     size_t size, wfbs_place *place);

#endif
