/* Creating, comparing, copying and freeing received messages. Their attributes are in attributes.c,
 * and classes.c lists them. */
#include "received.h"

#include "metadata.h"
#include "payload.h"

/* The class of an instance of ours; NULL with an exception once the interpreter has begun to tear
 * down our types. Our types can't be subclassed, so the exact type is one of the registered
 * ones. */
static wfbs_class *
class_of(PyObject *self)
{
    wfbs_state *state = wfbs_state_alive(PyType_GetModuleState(Py_TYPE(self)));
    return state ? wfbs_class_find(state, Py_TYPE(self)) : NULL;
}

/* The first and one past the last of Autobahn's slots in an instance. They depend only on the type,
 * because the collector may ask when the module no longer exists. */
static inline PyObject **
slots_begin(PyObject *self)
{
    return (PyObject **)((char *)self + sizeof(PyObject));
}

static inline PyObject **
slots_end(PyObject *self)
{
    size_t tail = (size_t)Py_TYPE(self)->tp_basicsize - sizeof(wfbs_received);
    return (PyObject **)((char *)self + tail);
}

PyObject *
wfbs_received_new(wfbs_class *c, PyObject *buffer, const uint8_t *data, size_t size,
                  const wfbs_envelope *envelope, wfbs_dialect dialect)
{
    PyObject *self = c->received->tp_alloc(c->received, 0);
    if (!self) {
        return NULL;
    }
    wfbs_received *r = wfbs_received_of(c, self);
    r->buffer = Py_NewRef(buffer);
    r->data = data;
    r->size = (uint32_t)size; /* verified: below 2^31 */
    r->table = envelope->table;
    r->metadata = envelope->metadata;
    r->metadata_size = envelope->metadata_size;
    r->dialect = (uint8_t)dialect;
    /* The slots of Message itself start as None, except the cache. */
    PyObject **cache = wfbs_slot_of(self, c->serialized), **end = wfbs_slot_of(self, c->base_end);
    for (PyObject **slot = slots_begin(self); slot < end; slot++) {
        if (slot != cache) {
            *slot = Py_NewRef(Py_None);
        }
    }
    if (r->metadata && wfbs_metadata_apply(c, self) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return self;
}

static int
received_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    for (PyObject **slot = slots_begin(self); slot < slots_end(self); slot++) {
        Py_VISIT(*slot);
    }
    Py_VISIT(((wfbs_received *)slots_end(self))->source);
    return 0; /* the buffer is bytes and the cipher a str: neither can be part of a cycle */
}

static int
received_clear(PyObject *self)
{
    for (PyObject **slot = slots_begin(self); slot < slots_end(self); slot++) {
        Py_CLEAR(*slot);
    }
    Py_CLEAR(((wfbs_received *)slots_end(self))->source);
    return 0;
}

/* Drops everything outside Autobahn's slots, and the message itself. */
static void
release(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(((wfbs_received *)slots_end(self))->source);
    Py_XDECREF(((wfbs_received *)slots_end(self))->ppt_cipher);
    Py_XDECREF(((wfbs_received *)slots_end(self))->buffer);
    type->tp_free(self);
    Py_DECREF(type);
}

static void
received_dealloc(PyObject *self)
{
    bool linked = false; /* a slot (for example _router_internal) has another received message */
    PyObject_GC_UnTrack(self);
    for (PyObject **slot = slots_begin(self); slot < slots_end(self); slot++) {
        PyObject *value = *slot;
        if (value && value != Py_None && Py_TYPE(value)->tp_dealloc == received_dealloc) {
            linked = true;
        }
        else {
            *slot = NULL;
            Py_XDECREF(value);
        }
    }
    if (!linked) {
        release(self);
        return;
    }
    /* That message may refer to another one, and so on: recursion over a long chain would exhaust
     * the C stack. */
    Py_TRASHCAN_BEGIN(self, received_dealloc)
    received_clear(self);
    release(self);
    Py_TRASHCAN_END
}

/* ---- comparing */

/* 1 if equal in every attribute, 0 if not, -1 with an exception. */
static int
same_content(wfbs_class *c, PyObject *self, PyObject *other)
{
    for (unsigned i = 0; i < c->table->field_count; i++) {
        const wfbs_attribute *a = &c->attributes[i];
        if (!a->name || (!a->property && Py_TYPE(other) != c->received)) {
            continue; /* a plain message has no slot for it */
        }
        PyObject *mine = PyObject_GetAttr(self, a->name);
        PyObject *theirs = mine ? PyObject_GetAttr(other, a->name) : NULL;
        int same = theirs ? PyObject_RichCompareBool(mine, theirs, Py_EQ) : -1;
        Py_XDECREF(mine);
        Py_XDECREF(theirs);
        if (same != 1) {
            return same;
        }
    }
    return 1;
}

