/* Creates Python objects from a verified buffer's fields, on demand. */
#include "decode.h"

#include "../base/list.h"
#include "../base/text.h"
#include "../base/type_name.h"
#include "payload.h"

/* The string of an enum's value, None if it has none. New reference. */
static PyObject *
decode_enum(const wfbs_state *state, unsigned index, unsigned value)
{
    PyObject *name = state->names.enum_names[index][value]; /* verified: value is in the enum */
    return Py_NewRef(name ? name : Py_None);
}

/* A list of `count` items that `item` creates. New reference or NULL. */
#define WFBS_DECODE_LIST(item)                          \
    do {                                                \
        PyObject *list = PyList_New((Py_ssize_t)count); \
        for (uint32_t i = 0; list && i < count; i++) {  \
            wfbs_list_fill(&list, (Py_ssize_t)i, item); \
        }                                               \
        return list;                                    \
    } while (0)

static PyObject *
decode_ints(const uint8_t *first, uint32_t count)
{
    WFBS_DECODE_LIST(PyLong_FromUnsignedLongLong(wfbs_load_u64(first + 8 * (size_t)i)));
}

static PyObject *
decode_strs(const uint8_t *data, uint32_t first, uint32_t count)
{
    WFBS_DECODE_LIST(wfbs_text_at(data, first + 4 * i));
}

static PyObject *
decode_enums(const wfbs_state *state, unsigned index, const uint8_t *first, uint32_t count)
{
    WFBS_DECODE_LIST(decode_enum(state, index, first[i]));
}

/* Sets dict[key] to `value`, which it steals and which may be NULL. */
static int
set_stealing(PyObject *dict, PyObject *key, PyObject *value)
{
    int done = value ? PyDict_SetItem(dict, key, value) : -1;
    Py_XDECREF(value);
    return done;
}

/* The text in slot `slot` of a table, or `otherwise` (borrowed) if absent. New reference. */
static PyObject *
decode_text_slot(const uint8_t *data, uint32_t table, unsigned slot, PyObject *otherwise)
{
    uint32_t place = wfbs_slot_position(data, table, slot);
    return place ? wfbs_text_at(data, place) : Py_XNewRef(otherwise);
}

/* One hop of forward_for. Autobahn's writer leaves out an empty authrole, which can't be None, and
 * an empty authid, which is then read as None. */
static PyObject *
decode_principal(const wfbs_state *state, const uint8_t *data, uint32_t table)
{
    PyObject *hop = PyDict_New();
    if (!hop) {
        return NULL;
    }
    uint32_t place = wfbs_slot_position(data, table, WFBS_SLOT_Principal_session);
    uint64_t session = place ? wfbs_load_u64(data + place) : 0;
    PyObject *empty = PyUnicode_New(0, 0);
    int failed = !empty
                 || set_stealing(hop, state->str_session, PyLong_FromUnsignedLongLong(session)) < 0
                 || set_stealing(hop, state->str_authid,
                                 decode_text_slot(data, table, WFBS_SLOT_Principal_authid, Py_None))
                        < 0
                 || set_stealing(hop, state->str_authrole,
                                 decode_text_slot(data, table, WFBS_SLOT_Principal_authrole, empty))
                        < 0;
    Py_XDECREF(empty);
    if (failed) {
        Py_CLEAR(hop);
    }
    return hop;
}

static PyObject *
decode_principals(const wfbs_state *state, const uint8_t *data, uint32_t first, uint32_t count)
{
    WFBS_DECODE_LIST(decode_principal(state, data, wfbs_follow(data, first + 4 * i)));
}

/* A RoleFeatures object from the features table at `table`. */
static PyObject *
decode_role(const wfbs_state *state, unsigned index, const uint8_t *data, uint32_t table)
{
    const wfbs_table *t = &wfbs_tables[index];
    PyObject *features = PyDict_New();
    PyObject *none = features ? PyTuple_New(0) : NULL;
    PyObject *role = NULL;
    if (none) {
        int failed = 0;
        for (unsigned slot = 0; !failed && slot < t->slot_count; slot++) {
            uint32_t place = wfbs_slot_position(data, table, slot);
            if (place && t->fields[slot].use == WFBS_USE_BOOL) {
                failed = PyDict_SetItem(features, state->names.role_names[index][slot],
                                        data[place] ? Py_True : Py_False);
            }
        }
        if (!failed) {
            role = PyObject_Call(state->names.role_classes[index], none, features);
        }
    }
    Py_XDECREF(features);
    Py_XDECREF(none);
    return role;
}

