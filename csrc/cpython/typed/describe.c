/* A .bfbs as dicts, decoded by reflection's plan, which has no classes. */
#include "typed.h"

#include "../base/list.h"

static PyObject *table_dict(const uint8_t *data, uint32_t object, uint32_t table);

/* The elements of a vector as a list of dicts or str. */
static PyObject *
vector_list(const uint8_t *data, const wfbs_plan_field *f, uint32_t at)
{
    uint32_t count;
    const uint32_t elements = wfbs_walk_vector(data, at, &count);
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (uint32_t i = 0; list && i < count; i++) {
        const uint32_t place = elements + 4 * i;
        PyObject *element = f->element == WFBS_SHAPE_TABLE
                                ? table_dict(data, f->index, wfbs_follow(data, place))
                                : wfbs_text_at(data, place);
        wfbs_list_fill(&list, (Py_ssize_t)i, element);
    }
    return list;
}

/* A dict of the fields that are present. */
static PyObject *
table_dict(const uint8_t *data, uint32_t object, uint32_t table)
{
    const wfbs_plan_object *of = &wfbs_reflection.objects[object];
    PyObject *dict = PyDict_New();
    for (uint32_t i = 0; dict && i < of->field_count; i++) {
        const wfbs_plan_field *f = wfbs_fields_of(&wfbs_reflection, of) + i;
        const uint32_t at = wfbs_walk_slot(data, table, f);
        PyObject *value;
        if (!at || (f->flags & WFBS_FIELD_DEPRECATED)) {
            continue;
        }
        switch (f->shape) {
        case WFBS_SHAPE_SCALAR: /* Python has no enums for this schema */
            value = wfbs_scalar_object(NULL, f, wfbs_walk_bits(data + at, f->scalar),
                                       WFBS_ENUM_NUMBERS);
            break;
        case WFBS_SHAPE_STRING:
            value = wfbs_text_at(data, at);
            break;
        case WFBS_SHAPE_TABLE:
            value = table_dict(data, f->index, wfbs_follow(data, at));
            break;
        default:
            value = vector_list(data, f, at);
        }
        PyObject *name = value ? wfbs_name_str(wfbs_reflection.field_names[of->fields + i]) : NULL;
        if (!name || PyDict_SetItem(dict, name, value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(name);
        Py_XDECREF(value);
    }
    return dict;
}

PyObject *
wfbs_schema_describe(wfbs_schema *schema)
{
    const uint8_t *data = (const uint8_t *)PyBytes_AS_STRING(schema->data);
    return table_dict(data, WFBS_REFLECTION_SCHEMA, wfbs_load_u32(data));
}