static PyObject *
received_compare(PyObject *self, PyObject *other, int op)
{
    wfbs_class *c = class_of(self);
    if (!c) {
        return NULL;
    }
    if (op != Py_EQ && op != Py_NE) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    int same = PyObject_TypeCheck(other, c->plain) ? same_content(c, self, other) : 0;
    if (same < 0) {
        return NULL;
    }
    return PyBool_FromLong(op == Py_EQ ? same : !same);
}

/* Whether two values have the same encoding: 1, 0 (also if the second has none), or -1 with an
 * exception. If a value that was read has no encoding, for example half a surrogate pair from JSON,
 * the values themselves are compared. */
static int
same_bytes(wfbs_state *state, wfbs_codec codec, PyObject *before, PyObject *now)
{
    wfbs_buffer left = {0}, right = {0};
    int same = -1;
    bool known = wfbs_payload_encode(state, codec, before, &left) == 0;
    if (known && wfbs_payload_encode(state, codec, now, &right) == 0) {
        same = left.size == right.size && !memcmp(left.data, right.data, left.size);
    }
    else if (wfbs_error_is_about_value()) {
        PyErr_Clear();
        same = known ? 0 : PyObject_RichCompareBool(before, now, Py_EQ);
    }
    wfbs_buffer_free(&left);
    wfbs_buffer_free(&right);
    return same;
}

/* Compares the values of one exposed attribute in two messages: 1, 0 or -1. Compares encodings,
 * because True == 1 == 1.0, and an equal list may differ in such values. args and kwargs are
 * compared in their own codec, which may know types that CBOR does not. */
static int
same_encoding(wfbs_class *c, const wfbs_attribute *a, PyObject *fresh, PyObject *self)
{
    PyObject *before = PyObject_GetAttr(fresh, a->name);
    PyObject *now = before ? PyObject_GetAttr(self, a->name) : NULL;
    wfbs_codec codec = {WFBS_CODEC_CBOR, NULL};
    bool payload = a->field->use == WFBS_USE_ARGS || a->field->use == WFBS_USE_KWARGS;
    int same = -1;
    if (now && a->field->use == WFBS_USE_ROLES) {
        same = PyObject_RichCompareBool(before, now, Py_EQ);
    }
    else if (now && (!payload || wfbs_payload_codec(c, wfbs_received_of(c, self), &codec) == 0)) {
        same = same_bytes(c->state, codec, before, now);
        Py_XDECREF(codec.name);
    }
    Py_XDECREF(before);
    Py_XDECREF(now);
    return same;
}

int
wfbs_received_unchanged(wfbs_class *c, PyObject *self)
{
    wfbs_received *r = wfbs_received_of(c, self);
    uint32_t assigned, exposed;
    Py_BEGIN_CRITICAL_SECTION(self);
    assigned = r->assigned;
    exposed = r->exposed;
    Py_END_CRITICAL_SECTION();
    if (!r->buffer || assigned) {
        return 0;
    }
    if (!exposed) {
        return 1;
    }
    /* Other code may have a list or dict of this message. Decode it again and compare. */
    wfbs_envelope envelope = {c->index, r->table, r->metadata, r->metadata_size};
    PyObject *fresh = wfbs_received_new(c, r->buffer, r->data, r->size, &envelope, r->dialect);
    if (!fresh) {
        return -1;
    }
    wfbs_received_of(c, fresh)->uncounted = 1;
    int same = 1;
    for (unsigned i = 0; same == 1 && i < c->table->field_count; i++) {
        if (exposed & (UINT32_C(1) << i)) {
            same = same_encoding(c, &c->attributes[i], fresh, self);
        }
    }
    Py_DECREF(fresh);
    return same;
}

/* ---- copying */

/* The attributes whose current values can be changed in place. */
static uint32_t
changeable(const wfbs_class *c, PyObject *self)
{
    uint32_t found = 0;
    for (unsigned i = 0; i < c->table->field_count; i++) {
        const wfbs_attribute *a = &c->attributes[i];
        if (a->name && wfbs_attribute_is_mutable(a) && *wfbs_slot_of(self, a->offset)) {
            found |= wfbs_bit_of(a);
        }
    }
    return found;
}

/* A new message over the same buffer, with the same slots except the cache of serializations. The
 * two messages then share these values, so they count as exposed. New reference or NULL. */