static PyObject *
decode_roles(const wfbs_state *state, unsigned index, const uint8_t *data, uint32_t table)
{
    const wfbs_table *t = &wfbs_tables[index];
    PyObject *roles = PyDict_New();
    for (unsigned slot = 0; roles && slot < t->slot_count; slot++) {
        uint32_t place = wfbs_slot_position(data, table, slot);
        if (place
            && set_stealing(roles, state->names.role_names[index][slot],
                            decode_role(state, t->fields[slot].sub, data, wfbs_follow(data, place)))
                   < 0) {
            Py_CLEAR(roles);
        }
    }
    return roles;
}

/* Upstream's map with one pair, for peers that write it: {key: value}. */
static PyObject *
decode_map(const uint8_t *data, uint32_t table)
{
    PyObject *map = PyDict_New();
    PyObject *key =
        map ? decode_text_slot(data, table, WFBS_SLOT_Map_key, NULL) : NULL; /* required */
    if (!key
        || set_stealing(map, key, decode_text_slot(data, table, WFBS_SLOT_Map_value, Py_None))
               < 0) {
        Py_CLEAR(map);
    }
    Py_XDECREF(key);
    return map;
}

/* Decodes args or kwargs with the codec that the message names. Checks them like Message.parse and
 * the constructors. */
static PyObject *
decode_payload(const wfbs_attribute *a, const wfbs_received *r, wfbs_span span)
{
    wfbs_class *c = a->cls;
    PyObject *value = wfbs_payload_decode(c, r, span);
    if (!value) {
        if (wfbs_error_is_about_value()) {
            PyObject *type, *error, *traceback;
            PyErr_Fetch(&type, &error, &traceback);
            PyErr_NormalizeException(&type, &error, &traceback);
            PyObject *description = wfbs_error_description(error);
            if (description) {
                wfbs_raise_protocol(c->state, "%s.%s: payload can't be decoded: %U (at offset %zd)",
                                    c->type->label, a->field->name, description,
                                    (Py_ssize_t)(span.data - r->data));
                Py_DECREF(description);
            }
            Py_XDECREF(type);
            Py_XDECREF(error);
            Py_XDECREF(traceback);
        }
        return NULL;
    }
    bool good;
    if (a->field->use == WFBS_USE_ARGS) {
        /* PUBLISH also accepts text and bytes here (Publish.parse). */
        good = PyList_CheckExact(value) || value == Py_None
               || (c->index == WFBS_MESSAGE_PUBLISH
                   && (PyUnicode_CheckExact(value) || PyBytes_CheckExact(value)));
    }
    else {
        good = PyDict_CheckExact(value) || value == Py_None;
        PyObject *key, *item;
        Py_ssize_t position = 0;
        while (good && value != Py_None && PyDict_Next(value, &position, &key, &item)) {
            good = PyUnicode_Check(key);
        }
    }
    if (!good) {
        wfbs_raise_protocol(c->state, "%s.%s: payload is %s, at offset %zd", c->type->label,
                            a->field->name,
                            PyDict_CheckExact(value) && a->field->use == WFBS_USE_KWARGS
                                ? "a map with keys that are not strings"
                                : wfbs_type_name(Py_TYPE(value)),
                            (Py_ssize_t)(span.data - r->data));
        Py_CLEAR(value);
    }
    return value;
}

/* Counts the result: a payload that was read for the first time, or one that can't be decoded. */
static void
count_decoded(const wfbs_attribute *a, const wfbs_received *r, bool good)
{
    wfbs_counters *counters = &a->cls->state->counters;
    if (r->uncounted) {
        return;
    }
    if (good) {
        wfbs_count_add(counters, WFBS_COUNT_PAYLOADS_DECODED, 1);
    }
    else if (PyErr_ExceptionMatches(a->cls->state->protocol_error)) {
        wfbs_count_refused(counters, WFBS_REFUSED_PAYLOAD);
    }
}

