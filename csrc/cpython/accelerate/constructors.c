/* Calls Autobahn's message classes in C: see constructors.h. */
#include "constructors.h"

#include "../messages/classes.h"

typedef wfbs_constructor constructor;
typedef wfbs_parameter parameter;

/* ---- whether Autobahn's constructor would give the same result */

PyObject *
wfbs_constructor_watched(const wfbs_class *c, unsigned index)
{
    static const char *const names[WFBS_WATCHED] = {"__init__", "__init__", "_init_app_payload",
                                                    "_init_forward_for"};
    PyObject *owner = index == 1 ? c->state->message_class : (PyObject *)c->plain;
    PyObject *name = PyUnicode_InternFromString(names[index]);
    PyObject *found = name ? PyObject_GetAttr(owner, name) : NULL;
    Py_XDECREF(name);
    return found;
}

bool
wfbs_class_is_ordinary(const wfbs_class *c)
{
    const PyTypeObject *t = c->plain;
    if (t->tp_new != PyBaseObject_Type.tp_new || t->tp_alloc != PyType_GenericAlloc
        || t->tp_setattro != PyObject_GenericSetAttr || t->tp_flags & Py_TPFLAGS_IS_ABSTRACT) {
        return false;
    }
    for (unsigned i = 0; i < c->table->field_count; i++) {
        const wfbs_attribute *a = &c->attributes[i];
        if (a->property && wfbs_slot_offset(c->plain, a->private_name) != a->offset) {
            PyErr_Clear();
            return false;
        }
    }
    return true;
}

/* Whether those functions still have their original code and defaults: reloaders and tracers
 * replace a function's code, which its class doesn't notice. */
static inline bool
has_same_code(const constructor *k)
{
    for (unsigned i = 0; i < WFBS_WATCHED; i++) {
        if (k->codes[i] && PyFunction_GET_CODE(k->watched[i]) != k->codes[i]) {
            return false;
        }
    }
    return PyFunction_GET_DEFAULTS(k->watched[0]) == k->defaults;
}

bool
wfbs_constructor_is_unchanged(wfbs_class *c)
{
    constructor *k = c->constructor;
    if (!has_same_code(k)) {
        return false;
    }
    if (k->version && k->version == k->type->tp_version_tag) {
        return true;
    }
    bool same = wfbs_class_is_ordinary(c);
    for (unsigned i = 0; same && i < WFBS_WATCHED; i++) {
        PyObject *now = wfbs_constructor_watched(c, i);
        if (!now) {
            PyErr_Clear();
        }
        same = now == k->watched[i];
        Py_XDECREF(now);
    }
    /* A look-up gave the type a version, unless none are left. */
    k->version = same ? k->type->tp_version_tag : 0;
    return same;
}

/* Whether a debugger steps through the program, and would miss Autobahn's constructor. */
static inline bool
is_traced(void)
{
    return PyThreadState_Get()->c_tracefunc != NULL;
}

/* ---- arguments */

static bool
all_exact(PyObject *list, PyTypeObject *type)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        if (!Py_IS_TYPE(PyList_GET_ITEM(list, i), type)) {
            return false;
        }
    }
    return true;
}

static bool
has_str_keys(PyObject *dict)
{
    PyObject *key, *item;
    Py_ssize_t position = 0;
    while (PyDict_Next(dict, &position, &key, &item)) {
        if (!PyUnicode_Check(key)) {
            return false;
        }
    }
    return true;
}

static bool
is_enum_name(const wfbs_field *field, PyObject *value)
{
    if (!PyUnicode_CheckExact(value)) {
        return false;
    }
    const wfbs_enum *e = &wfbs_enums[field->sub];
    for (unsigned i = field->check == WFBS_CHECK_NONZERO; i < e->count; i++) {
        if (e->names[i] && *e->names[i] && !PyUnicode_CompareWithASCIIString(value, e->names[i])) {
            return true;
        }
    }
    return false;
}

/* Whether Autobahn's constructor certainly stores `value` (borrowed, not None) unchanged. Runs no
 * Python code. */
static inline bool
is_good(const parameter *p, PyObject *value)
{
    switch ((wfbs_takes)p->takes) {
    case WFBS_TAKES_INT:
        return PyLong_CheckExact(value);
    case WFBS_TAKES_STR:
        return PyUnicode_CheckExact(value);
    case WFBS_TAKES_BOOL:
        return value == Py_True || value == Py_False;
    case WFBS_TAKES_BYTES:
        return PyBytes_CheckExact(value);
    case WFBS_TAKES_LIST_OR_TUPLE:
        return PyList_CheckExact(value) || PyTuple_CheckExact(value);
    case WFBS_TAKES_DICT:
        return PyDict_CheckExact(value);
    case WFBS_TAKES_NAMED:
        return PyDict_CheckExact(value) && has_str_keys(value);
    case WFBS_TAKES_FULL_DICT:
        return PyDict_CheckExact(value) && PyDict_GET_SIZE(value);
    case WFBS_TAKES_INTS:
        return PyList_CheckExact(value) && all_exact(value, &PyLong_Type);
    case WFBS_TAKES_STRS:
        return PyList_CheckExact(value) && all_exact(value, &PyUnicode_Type);
    case WFBS_TAKES_ENUM:
        return is_enum_name(p->field, value);
    default:
        return false;
    }
}

/* The index of the parameter `name`, searched in the order of the signature, starting at `next` and
 * then at `first`; k->count if there is none. */
static inline unsigned
find_parameter(const constructor *k, PyObject *name, unsigned first, unsigned next)
{
    unsigned at = next;
    for (unsigned tried = first; tried < k->count; tried++, at++) {
        at = at < k->count ? at : first;
        if (k->parameters[at].name == name) { /* both are interned, or Autobahn has to decide */
            return at;
        }
    }
    return k->count;
}

