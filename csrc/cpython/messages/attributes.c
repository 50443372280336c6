/* Reading and assigning a received message's attributes. See attributes.h. */
#include "attributes.h"

#include "convert.h"
#include "decode.h"
#include "payload.h"

/* The value of an attribute whose slot is NULL. New reference, or NULL with an exception. */
static PyObject *
find_value(const wfbs_attribute *a, const wfbs_received *r)
{
    if (r->source && (a->field->use == WFBS_USE_ARGS || a->field->use == WFBS_USE_KWARGS)) {
        return PyObject_GetAttr(r->source, a->name);
    }
    if (!r->buffer && a->property) {
        PyErr_SetObject(PyExc_AttributeError, a->private_name);
        return NULL;
    }
    if (!r->buffer) {
        return Py_NewRef(Py_None);
    }
    return wfbs_state_alive(a->cls->state) ? wfbs_decode_attribute(a, r) : NULL;
}

PyObject *
wfbs_received_get_private(PyObject *self, void *attribute)
{
    const wfbs_attribute *a = attribute;
    wfbs_received *r = wfbs_received_of(a->cls, self);
    PyObject **slot = wfbs_slot_of(self, a->offset);
    PyObject *value;
    Py_BEGIN_CRITICAL_SECTION(self);
    value = Py_XNewRef(*slot);
    if (!value) {
        value = find_value(a, r);
        /* Decoding can run Python code, which may have filled the slot. */
        if (value && *slot) {
            Py_SETREF(value, Py_NewRef(*slot));
        }
        else if (value) {
            *slot = Py_NewRef(value);
        }
    }
    if (value && value != Py_None && wfbs_attribute_is_mutable(a)) {
        r->exposed |= wfbs_bit_of(a);
    }
    Py_END_CRITICAL_SECTION();
    return value;
}

PyObject *
wfbs_received_get(PyObject *self, void *attribute)
{
    const wfbs_attribute *a = attribute;
    PyObject *value = wfbs_received_get_private(self, attribute);
    if (value == Py_None && a->cls->defaulting & wfbs_bit_of(a)) {
        Py_DECREF(value);
        return PyDict_New(); /* as Autobahn's properties do for these */
    }
    return value;
}

int
wfbs_received_set_private(PyObject *self, PyObject *value, void *attribute)
{
    const wfbs_attribute *a = attribute;
    if (!value) {
        PyErr_Format(PyExc_AttributeError, "can't delete attribute %R", a->private_name);
        return -1;
    }
    wfbs_received *r = wfbs_received_of(a->cls, self);
    PyObject *old, *cache;
    Py_BEGIN_CRITICAL_SECTION(self);
    PyObject **slot = wfbs_slot_of(self, a->offset);
    old = *slot;
    *slot = Py_NewRef(value);
    r->assigned |= wfbs_bit_of(a);
    PyObject **serialized = wfbs_slot_of(self, a->cls->serialized);
    cache = *serialized; /* the cached bytes no longer match the message */
    *serialized = NULL;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
    Py_XDECREF(cache);
    return 0;
}

int
wfbs_received_set(PyObject *self, PyObject *value, void *attribute)
{
    const wfbs_attribute *a = attribute;
    if (!a->property) {
        int good = !value || value == Py_None || wfbs_is_ppt_name(a, value);
        if (good <= 0) {
            if (!good) {
                PyErr_Format(PyExc_ValueError, "%U: %R is not a cipher that WAMP defines", a->name,
                             value);
            }
            return -1;
        }
        return wfbs_received_set_private(self, value, attribute);
    }
    /* Autobahn's own setter checks the value, and assigns it to the private name. */
    return Py_TYPE(a->property)->tp_descr_set(a->property, self, value);
}

PyObject *
wfbs_received_view(PyObject *self, void *attribute)
{
    const wfbs_attribute *a = attribute;
    wfbs_received *r = wfbs_received_of(a->cls, self);
    uint32_t assigned;
    Py_BEGIN_CRITICAL_SECTION(self);
    assigned = r->assigned;
    Py_END_CRITICAL_SECTION();
    if (!r->buffer || assigned & wfbs_bit_of(a)) {
        Py_RETURN_NONE;
    }
    wfbs_span span = wfbs_received_span(a, r);
    if (!span.data) {
        Py_RETURN_NONE;
    }
    return wfbs_payload_view(r->buffer, span);
}

/* The id of the codec of args and kwargs; None if both views are None. New reference, or NULL with
 * ProtocolError if the metadata should name the codec and can't be read. */
PyObject *
wfbs_received_get_codec(PyObject *self, void *cls)
{
    const wfbs_class *c = cls;
    wfbs_received *r = wfbs_received_of(c, self);
    uint32_t assigned;
    Py_BEGIN_CRITICAL_SECTION(self);
    assigned = r->assigned;
    Py_END_CRITICAL_SECTION();
    bool found = false;
    for (unsigned i = 0; r->buffer && i < c->table->field_count; i++) {
        const wfbs_attribute *a = &c->attributes[i];
        if (a->field && (a->field->use == WFBS_USE_ARGS || a->field->use == WFBS_USE_KWARGS)) {
            found |= !(assigned & wfbs_bit_of(a)) && wfbs_received_span(a, r).data;
        }
    }
    if (!found || !wfbs_state_alive(c->state)) {
        Py_RETURN_NONE;
    }
    wfbs_codec codec;
    if (wfbs_payload_codec(c, r, &codec) < 0) {
        return NULL;
    }
    PyObject *number = PyLong_FromUnsignedLong(codec.number);
    PyObject *id = number ? wfbs_call_helper(c->state, "payload_codec", number,
                                             codec.name ? codec.name : Py_None, NULL)
                          : NULL;
    Py_XDECREF(number);
    Py_XDECREF(codec.name);
    return id;
}

PyObject *
wfbs_received_get_serialized(PyObject *self, void *cls)
{
    const wfbs_class *c = cls;
    PyObject **slot = wfbs_slot_of(self, c->serialized);
    PyObject *value;
    Py_BEGIN_CRITICAL_SECTION(self);
    if (!*slot) {
        *slot = PyDict_New();
    }
    value = Py_XNewRef(*slot);
    Py_END_CRITICAL_SECTION();
    return value;
}

int
wfbs_received_set_serialized(PyObject *self, PyObject *value, void *cls)
{
    const wfbs_class *c = cls;
    PyObject *old;
    Py_BEGIN_CRITICAL_SECTION(self);
    PyObject **slot = wfbs_slot_of(self, c->serialized);
    old = *slot;
    *slot = Py_XNewRef(value);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
    return 0;
}