/* The value of an absent field. New reference or NULL. */
static PyObject *
decode_absent(const wfbs_attribute *a)
{
    const wfbs_field *f = a->field;
    switch ((wfbs_use)f->use) {
    case WFBS_USE_INT:
        return f->flags & WFBS_FLAG_OPTIONAL || f->kind == WFBS_KIND_NONE
                   ? Py_NewRef(Py_None)
                   : PyLong_FromUnsignedLong(f->default_value);
    case WFBS_USE_ENUM:
        return f->flags & WFBS_FLAG_OPTIONAL ? Py_NewRef(Py_None)
                                             : decode_enum(a->cls->state, f->sub, f->default_value);
    case WFBS_USE_ROLES:
    case WFBS_USE_CUSTOM:
        return PyDict_New();
    case WFBS_USE_DICT: /* the extra of CHALLENGE and AUTHENTICATE is never None */
        return f->flags & WFBS_FLAG_POSITIONAL ? PyDict_New() : Py_NewRef(Py_None);
    default:
        return Py_NewRef(Py_None);
    }
}

PyObject *
wfbs_decode_attribute(const wfbs_attribute *a, const wfbs_received *r)
{
    const wfbs_field *f = a->field;
    const wfbs_class *c = a->cls;
    uint32_t place = wfbs_received_place(a, r);
    if (!place) {
        unsigned name =
            f->use == WFBS_USE_ENUM ? c->table->slot_of[WFBS_USE_ENUM_NAME] : WFBS_NO_SLOT;
        place = name == WFBS_NO_SLOT ? 0 : wfbs_slot_position(r->data, r->table, name);
        return place ? wfbs_text_at(r->data, place) : decode_absent(a);
    }
    const uint8_t *p = r->data + place;
    switch ((wfbs_use)f->use) {
    case WFBS_USE_ENC_ALGO:
    case WFBS_USE_ENC_KEY:
    case WFBS_USE_ENC_SERIALIZER:
    case WFBS_USE_PPT_CIPHER: {
        unsigned payload = c->table->slot_of[WFBS_USE_PAYLOAD];
        if (!wfbs_slot_position(r->data, r->table, payload)) {
            Py_RETURN_NONE; /* in normal mode, the number is only for the transport */
        }
        if (f->kind == WFBS_KIND_STRING) {
            return wfbs_text_at(r->data, place);
        }
        return decode_enum(c->state, f->sub, *p);
    }
    case WFBS_USE_ARGS:
    case WFBS_USE_KWARGS: {
        PyObject *value = decode_payload(a, r, wfbs_span_at(r->data, place));
        count_decoded(a, r, value != NULL);
        return value;
    }
    case WFBS_USE_PAYLOAD: {
        wfbs_span span = wfbs_span_at(r->data, place);
        return PyBytes_FromStringAndSize((const char *)span.data, (Py_ssize_t)span.size);
    }
    default:
        break;
    }
    switch ((wfbs_kind)f->kind) {
    case WFBS_KIND_BOOL:
        return PyBool_FromLong(*p);
    case WFBS_KIND_U8:
        return PyLong_FromUnsignedLong(*p);
    case WFBS_KIND_U16:
        return PyLong_FromUnsignedLong(wfbs_load_u16(p));
    case WFBS_KIND_U32:
        return PyLong_FromUnsignedLong(wfbs_load_u32(p));
    case WFBS_KIND_U64:
        return PyLong_FromUnsignedLongLong(wfbs_load_u64(p));
    case WFBS_KIND_ENUM8:
        return decode_enum(c->state, f->sub, *p);
    case WFBS_KIND_ENUM16: /* ERROR.request_type: the number itself */
        return PyLong_FromUnsignedLong(wfbs_load_u16(p));
    case WFBS_KIND_STRING:
        return wfbs_text_at(r->data, place);
    case WFBS_KIND_TABLE: {
        uint32_t table = wfbs_follow(r->data, place);
        return f->use == WFBS_USE_ROLES ? decode_roles(c->state, f->sub, r->data, table)
                                        : decode_map(r->data, table);
    }
    default:
        break;
    }
    uint32_t vector = wfbs_follow(r->data, place);
    uint32_t count = wfbs_load_u32(r->data + vector);
    switch ((wfbs_kind)f->kind) {
    case WFBS_KIND_VECTOR_U64:
        return decode_ints(r->data + vector + 4, count);
    case WFBS_KIND_VECTOR_STRING:
        return decode_strs(r->data, vector + 4, count);
    case WFBS_KIND_VECTOR_ENUM8:
        return decode_enums(c->state, f->sub, r->data + vector + 4, count);
    default:
        return decode_principals(c->state, r->data, vector + 4, count);
    }
}
