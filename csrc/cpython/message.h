/* The structs for Autobahn's message classes, their attributes, and received messages.
 *
 * There is no global state: a class belongs to the module's state (state.h), and every
 * message type keeps the module alive. */
#ifndef WFBS_MESSAGE_H
#define WFBS_MESSAGE_H

#include "base/buffer.h"

#include <stdbool.h>

#include "../core/read.h"
#include "../core/verify.h"

struct wfbs_class;
struct wfbs_state;

/* One attribute of one message class. */
typedef struct {
    struct wfbs_class *cls;
    const wfbs_field *field;
    unsigned index;         /* slot in the schema's table; higher numbers are metadata only */
    Py_ssize_t offset;      /* offset of the instance slot `_name` that Autobahn's class declares */
    PyObject *name;         /* owned, interned: "topic" */
    PyObject *private_name; /* owned, interned: "_topic" */
    PyObject *detail;       /* owned, interned: the WAMP detail's key */
    PyObject *property;     /* owned: Autobahn's property, whose setter checks the value */
} wfbs_attribute;

/* One of Autobahn's message classes, and our subclass of it. */
typedef struct wfbs_class {
    struct wfbs_state *state;
    const wfbs_message_type *type;
    const wfbs_table *table;
    unsigned index;             /* into wfbs_messages */
    PyTypeObject *plain;        /* owned: autobahn.wamp.message.X */
    PyTypeObject *received;     /* owned: our subclass */
    Py_ssize_t received_offset; /* offset of wfbs_received in an instance of ours */
    Py_ssize_t base_end;        /* end of the slots of Message, which every class has */
    Py_ssize_t serialized;      /* offset of the slot _serialized */
    Py_ssize_t from_fbs;        /* offset of the slot _from_fbs */
    PyGetSetDef *getset;        /* owned, PyMem */
    uint32_t fetched;           /* attributes that encoding reads: all except args and kwargs */
    uint32_t fetched_plain;     /* those that Autobahn's own class also has */
    uint32_t demanding;         /* those for which None is not simply left out */
    uint32_t defaulting;        /* those for which an absent field means {} */
    int32_t offsets[WFBS_MAX_FIELDS];     /* copies of attributes[].offset, close together */
    struct wfbs_constructor *constructor; /* owned: see accelerate/constructors.h; or NULL */
    wfbs_attribute attributes[WFBS_MAX_FIELDS];
} wfbs_class;

/* The data after Autobahn's slots in a received message. */
typedef struct {
    PyObject *buffer;    /* owned, exact bytes; NULL if made by the constructor */
    const uint8_t *data; /* the message inside it */
    uint32_t size;
    uint32_t table;    /* position of the message's table */
    uint32_t metadata; /* position of the metadata, 0 if none */
    uint32_t metadata_size;
    uint32_t assigned;    /* bit per attribute: set by the user */
    uint32_t exposed;     /* bit per attribute: a mutable object was returned */
    PyObject *ppt_cipher; /* owned: the slot of an attribute that Autobahn's class lacks */
    /* Owned: if the slots of args and kwargs are NULL, the received message to take them from; or
     * NULL. See accelerate/forward.h. */
    PyObject *source;
    uint8_t dialect;
    uint8_t plain;     /* the state of args and kwargs: see accelerate/forward.c */
    uint8_t uncounted; /* a copy: its payloads were already counted as received */
} wfbs_received;

/* The received part of `self`, an instance of c->received. */
static inline wfbs_received *
wfbs_received_of(const wfbs_class *c, PyObject *self)
{
    return (wfbs_received *)((char *)self + c->received_offset);
}

/* The instance slot at `offset`. */
static inline PyObject **
wfbs_slot_of(PyObject *self, Py_ssize_t offset)
{
    return (PyObject **)((char *)self + offset);
}

/* The bit of an attribute in masks such as `assigned`. */
static inline uint32_t
wfbs_bit_of(const wfbs_attribute *a)
{
    return UINT32_C(1) << a->index; /* index < WFBS_MAX_FIELDS == 32 */
}

/* Whether a value returned for this attribute can be changed in place. */
static inline bool
wfbs_attribute_is_mutable(const wfbs_attribute *a)
{
    switch ((wfbs_use)a->field->use) {
    case WFBS_USE_ENUMS:
    case WFBS_USE_INTS:
    case WFBS_USE_STRS:
    case WFBS_USE_ARGS:
    case WFBS_USE_KWARGS:
    case WFBS_USE_PRINCIPALS:
    case WFBS_USE_ROLES:
    case WFBS_USE_DICT:
    case WFBS_USE_LIST:
    case WFBS_USE_CUSTOM:
        return true;
    default:
        return false;
    }
}

/* The received message from which `message`, of class `c`, takes args and kwargs; borrowed; NULL if
 * there is none. */
static inline PyObject *
wfbs_received_source(const wfbs_class *c, PyObject *message)
{
    return Py_TYPE(message) == c->received ? wfbs_received_of(c, message)->source : NULL;
}

/* ---- reading the verified buffer; none of these can fail */

/* The position of an attribute's field, 0 if absent or without a slot. */
static inline uint32_t
wfbs_received_place(const wfbs_attribute *a, const wfbs_received *r)
{
    return a->field->kind == WFBS_KIND_NONE ? 0 : wfbs_slot_position(r->data, r->table, a->index);
}

/* The bytes of an args, kwargs or payload field; data is NULL if absent. */
static inline wfbs_span
wfbs_received_span(const wfbs_attribute *a, const wfbs_received *r)
{
    uint32_t place = wfbs_received_place(a, r);
    return place ? wfbs_span_at(r->data, place) : (wfbs_span){NULL, 0};
}

/* The value of a small unsigned field, 0 if absent. */
static inline uint8_t
wfbs_received_u8(const wfbs_class *c, const wfbs_received *r, wfbs_use use)
{
    unsigned slot = c->table->slot_of[use];
    uint32_t place = slot == WFBS_NO_SLOT ? 0 : wfbs_slot_position(r->data, r->table, slot);
    return place ? r->data[place] : 0;
}

#endif
