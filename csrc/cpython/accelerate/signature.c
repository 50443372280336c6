/* Facts about Autobahn's constructors, and installing ours in their place: see constructors.h.
 *
 * The parameters of a class come from the signature of Autobahn's constructor. The accepted values
 * of a parameter come from the field of that name in the generated tables. */
#include "constructors.h"

#include "../messages/classes.h"

typedef wfbs_constructor constructor;

static wfbs_takes
takes_of(const wfbs_class *c, const wfbs_attribute *a)
{
    const wfbs_field *f = a->field;
    switch ((wfbs_use)f->use) {
    case WFBS_USE_INT:
        /* A revoked id is only valid with request 0; some ints must be positive. */
        return f->check == WFBS_CHECK_POSITIVE
                       || (c->table->rule == WFBS_RULE_REVOKE && !(f->flags & WFBS_FLAG_POSITIONAL))
                   ? WFBS_TAKES_NONE
                   : WFBS_TAKES_INT;
    case WFBS_USE_BOOL:
        return WFBS_TAKES_BOOL;
    case WFBS_USE_STR:
        return WFBS_TAKES_STR;
    case WFBS_USE_ENUM:
        return f->flags & WFBS_FLAG_OPEN ? WFBS_TAKES_STR : WFBS_TAKES_ENUM;
    case WFBS_USE_ENUMS:
    case WFBS_USE_STRS:
        return WFBS_TAKES_STRS;
    case WFBS_USE_INTS:
        return WFBS_TAKES_INTS;
    case WFBS_USE_ARGS:
        return WFBS_TAKES_LIST_OR_TUPLE;
    case WFBS_USE_KWARGS:
        return WFBS_TAKES_NAMED;
    case WFBS_USE_PAYLOAD:
        return WFBS_TAKES_BYTES;
    case WFBS_USE_DICT:
        return f->flags & WFBS_FLAG_POSITIONAL ? WFBS_TAKES_FULL_DICT : WFBS_TAKES_DICT;
    default: /* enc_*, forward_for, roles, custom */
        return WFBS_TAKES_NONE;
    }
}

static inline uint8_t
slot_at(Py_ssize_t offset)
{
    return (uint8_t)((offset - (Py_ssize_t)sizeof(PyObject)) / (Py_ssize_t)sizeof(PyObject *));
}

/* Adds the parameter `name` with the default `value`, both borrowed. False if the class has no such
 * attribute. */
static bool
add_parameter(const wfbs_class *c, constructor *k, PyObject *name, PyObject *value)
{
    for (unsigned i = 0; i < c->table->field_count && k->count < WFBS_MAX_FIELDS; i++) {
        const wfbs_attribute *a = &c->attributes[i];
        if (!a->property || PyUnicode_Compare(a->name, name)) {
            continue;
        }
        const wfbs_field *f = a->field;
        uint32_t bit = UINT32_C(1) << k->count; /* count < WFBS_MAX_FIELDS == 32 */
        uint8_t slot = slot_at(a->offset);
        k->parameters[k->count++] =
            (wfbs_parameter){a->name, f, (uint8_t)takes_of(c, a), slot, bit};
        uint32_t own = UINT32_C(1) << a->index;
        if (value != Py_None) {
            k->explicit |= bit;
        }
        else if (c->demanding & own) {
            k->demanded |= bit;
        }
        if (c->defaulting & own) {
            k->fresh |= bit;
        }
        if (f->use == WFBS_USE_ENUM && !(f->flags & WFBS_FLAG_OPTIONAL)) {
            value = c->state->names.enum_names[f->sub][f->default_value];
        }
        Py_SETREF(k->absent[slot], Py_NewRef(value));
        return true;
    }
    return false;
}

/* Reads the signature of Autobahn's constructor. False if it is not understood. */
static bool
read_signature(const wfbs_class *c, constructor *k)
{
    PyObject *init = k->watched[0];
    if (!init || !PyFunction_Check(init)) {
        return false;
    }
    k->defaults = Py_XNewRef(PyFunction_GET_DEFAULTS(init));
    const PyCodeObject *code = (const PyCodeObject *)PyFunction_GET_CODE(init);
    PyObject *defaults = PyFunction_GET_DEFAULTS(init);
    Py_ssize_t count = defaults ? PyTuple_GET_SIZE(defaults) : 0; /* one for each except self */
    if (code->co_argcount != count + 1 || code->co_kwonlyargcount
        || code->co_flags & (CO_VARARGS | CO_VARKEYWORDS)) {
        return false;
    }
    PyObject *names = PyObject_GetAttrString((PyObject *)code, "co_varnames");
    bool good = names && PyTuple_Check(names) && PyTuple_GET_SIZE(names) > count;
    for (Py_ssize_t i = 0; good && i < count - 1; i++) {
        good = add_parameter(c, k, PyTuple_GET_ITEM(names, i + 1), PyTuple_GET_ITEM(defaults, i));
    }
    good = good && !PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, count), "from_fbs");
    Py_XDECREF(names);
    return good && k->count + slot_at(c->base_end) == k->slots;
}

