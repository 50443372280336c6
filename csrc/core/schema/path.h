/* One value of an unverified buffer by its path, "header.points[3].x": what is on the way is
 * verified, and the value, and nothing else. */
#ifndef WFBS_SCHEMA_PATH_H
#define WFBS_SCHEMA_PATH_H

#include "verify.h"

typedef enum {
    WFBS_PLACE_ABSENT, /* it, or something on the way to it, isn't there */
    WFBS_PLACE_FIELD,  /* of the table at `at` */
    WFBS_PLACE_MEMBER, /* of the struct at `at` */
    WFBS_PLACE_ELEMENT /* of the vector or array field: `index`, the first one is at `at` */
} wfbs_place_kind;

/* Where a value is: field `number` of `object`, or an element of it. */
typedef struct {
    wfbs_place_kind kind;
    uint32_t object;
    uint32_t number;
    uint32_t index;
    uint64_t at;
} wfbs_place;

/* Finds the value at `size` bytes of path, from a table of type `object` at the position `root`,
 * which wfbs_typed_open gave. True and the place; or false with the fault filled: WFBS_FAULT_PATH
 * for a path that the schema, or a vector's length, doesn't have. */
bool wfbs_typed_find(wfbs_verifier *v, uint32_t object, uint32_t root, const char *path,
                     size_t size, wfbs_place *place);

#endif
