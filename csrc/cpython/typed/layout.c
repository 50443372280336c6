/* The layout of a table's or struct's class: its members' slots, names and defaults. */
#include "typed.h"

void
wfbs_layout_free(wfbs_layout *layout)
{
    if (!layout) {
        return;
    }
    for (uint32_t i = 0; i < layout->count; i++) {
        wfbs_member *m = &layout->members[i];
        Py_XDECREF(m->name);
        Py_XDECREF(m->wire);
        Py_XDECREF(m->tag);
        Py_XDECREF(m->absent);
    }
    Py_XDECREF(layout->by_name);
    Py_XDECREF(layout->by_attribute);
    Py_XDECREF(layout->type);
    PyMem_Free(layout);
}

PyObject *
wfbs_absent_value(wfbs_schema *schema, const wfbs_plan_field *f)
{
    if (f->shape != WFBS_SHAPE_SCALAR || (f->flags & WFBS_FIELD_OPTIONAL)) {
        return Py_NewRef(Py_None);
    }
    if (f->index != WFBS_NONE && !wfbs_enum_of(schema, f->index)) {
        return NULL;
    }
    return wfbs_scalar_object(schema, f, f->default_bits, WFBS_ENUM_MEMBERS);
}

/* Fills in the names and the default of a member. 0 or -1. */
static int
member_init(wfbs_schema *schema, const wfbs_plan_object *object, uint32_t number, wfbs_member *m)
{
    const wfbs_plan_field *f = wfbs_fields_of(&schema->plan, object) + number;
    const wfbs_name *name = &schema->plan.field_names[object->fields + number];
    const bool is_union = f->shape == WFBS_SHAPE_UNION || f->element == WFBS_SHAPE_UNION;
    m->number = number;
    m->wire = wfbs_name_str(*name);
    m->absent = wfbs_absent_value(schema, f);
    if (is_union) {
        m->tag = wfbs_name_str(name[-1]); /* the loader has checked that it exists */
    }
    return m->wire && m->absent && (m->tag || !is_union) ? 0 : -1;
}

/* The members of an object that has no class yet. NULL with an exception. */
static wfbs_layout *
layout_members(wfbs_schema *schema, uint32_t index)
{
    const wfbs_plan_object *object = &schema->plan.objects[index];
    const wfbs_plan_field *fields = wfbs_fields_of(&schema->plan, object);
    uint32_t count = 0;
    for (uint32_t i = 0; i < object->field_count; i++) {
        count += wfbs_is_member(&fields[i]);
    }
    wfbs_layout *layout = PyMem_Calloc(1, sizeof *layout + count * sizeof layout->members[0]);
    if (!layout) {
        PyErr_NoMemory();
        return NULL;
    }
    layout->object = index;
    layout->count = count;
    layout->by_name = PyDict_New();
    layout->by_attribute = PyDict_New();
    wfbs_member *m = layout->members;
    for (uint32_t i = 0; i < object->field_count; i++) {
        if (wfbs_is_member(&fields[i]) && member_init(schema, object, i, m++) < 0) {
            wfbs_layout_free(layout);
            return NULL;
        }
    }
    if (!layout->by_name || !layout->by_attribute) {
        wfbs_layout_free(layout);
        return NULL;
    }
    return layout;
}

/* The members' names in the schema, and their attribute names, which differ if Python can't use a
 * name: two new tuples. 0, or -1 with an exception. */
static int
names_of(wfbs_schema *schema, const wfbs_layout *layout, PyObject **wire, PyObject **names)
{
    *names = NULL;
    *wire = PyTuple_New(layout->count);
    if (!*wire) {
        return -1;
    }
    for (uint32_t i = 0; i < layout->count; i++) {
        PyTuple_SET_ITEM(*wire, i, Py_NewRef(layout->members[i].wire));
    }
    *names = wfbs_typed_help(schema->typed, "attribute_names", wire, 1);
    if (!*names) {
        return -1;
    }
    if (PyTuple_Check(*names) && PyTuple_GET_SIZE(*names) == (Py_ssize_t)layout->count) {
        return 0;
    }
    PyErr_SetString(PyExc_SystemError, "attribute_names() returned something else");
    return -1;
}

/* Whether the class has a slot for each member. */
static bool
has_all_slots(const wfbs_layout *layout)
{
    for (uint32_t i = 0; i < layout->count; i++) {
        if (!layout->members[i].offset) {
            return false;
        }
    }
    return true;
}

/* Fills in the names and slots of a class (borrowed). 0 or -1. */
static int
layout_attach(wfbs_layout *layout, PyTypeObject *type, PyObject *names)
{
    layout->type = (PyTypeObject *)Py_NewRef(type);
    for (uint32_t i = 0; i < layout->count; i++) {
        wfbs_member *m = &layout->members[i];
        PyObject *number = PyLong_FromUnsignedLong(i);
        m->name = Py_NewRef(PyTuple_GET_ITEM(names, i));
        m->offset = wfbs_class_slot(type, m->name);
        const bool failed = !number || m->offset < 0
                            || PyDict_SetItem(layout->by_name, m->wire, number) < 0
                            || PyDict_SetItem(layout->by_attribute, m->name, number) < 0;
        Py_XDECREF(number);
        if (failed) {
            return -1;
        }
    }
    return 0;
}

