/* The Python enums of a schema, and names. */
#include "typed.h"

PyObject *
wfbs_name_str(wfbs_name name)
{
    PyObject *text = PyUnicode_FromStringAndSize(name.data, (Py_ssize_t)name.size);
    if (text) {
        PyUnicode_InternInPlace(&text);
    }
    return text;
}

void
wfbs_names_append(PyObject **list, wfbs_name name)
{
    PyObject *text = wfbs_name_str(name);
    if (!text || PyList_Append(*list, text) < 0) {
        Py_CLEAR(*list);
    }
    Py_XDECREF(text);
}

PyObject *
wfbs_names_tuple(PyObject *list)
{
    PyObject *tuple = list ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return tuple;
}

void
wfbs_enum_free(wfbs_enum_objects *objects, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (objects->names) {
            Py_XDECREF(objects->names[i]);
        }
        if (objects->values) {
            Py_XDECREF(objects->values[i]);
        }
    }
    PyMem_Free(objects->names);
    PyMem_Free(objects->values);
    Py_XDECREF(objects->type);
    memset(objects, 0, sizeof *objects);
}

/* Names and numbers of an enum's values as a list of tuples. New reference or NULL. */
static PyObject *
enum_pairs(const wfbs_plan *plan, const wfbs_plan_enum *type)
{
    PyObject *pairs = PyList_New(type->value_count);
    for (uint32_t i = 0; pairs && i < type->value_count; i++) {
        const wfbs_plan_value *value = &plan->values[type->values + i];
        PyObject *pair =
            wfbs_base_is_signed(type->scalar)
                ? Py_BuildValue("(NL)", wfbs_name_str(value->name), (long long)value->value)
                : Py_BuildValue("(NK)", wfbs_name_str(value->name),
                                (unsigned long long)value->value);
        if (!pair) {
            Py_CLEAR(pairs);
            break;
        }
        PyList_SET_ITEM(pairs, i, pair);
    }
    return pairs;
}

/* Creates the class and its members, in the order of the plan. 0 or -1. */
static int
enum_fill(wfbs_schema *schema, const wfbs_plan_enum *type, wfbs_enum_objects *made)
{
    PyObject *pairs = enum_pairs(&schema->plan, type);
    PyObject *name = pairs ? wfbs_name_str(type->name) : NULL;
    PyObject *arguments[] = {(PyObject *)schema, name, pairs, type->is_flags ? Py_True : Py_False};
    made->type = name ? wfbs_typed_help(schema->typed, "make_enum", arguments, 4) : NULL;
    made->names = PyMem_Calloc(type->value_count + 1, sizeof *made->names);
    made->values = PyMem_Calloc(type->value_count + 1, sizeof *made->values);
    int result = made->type && made->names && made->values ? 0 : -1;
    if (result && !PyErr_Occurred()) {
        PyErr_NoMemory();
    }
    for (uint32_t i = 0; !result && i < type->value_count; i++) {
        PyObject *pair = PyList_GET_ITEM(pairs, i);
        made->names[i] = Py_NewRef(PyTuple_GET_ITEM(pair, 0));
        made->values[i] = PyObject_CallOneArg(made->type, PyTuple_GET_ITEM(pair, 1));
        result = made->values[i] ? 0 : -1;
    }
    Py_XDECREF(pairs);
    Py_XDECREF(name);
    return result;
}

bool
wfbs_enum_refuse(wfbs_encoding *e, uint32_t index, const char *helper, PyObject *value)
{
    const wfbs_plan *plan = &e->schema->plan;
    const wfbs_plan_enum *type = &plan->enums[index];
    PyObject *name = wfbs_name_str(type->name);
    PyObject *known = PyList_New(0);
    for (uint32_t i = 0; known && i < type->value_count; i++) {
        wfbs_names_append(&known, plan->values[type->values + i].name);
    }
    if (name && known) {
        PyObject *arguments[] = {name, value, known};
        wfbs_refuse_named(e, helper, arguments, 3);
    }
    Py_XDECREF(known);
    Py_XDECREF(name);
    return false;
}

wfbs_enum_objects *
wfbs_enum_of(wfbs_schema *schema, uint32_t index)
{
    const wfbs_plan_enum *type = &schema->plan.enums[index];
    wfbs_enum_objects *objects = &schema->enums[index], made = {NULL, NULL, NULL};
    if (objects->type) {
        return objects;
    }
    if (enum_fill(schema, type, &made) < 0) {
        wfbs_enum_free(&made, type->value_count);
        return NULL;
    }
    if (objects->type) { /* created while Python code ran */
        wfbs_enum_free(&made, type->value_count);
    }
    else {
        *objects = made;
    }
    return objects;
}
