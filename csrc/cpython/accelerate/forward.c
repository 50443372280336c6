/* Messages made from others, whose payload is not decoded: see forward.h. */
#include "forward.h"

#include "../../core/cbor_plain.h"
#include "../messages/payload.h"
#include "constructors.h"

/* wfbs_received.plain */
enum { UNKNOWN = 0, PLAIN = 1, OTHER = 2 };

/* Whether a payload field is absent, or is CBOR that is certainly valid. */
static bool
is_plain_field(const wfbs_class *c, const wfbs_received *r, wfbs_use use, wfbs_cbor_major outermost)
{
    wfbs_span span = wfbs_received_span(&c->attributes[c->table->slot_of[use]], r);
    return !span.data || wfbs_cbor_is_plain(span.data, span.size, outermost);
}

/* The class of a received message whose args and kwargs can certainly be decoded, so that it makes
 * no difference whether they are decoded here or by the receiver; NULL for any other. */
static const wfbs_class *
forwardable_class(wfbs_state *state, PyObject *message)
{
    const wfbs_class *c = wfbs_class_find(state, Py_TYPE(message));
    if (!c || Py_TYPE(message) != c->received || c->table->slot_of[WFBS_USE_ARGS] == WFBS_NO_SLOT) {
        return NULL;
    }
    wfbs_received *r = wfbs_received_of(c, message);
    if (!r->buffer) {
        return NULL;
    }
    if (r->plain == UNKNOWN) {
        uint8_t codec = wfbs_received_u8(c, r, WFBS_USE_ENC_SERIALIZER);
        bool plain = wfbs_codec_is_cbor(codec)
                     && is_plain_field(c, r, WFBS_USE_ARGS, WFBS_CBOR_ARRAY)
                     && is_plain_field(c, r, WFBS_USE_KWARGS, WFBS_CBOR_MAP);
        r->plain = plain ? PLAIN : OTHER;
    }
    return r->plain == PLAIN ? c : NULL;
}

bool
wfbs_is_forwardable(wfbs_state *state, PyObject *message)
{
    return forwardable_class(state, message) != NULL;
}

/* Adds the args or kwargs of `source`, of class `c`, to the arguments in `named`. 0, or -1 with an
 * exception. */
static int
add_payload(const wfbs_class *c, PyObject *source, wfbs_use use, PyObject *named)
{
    unsigned slot = c ? c->table->slot_of[use] : WFBS_NO_SLOT;
    if (slot == WFBS_NO_SLOT) {
        PyErr_Format(PyExc_TypeError, "forward() takes a message with args and kwargs, not %.200s",
                     Py_TYPE(source)->tp_name);
        return -1;
    }
    PyObject *name = c->attributes[slot].name;
    PyObject *value = PyObject_GetAttr(source, name);
    if (value && PyDict_Contains(named, name)) {
        PyErr_Format(PyExc_TypeError, "forward() takes %U from the message", name);
        Py_CLEAR(value);
    }
    int failed = value ? PyDict_SetItem(named, name, value) : -1;
    Py_XDECREF(value);
    return failed;
}

/* cls(*args, args=source.args, kwargs=source.kwargs, **named). New reference or NULL. */
static PyObject *
call_decoded(wfbs_state *state, PyObject *cls, PyObject *source, PyObject *const *args,
             size_t count, PyObject *names)
{
    const wfbs_class *c = wfbs_class_find(state, Py_TYPE(source));
    PyObject *positional = PyTuple_New((Py_ssize_t)count), *named = PyDict_New();
    bool good = positional && named;
    for (size_t i = 0; good && i < count; i++) {
        PyTuple_SET_ITEM(positional, (Py_ssize_t)i, Py_NewRef(args[i]));
    }
    for (Py_ssize_t i = 0; good && names && i < PyTuple_GET_SIZE(names); i++) {
        good = !PyDict_SetItem(named, PyTuple_GET_ITEM(names, i), args[(Py_ssize_t)count + i]);
    }
    good = good && add_payload(c, source, WFBS_USE_ARGS, named) == 0
           && add_payload(c, source, WFBS_USE_KWARGS, named) == 0;
    PyObject *result = good ? PyObject_Call(cls, positional, named) : NULL;
    Py_XDECREF(positional);
    Py_XDECREF(named);
    return result;
}

PyObject *
wfbs_forward(wfbs_state *state, PyObject *cls, PyObject *source, PyObject *const *args,
             size_t count, PyObject *names)
{
    wfbs_class *c = PyType_Check(cls) ? wfbs_class_find(state, (PyTypeObject *)cls) : NULL;
#ifdef Py_GIL_DISABLED
    c = NULL; /* another thread may be preparing the constructor */
#endif
    if (c && (PyObject *)c->plain == cls && forwardable_class(state, source)
        && wfbs_constructor_prepare(c) == 0) {
        PyObject *made = wfbs_constructor_forward(c, source, args, count, names);
        if (made || PyErr_Occurred()) {
            return made;
        }
    }
    return PyErr_Occurred() ? NULL : call_decoded(state, cls, source, args, count, names);
}
