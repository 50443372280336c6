/* The strings of the schemas' enums and role tables. See names.h. */
#include "names.h"

#include <stdbool.h>

/* Whether a table's fields are the features of roles. */
static bool
has_roles(const wfbs_table *t)
{
    return t->slot_count && t->fields[0].kind == WFBS_KIND_TABLE
           && wfbs_tables[t->fields[0].sub].role;
}

/* The names and Autobahn classes of the role tables. 0 or -1. */
static int
roles_init(wfbs_names *names, PyObject *role_module)
{
    for (unsigned i = 0; i < WFBS_TABLE_COUNT; i++) {
        const wfbs_table *t = &wfbs_tables[i];
        if (!t->role && !has_roles(t)) {
            continue;
        }
        if (t->role) {
            names->role_classes[i] = PyObject_GetAttrString(role_module, t->role);
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
    return 0; /* all others are exact str, which have no references */
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
