/* The strings of the schemas' enums and role tables as Python objects, created once. */
#ifndef WFBS_NAMES_H
#define WFBS_NAMES_H

#include "base/buffer.h"

#include "../generated/tables.h"

typedef struct {
    PyObject *role_classes[WFBS_TABLE_COUNT]; /* owned, by table; NULL if it isn't a role */
    PyObject *role_names[WFBS_TABLE_COUNT][WFBS_MAX_FIELDS]; /* owned: fields of role tables */
    PyObject
        *enum_names[WFBS_ENUM_COUNT][WFBS_ENUM_MAX]; /* owned, by value; NULL if there is no name */
} wfbs_names;

/* Fills `names`, which is zero. 0, or -1 with an exception. */
WFBS_MUST_USE int wfbs_names_init(wfbs_names *names);
/* For the module's m_traverse and m_clear. */
int wfbs_names_traverse(wfbs_names *names, visitproc visit, void *arg);
void wfbs_names_clear(wfbs_names *names);

#endif