wfbs_layout *
wfbs_layout_of(wfbs_schema *schema, uint32_t object)
{
    if (schema->layouts[object]) {
        return schema->layouts[object];
    }
    wfbs_layout *layout = layout_members(schema, object);
    PyObject *wire = NULL, *names = NULL;
    PyTypeObject *type = NULL;
    if (layout && names_of(schema, layout, &wire, &names) == 0) {
        type = wfbs_class_new(schema, object, wire, names);
    }
    if (!type || layout_attach(layout, type, names) < 0) {
        wfbs_layout_free(layout);
        layout = NULL;
    }
    else if (!has_all_slots(layout)) { /* a special name that attribute_names() didn't change */
        PyErr_Format(PyExc_SystemError, "%R lacks a slot", type);
        wfbs_layout_free(layout);
        layout = NULL;
    }
    else if (schema->layouts[object]) { /* created while Python code ran */
        wfbs_layout_free(layout);
        layout = schema->layouts[object];
    }
    else {
        layout->kind = WFBS_CLASS_OURS;
        if (!((wfbs_typed_class *)type)
                 ->adopted) { /* otherwise it belongs to an equal type in another schema */
            wfbs_class_adopt(type, schema, layout);
        }
        schema->layouts[object] = layout;
    }
    Py_XDECREF(wire);
    Py_XDECREF(names);
    Py_XDECREF(type);
    return layout;
}

/* Whether Python has all that the plan says about a field. Marks the objects that it needs and adds
 * them to `todo`. 0 or -1. */
static int
closure_field(wfbs_schema *schema, const wfbs_plan_field *f, bool *seen, uint32_t *todo,
              uint32_t *count)
{
    const wfbs_plan *plan = &schema->plan;
    const bool many = f->shape == WFBS_SHAPE_VECTOR || f->shape == WFBS_SHAPE_ARRAY;
    const unsigned shape = many ? f->element : f->shape;
    uint32_t first = 0, members = 0;
    if (shape == WFBS_SHAPE_UNION || (shape == WFBS_SHAPE_SCALAR && f->index != WFBS_NONE)) {
        if (!wfbs_enum_of(schema, f->index)) {
            return -1;
        }
        first = plan->enums[f->index].values;
        members = shape == WFBS_SHAPE_UNION ? plan->enums[f->index].value_count : 0;
    }
    const uint32_t own[2] = {
        shape == WFBS_SHAPE_TABLE || shape == WFBS_SHAPE_STRUCT ? f->index : WFBS_NONE, f->nested};
    for (uint32_t i = 0; i < members + 2; i++) {
        const uint32_t object = i < 2 ? own[i] : plan->values[first + i - 2].index;
        if (object != WFBS_NONE && !seen[object]) {
            seen[object] = true;
            todo[(*count)++] = object;
        }
    }
    return 0;
}

int
wfbs_layout_closure(wfbs_schema *schema, uint32_t object)
{
    const wfbs_plan *plan = &schema->plan;
    bool *seen = PyMem_Calloc(plan->object_count, sizeof *seen);
    uint32_t *todo = PyMem_Calloc(plan->object_count, sizeof *todo); /* each is added once */
    uint32_t count = 1;
    int result = seen && todo ? 0 : (PyErr_NoMemory(), -1);
    if (!result) {
        seen[object] = true;
        todo[0] = object;
    }
    for (uint32_t k = 0; !result && k < count; k++) {
        const wfbs_plan_object *of = &plan->objects[todo[k]];
        for (uint32_t i = 0; !result && i < of->field_count; i++) {
            result = closure_field(schema, wfbs_fields_of(plan, of) + i, seen, todo, &count);
        }
        if (!result && !wfbs_layout_of(schema, todo[k])) {
            result = -1;
        }
    }
    PyMem_Free(seen);
    PyMem_Free(todo);
    return result;
}

int
wfbs_layout_bind(wfbs_schema *schema, uint32_t object, PyTypeObject *type)
{
    wfbs_layout *layout = layout_members(schema, object);
    PyObject *wire = NULL, *names = NULL, *fills = NULL;
    if (layout && names_of(schema, layout, &wire, &names) == 0) {
        PyObject *table = wfbs_name_str(schema->plan.objects[object].name);
        PyObject *arguments[] = {(PyObject *)type, names, table};
        fills = table ? wfbs_typed_help(schema->typed, "can_fill", arguments, 3) : NULL;
        Py_XDECREF(table);
    }
    if (!fills || layout_attach(layout, type, names) < 0) {
        goto failed;
    }
    layout->kind = fills == Py_True ? WFBS_CLASS_SLOTS : WFBS_CLASS_CALLED;
    if (!has_all_slots(layout)) {
        layout->kind = WFBS_CLASS_CALLED;
    }
    if ((PyTypeObject *)wfbs_class_of(type) == type && layout->kind == WFBS_CLASS_SLOTS) {
        layout->kind = WFBS_CLASS_OURS; /* of another schema with the same table */
    }
    if (schema->layouts[object]) {
        PyObject *name = wfbs_name_str(schema->plan.objects[object].name);
        if (name) {
            PyErr_Format(PyExc_ValueError, "%U already has a class: %R", name,
                         schema->layouts[object]->type);
            Py_DECREF(name);
        }
        goto failed;
    }
    schema->layouts[object] = layout;
    Py_DECREF(fills);
    Py_DECREF(names);
    Py_DECREF(wire);
    return 0;
failed:
    Py_XDECREF(wire);
    Py_XDECREF(fills);
    Py_XDECREF(names);
    wfbs_layout_free(layout);
    return -1;
}
