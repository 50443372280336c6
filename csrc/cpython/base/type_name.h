/* A type's name for error messages. */
#ifndef WFBS_TYPE_NAME_H
#define WFBS_TYPE_NAME_H

#include <Python.h>
#include <string.h>

/* A type's name, like its __name__: for some types defined in C, tp_name includes the module.
 * Borrowed from the type. Never fails. */
static inline const char *
wfbs_type_name(const PyTypeObject *type)
{
    const char *dot = strrchr(type->tp_name, '.');

    return dot != NULL ? dot + 1 : type->tp_name;
}

#endif