static PyObject *
received_copy(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    wfbs_class *c = class_of(self);
    if (!c) {
        return NULL;
    }
    PyObject *copy = c->received->tp_alloc(c->received, 0);
    if (!copy) {
        return NULL;
    }
    wfbs_received *r = wfbs_received_of(c, copy);
    Py_BEGIN_CRITICAL_SECTION(self);
    wfbs_received_of(c, self)->exposed |= changeable(c, self);
    *r = *wfbs_received_of(c, self);
    r->uncounted = 1;
    Py_XINCREF(r->buffer);
    Py_XINCREF(r->ppt_cipher);
    Py_XINCREF(r->source);
    PyObject **to = slots_begin(copy);
    for (PyObject **from = slots_begin(self); from < slots_end(self); from++, to++) {
        *to = Py_XNewRef(*from);
    }
    Py_END_CRITICAL_SECTION();
    Py_CLEAR(*wfbs_slot_of(copy, c->serialized));
    return copy;
}

static PyObject *
received_deepcopy(PyObject *self, PyObject *memo)
{
    wfbs_class *c = class_of(self);
    PyObject *copy = c ? received_copy(self, NULL) : NULL;
    for (unsigned i = 0; copy && i < c->table->field_count; i++) {
        const wfbs_attribute *a = &c->attributes[i];
        bool there = *wfbs_slot_of(copy, a->offset) || wfbs_received_of(c, copy)->source;
        if (!a->name || !wfbs_attribute_is_mutable(a) || !there) {
            continue;
        }
        PyObject *value = PyObject_GetAttr(copy, a->private_name);
        PyObject *deep = value ? wfbs_call_helper(c->state, "deepcopy", value, memo, NULL) : NULL;
        Py_XDECREF(value);
        if (!deep) {
            Py_CLEAR(copy);
            break;
        }
        Py_XSETREF(*wfbs_slot_of(copy, a->offset), deep);
    }
    return copy;
}

/* Pickles a message as its bytes (encoded again if changed), its dialect and the attributes that
 * are never sent. */
static PyObject *
received_reduce(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    wfbs_class *c = class_of(self);
    if (!c) {
        return NULL;
    }
    PyObject *bytes = wfbs_call_helper(
        c->state, "encode", self, wfbs_received_of(c, self)->dialect ? Py_True : Py_False, NULL);
    if (!bytes) {
        return NULL;
    }
    PyObject *result = wfbs_call_helper(c->state, "reduce", self, bytes,
                                        wfbs_received_of(c, self)->dialect ? Py_True : Py_False);
    Py_DECREF(bytes);
    return result;
}

/* Message.serialize: our implementation for our serializers, Autobahn's for all others. */
static PyObject *
received_serialize(PyObject *self, PyObject *serializer)
{
    wfbs_class *c = class_of(self);
    if (!c) {
        return NULL;
    }
    PyObject *name = c->state->str_serialize;
    if (PyObject_TypeCheck(serializer, c->state->object_serializer)) {
        return PyObject_CallMethodObjArgs((PyObject *)c->state->object_serializer, name, serializer,
                                          self, NULL);
    }
    return PyObject_CallMethodObjArgs(c->state->message_class, name, self, serializer, NULL);
}

PyDoc_STRVAR(serialize_doc,
             "serialize($self, serializer, /)\n--\n\n"
             "The message's bytes for an object serializer, from its cache if they are there.\n\n"
             "An unchanged received message returns the bytes that were received, for serializers\n"
             "of this package. Any other serializer gets the result of marshal().");

/* Like Autobahn's __str__, but never raises the errors of reading an attribute, because transports
 * log messages that nobody has read. */
static PyObject *
received_str(PyObject *self)
{
    wfbs_state *state = wfbs_state_by_type(Py_TYPE(self));
    return state ? wfbs_call_helper(state, "text", self, NULL, NULL) : NULL;
}

PyType_Slot wfbs_received_slots[] = {
    {Py_tp_dealloc, received_dealloc},
    {Py_tp_traverse, received_traverse},
    {Py_tp_clear, received_clear},
    {Py_tp_str, received_str},
    {Py_tp_richcompare, received_compare},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {0, NULL},
};

PyMethodDef wfbs_received_methods[] = {
    {"__copy__", received_copy, METH_NOARGS, NULL},
    {"__deepcopy__", received_deepcopy, METH_O, NULL},
    {"__reduce__", received_reduce, METH_NOARGS, NULL},
    {"serialize", received_serialize, METH_O, serialize_doc},
    {NULL, NULL, 0, NULL},
};
