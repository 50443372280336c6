/* The strings of the schemas' enums and role tables. See names.h. */
#include "names.h"

#include <stdbool.h>

/* The names and Autobahn classes behind the role tables. 0 or -1. */
static int
roles_init(wfbs_names *names, PyObject *role_module)
{
    for (unsigned i = 0; i < WFBS_TABLE_COUNT; i++) {
        const wfbs_table *t = &wfbs_tables[i];
        size_t length = strlen(t->name);
        bool features = length > 8 && !strcmp(t->name + length - 8, "Features");
        bool roles = length > 5 && !strcmp(t->name + length - 5, "Roles");
        if (!features && !roles) {
            continue;
        }
        if (features) {
            char name[64];
            PyOS_snprintf(name, sizeof name, "Role%s", t->name);
            names->role_classes[i] = PyObject_GetAttrString(role_module, name);
            if (!names->role_classes[i]) {
                return -1;
            }
        }
        for (unsigned slot = 0; slot < t->slot_count; slot++) {
            names->role_names[i][slot] = PyUnicode_InternFromString(t->fields[slot].name);
            if (!names->role_names[i][slot]) {
                return -1;
            }
        }
    }
    return 0;
}

static int
enums_init(wfbs_names *names)
{
    for (unsigned i = 0; i < WFBS_ENUM_COUNT; i++) {
        const wfbs_enum *e = &wfbs_enums[i];
        if (e->count > Py_ARRAY_LENGTH(names->enum_names[i])) {
            PyErr_Format(PyExc_SystemError, "enum %s has too many values", e->name);
            return -1;
        }
        for (unsigned value = 0; value < e->count; value++) {
            if (e->names[value] && *e->names[value]) {
                names->enum_names[i][value] = PyUnicode_InternFromString(e->names[value]);
                if (!names->enum_names[i][value]) {
                    return -1;
                }
            }
        }
    }
    return 0;
}

int
wfbs_names_init(wfbs_names *names)
{
    PyObject *role = enums_init(names) < 0 ? NULL : PyImport_ImportModule("autobahn.wamp.role");
    int result = role ? roles_init(names, role) : -1;
    Py_XDECREF(role);
    return result;
}

int
wfbs_names_traverse(wfbs_names *names, visitproc visit, void *arg)
{
    for (unsigned i = 0; i < WFBS_TABLE_COUNT; i++) {
        Py_VISIT(names->role_classes[i]);
    }
    return 0; /* all others are exact str, which refer to nothing */
}

void
wfbs_names_clear(wfbs_names *names)
{
    for (unsigned i = 0; i < WFBS_TABLE_COUNT; i++) {
        Py_CLEAR(names->role_classes[i]);
        for (unsigned k = 0; k < WFBS_MAX_FIELDS; k++) {
            Py_CLEAR(names->role_names[i][k]);
        }
    }
    for (unsigned i = 0; i < WFBS_ENUM_COUNT; i++) {
        for (unsigned k = 0; k < Py_ARRAY_LENGTH(names->enum_names[i]); k++) {
            Py_CLEAR(names->enum_names[i][k]);
        }
    }
}