/* Puts the arguments of a call into their slots in `values`, and sets their bits in *given. False
 * if Autobahn has to decide. Borrows; runs no Python code. */
static inline bool
take_arguments(const constructor *k, PyObject *const *args, size_t count, PyObject *names,
               PyObject **values, uint32_t *given)
{
    size_t all = count + (names ? (size_t)PyTuple_GET_SIZE(names) : 0);
    if (all > k->count) {
        return false;
    }
    unsigned at = 0;
    for (size_t i = 0; i < all; i++, at++) {
        if (i >= count) {
            PyObject *name = PyTuple_GET_ITEM(names, (Py_ssize_t)(i - count));
            at = find_parameter(k, name, (unsigned)count, at);
            if (at >= k->count) {
                return false;
            }
        }
        const parameter *p = &k->parameters[at];
        if (args[i] == Py_None && !(p->bit & k->explicit)) {
            continue;
        }
        if (!is_good(p, args[i])) {
            return false;
        }
        values[p->slot] = args[i];
        *given |= p->bit;
    }
    return true;
}

/* The rules of Autobahn's constructor about several arguments. */
static inline bool
fits_together(const constructor *k, PyObject *const *values, uint32_t given)
{
    bool payload = k->payload && values[k->payload] != Py_None;
    return (given & k->demanded) == k->demanded
           && !(payload && (values[k->args] != Py_None || values[k->kwargs] != Py_None));
}

/* ---- calls */

/* An instance of `type` with `values` (borrowed) in its slots, and new dicts where needed. New
 * reference or NULL with MemoryError. */
static PyObject *
make(const constructor *k, PyTypeObject *type, PyObject *const *values, uint32_t given)
{
    PyObject *cache = PyDict_New();
    PyObject *self = cache ? type->tp_alloc(type, 0) : NULL;
    if (!self) {
        Py_XDECREF(cache);
        return NULL;
    }
    PyObject **slots = wfbs_slot_of(self, sizeof(PyObject));
    for (unsigned i = 0; i < k->slots; i++) {
        slots[i] = Py_XNewRef(values[i]);
    }
    Py_SETREF(slots[k->cache], cache);
    for (unsigned i = 0; k->fresh & ~given && i < k->count; i++) {
        const parameter *p = &k->parameters[i];
        if (p->bit & k->fresh & ~given) {
            PyObject *empty = PyDict_New();
            if (!empty) {
                Py_DECREF(self);
                return NULL;
            }
            Py_SETREF(slots[p->slot], empty);
        }
    }
    return self;
}

/* Calls the class as Python would without us. */
static PyObject *
call_python(PyObject *type, PyObject *const *args, size_t count, PyObject *names)
{
    PyObject *positional = PyTuple_New((Py_ssize_t)count), *named = NULL;
    for (size_t i = 0; positional && i < count; i++) {
        PyTuple_SET_ITEM(positional, (Py_ssize_t)i, Py_NewRef(args[i]));
    }
    Py_ssize_t more = positional && names ? PyTuple_GET_SIZE(names) : 0;
    bool good = positional && (!more || (named = PyDict_New()));
    for (Py_ssize_t i = 0; good && i < more; i++) {
        good = PyDict_SetItem(named, PyTuple_GET_ITEM(names, i), args[(Py_ssize_t)count + i]) == 0;
    }
    PyObject *result = good ? Py_TYPE(type)->tp_call(type, positional, named) : NULL;
    Py_XDECREF(positional);
    Py_XDECREF(named);
    return result;
}

/* The class for a type whose calls come here; NULL once the interpreter has begun to tear down the
 * module. */
static inline wfbs_class *
class_of(PyTypeObject *type)
{
    PyObject *module = ((PyHeapTypeObject *)type)->ht_module;
    wfbs_state *state = module ? wfbs_state_of(module) : NULL;
    wfbs_class *c = state ? wfbs_class_find(state, type) : NULL;
    return c && c->constructor ? c : NULL;
}

PyObject *
wfbs_constructor_call(PyObject *type, PyObject *const *args, size_t flags, PyObject *names)
{
    size_t count = (size_t)PyVectorcall_NARGS(flags);
    wfbs_class *c = class_of((PyTypeObject *)type);
    if (c && wfbs_constructor_is_unchanged(c) && !is_traced()) {
        const constructor *k = c->constructor;
        PyObject *values[WFBS_MAX_SLOTS];
        uint32_t given = 0;
        memcpy(values, k->absent, k->slots * sizeof *values);
        if (take_arguments(k, args, count, names, values, &given)
            && fits_together(k, values, given)) {
            return make(k, k->type, values, given);
        }
    }
    return call_python(type, args, count, names);
}

PyObject *
wfbs_constructor_forward(wfbs_class *c, PyObject *source, PyObject *const *args, size_t count,
                         PyObject *names)
{
    const constructor *k = c->constructor;
    if (!k || !k->payload || !wfbs_constructor_is_unchanged(c) || is_traced()) {
        return NULL;
    }
    PyObject *values[WFBS_MAX_SLOTS];
    uint32_t given = 0;
    memcpy(values, k->absent, k->slots * sizeof *values);
    if (!take_arguments(k, args, count, names, values, &given)
        || (given & k->demanded) != k->demanded || values[k->payload] != Py_None
        || values[k->args] != Py_None || values[k->kwargs] != Py_None) {
        return NULL;
    }
    values[k->args] = values[k->kwargs] = NULL;
    PyObject *self = make(k, c->received, values, given);
    if (self) {
        wfbs_received_of(c, self)->source = Py_NewRef(source);
    }
    return self;
}
