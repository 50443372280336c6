/* How error texts call a type. */
#ifndef WFBS_TYPE_NAME_H
#define WFBS_TYPE_NAME_H

#include <Python.h>
#include <string.h>

/* A type's name as its __name__ has it: some types that are made in C have their module in tp_name.
 * Borrowed from the type. Never fails. */
static inline const char *
wfbs_type_name(const PyTypeObject *type)
{
    const char *dot = strrchr(type->tp_name, '.');

    return dot != NULL ? dot + 1 : type->tp_name;
}

#endif