/* Frees the result of wfbs_constructor_prepare(), or NULL. */
static void
constructor_free(constructor *k)
{
    for (unsigned i = 0; k && i < WFBS_WATCHED; i++) {
        Py_XDECREF(k->watched[i]);
        Py_XDECREF(k->codes[i]);
    }
    for (unsigned i = 0; k && i < WFBS_MAX_SLOTS; i++) {
        Py_XDECREF(k->absent[i]);
    }
    if (k) {
        Py_XDECREF(k->defaults);
    }
    PyMem_Free(k);
}

int
wfbs_constructor_prepare(wfbs_class *c)
{
    const wfbs_table *t = c->table;
    Py_ssize_t slots = slot_at(c->received_offset);
    if (c->constructor) { /* it is kept as long as the module, because a call may be using it */
        return wfbs_constructor_is_unchanged(c) ? 0 : -1;
    }
    if (!wfbs_class_is_ordinary(c) || slots > WFBS_MAX_SLOTS) {
        return -1;
    }
    constructor *k = PyMem_Calloc(1, sizeof *k);
    if (!k) {
        PyErr_NoMemory();
        return -1;
    }
    k->type = c->plain;
    k->slots = (uint8_t)slots;
    k->cache = slot_at(c->serialized);
    for (unsigned i = 0; i < k->slots; i++) {
        k->absent[i] = Py_NewRef(Py_None);
    }
    for (unsigned i = 0; i < WFBS_WATCHED; i++) {
        k->watched[i] = wfbs_constructor_watched(c, i);
        if (!k->watched[i]) {
            PyErr_Clear();
        }
        else if (PyFunction_Check(k->watched[i])) {
            k->codes[i] = Py_NewRef(PyFunction_GET_CODE(k->watched[i]));
        }
    }
    if (t->slot_of[WFBS_USE_PAYLOAD] != WFBS_NO_SLOT) {
        k->payload = slot_at(c->attributes[t->slot_of[WFBS_USE_PAYLOAD]].offset);
        k->args = slot_at(c->attributes[t->slot_of[WFBS_USE_ARGS]].offset);
        k->kwargs = slot_at(c->attributes[t->slot_of[WFBS_USE_KWARGS]].offset);
    }
    if (!read_signature(c, k) || c->constructor) { /* the lookups may have re-entered here */
        constructor_free(k);
        if (!c->constructor) {
            return -1;
        }
        PyErr_Clear(); /* of read_signature(), whose result isn't needed any more */
        return wfbs_constructor_is_unchanged(c) ? 0 : -1;
    }
    c->constructor = k; /* complete: never seen half filled */
    return 0;
}

void
wfbs_constructor_clear(wfbs_class *c)
{
    constructor *k = c->constructor;
    c->constructor = NULL;
    constructor_free(k);
}

int
wfbs_constructor_traverse(wfbs_class *c, visitproc visit, void *arg)
{
    constructor *k = c->constructor;
    for (unsigned i = 0; k && i < WFBS_WATCHED; i++) {
        Py_VISIT(k->watched[i]);
        Py_VISIT(k->codes[i]);
    }
    if (k) {
        Py_VISIT(k->defaults);
    }
    for (unsigned i = 0; k && i < WFBS_MAX_SLOTS; i++) {
        Py_VISIT(k->absent[i]);
    }
    return 0;
}

/* The facts about the class `cls`. NULL with TypeError. */
static wfbs_class *
class_for(wfbs_state *state, PyObject *cls)
{
    wfbs_class *c = PyType_Check(cls) ? wfbs_class_find(state, (PyTypeObject *)cls) : NULL;
    if (!c || (PyObject *)c->plain != cls) {
        PyErr_Format(PyExc_TypeError, "%R is not one of Autobahn's message classes", cls);
        return NULL;
    }
    return c;
}

int
wfbs_constructor_install(wfbs_state *state, PyObject *cls)
{
    wfbs_class *c = class_for(state, cls);
    if (!c || c->plain->tp_vectorcall == wfbs_constructor_call) {
        return c ? 0 : -1;
    }
    PyHeapTypeObject *heap = (PyHeapTypeObject *)cls;
    bool free =
        c->plain->tp_flags & Py_TPFLAGS_HEAPTYPE && !c->plain->tp_vectorcall && !heap->ht_module;
#ifdef Py_GIL_DISABLED
    free = false; /* another thread may be changing the class while it is called */
#endif
    if (!free || wfbs_constructor_prepare(c) < 0) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_TypeError, "%s can't be made in C here", c->plain->tp_name);
        }
        return -1;
    }
    /* A class written in Python has no module of its own here. A call finds ours through this. The
     * type releases it. */
    heap->ht_module = Py_NewRef(state->module);
    c->plain->tp_vectorcall = wfbs_constructor_call;
    return 0;
}

int
wfbs_constructor_remove(wfbs_state *state, PyObject *cls)
{
    wfbs_class *c = class_for(state, cls);
    if (!c || c->plain->tp_vectorcall != wfbs_constructor_call) {
        return c ? 0 : -1;
    }
    c->plain->tp_vectorcall = NULL;
    Py_CLEAR(((PyHeapTypeObject *)cls)->ht_module);
    return 0;
}
