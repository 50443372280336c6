/* Message.metadata: a CBOR map of the WAMP details that typed fields can't hold.
 *
 * Written only if needed. Read when a message is received, so that its content is checked like
 * everything else. The values go directly into the message's slots. In the schema dialect, it is
 * the complete details map. */
#include "metadata.h"

#include "../../core/cbor_guard.h"
#include "../../core/text.h"
#include "attributes.h"
#include "convert.h"
#include "decode.h"
#include "details.h"

/* The initial details map: empty, or (schema dialect) a copy of the details from marshal(). New
 * reference or NULL. */
static PyObject *
details_begin(wfbs_class *c, PyObject *message, wfbs_dialect dialect)
{
    if (dialect != WFBS_DIALECT_SCHEMA) {
        return PyDict_New();
    }
    return wfbs_call_helper(c->state, "details", message, NULL, NULL);
}

/* Raises an error that names the attribute that can't be encoded, if encoding the attributes
 * separately finds one. */
static void
refuse_culprit(wfbs_class *c, PyObject *const *values, uint32_t mask)
{
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    for (unsigned i = 0; i < c->table->field_count; i++) {
        if (!(mask & (UINT32_C(1) << i))) {
            continue;
        }
        wfbs_buffer out = {0};
        int failed = wfbs_cbor_encode(&c->state->cbor, &out, values[i]);
        wfbs_buffer_free(&out);
        if (failed) {
            wfbs_refuse_encoding(&c->attributes[i]);
            Py_XDECREF(type);
            Py_XDECREF(error);
            Py_XDECREF(traceback);
            return;
        }
    }
    PyErr_Restore(type, error, traceback);
}

/* Whether a reader accepts the keys of all maps in the metadata that was just written; otherwise
 * raises ValueError. Only the entries of hops can have other keys when they are written. */
static bool
has_text_keys(wfbs_class *c, const wfbs_buffer *written, size_t start)
{
    unsigned slot = c->table->slot_of[WFBS_USE_PRINCIPALS];
    if (slot == WFBS_NO_SLOT) {
        slot = c->table->slot_of[WFBS_USE_LIST]; /* hops, too */
    }
    if (slot == WFBS_NO_SLOT
        || wfbs_cbor_has_text_keys(c->table, written->data + start, written->size - start)) {
        return true;
    }
    (void)wfbs_refuse(&c->attributes[slot], PyExc_ValueError,
                      "item: keys must be str at all levels");
    return false;
}

int
wfbs_metadata_encode(wfbs_class *c, PyObject *message, PyObject *const *values, uint32_t held,
                     uint32_t mask, wfbs_dialect dialect, wfbs_codec codec, wfbs_buffer *out)
{
    PyObject *details = details_begin(c, message, dialect);
    int failed = !details;
    for (unsigned i = 0; !failed && i < c->table->field_count; i++) {
        const wfbs_attribute *a = &c->attributes[i];
        if (!(mask & (UINT32_C(1) << i))) {
            continue;
        }
        if (a->field->use == WFBS_USE_CUSTOM) {
            failed = PyDict_Update(details, values[i]) < 0;
        }
        else if (!wfbs_details_are_extra(c, dialect) || a->field->use != WFBS_USE_DICT) {
            bool known = held & (UINT32_C(1) << i);
            failed = PyDict_SetItem(details, a->detail, known ? values[i] : Py_None) < 0;
        }
    }
    if (!failed && codec.name) {
        failed = PyDict_SetItemString(details, WFBS_CODEC_KEY, codec.name) < 0;
    }
    size_t start = out->size;
    if (!failed && wfbs_cbor_encode(&c->state->cbor, out, details) < 0) {
        refuse_culprit(c, values, held & mask);
        failed = 1;
    }
    failed = failed || !has_text_keys(c, out, start);
    Py_XDECREF(details);
    return failed ? -1 : 0;
}

/* ---- reading */

/* Raises ProtocolError about a metadata entry. Always returns -1. */
static int
refuse_entry(const wfbs_attribute *a, const char *why)
{
    wfbs_raise_protocol(a->cls->state, "%s.%s: metadata entry %s", a->cls->type->label,
                        a->field->attribute, why);
    return -1;
}

static bool
is_uri(PyObject *value, wfbs_uri_mode mode)
{
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(value, &size);
    if (!text) {
        PyErr_Clear();
        return false;
    }
    return wfbs_uri_is_valid((const uint8_t *)text, (size_t)size, mode);
}

/* Whether `value` is an int that a peer may send here: 1, 0. */
static bool
is_unsigned(PyObject *value, bool positive)
{
    if (!PyLong_CheckExact(value)) {
        return false;
    }
    uint64_t number = PyLong_AsUnsignedLongLong(value);
    if (number == (uint64_t)-1 && PyErr_Occurred()) {
        PyErr_Clear();
        return false;
    }
    return number || !positive;
}

static bool
is_list_of(PyObject *value, bool (*good)(PyObject *))
{
    if (!PyList_CheckExact(value)) {
        return false;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(value); i++) {
        if (!good(PyList_GET_ITEM(value, i))) {
            return false;
        }
    }
    return true;
}

static bool
is_text(PyObject *value)
{
    return PyUnicode_CheckExact(value);
}

static bool
is_u64(PyObject *value)
{
    return is_unsigned(value, false);
}

static bool
is_principal(const wfbs_state *state, PyObject *hop)
{
    if (!PyDict_CheckExact(hop)) {
        return false;
    }
    PyObject *session = PyDict_GetItemWithError(hop, state->str_session);
    PyObject *authid = PyDict_GetItemWithError(hop, state->str_authid);
    PyObject *authrole = PyDict_GetItemWithError(hop, state->str_authrole);
    return session && is_u64(session) && authid && (authid == Py_None || is_text(authid))
           && authrole && is_text(authrole);
}

/* Whether the string `value` is in the field's enum: 1, 0. */
static bool
is_enum_name(const wfbs_field *f, PyObject *value)
{
    const wfbs_enum *e = &wfbs_enums[f->sub];
    for (unsigned i = f->check == WFBS_CHECK_NONZERO; i < e->count; i++) {
        if (e->names[i] && *e->names[i] && !PyUnicode_CompareWithASCIIString(value, e->names[i])) {
            return true;
        }
    }
    return false;
}

/* Whether the entry's value has the type and range that Message.parse requires: 1, 0, or -1 with an
 * exception. */
static int
entry_is_good(const wfbs_attribute *a, PyObject *value)
{
    const wfbs_field *f = a->field;
    const wfbs_state *state = a->cls->state;
    switch ((wfbs_use)f->use) {
    case WFBS_USE_INT:
        return is_unsigned(value, f->check == WFBS_CHECK_POSITIVE);
    case WFBS_USE_BOOL:
        return PyBool_Check(value)
               || (f->check == WFBS_CHECK_LOOSE_BOOL && wfbs_equals_bool(value));
    case WFBS_USE_STR:
    case WFBS_USE_ENC_KEY:
        return is_text(value) && (f->check != WFBS_CHECK_URI || is_uri(value, WFBS_URI_NO_EMPTY));
    case WFBS_USE_ENUM:
        return is_text(value) && (f->flags & WFBS_FLAG_OPEN || is_enum_name(f, value));
    case WFBS_USE_ENC_ALGO:
    case WFBS_USE_ENC_SERIALIZER:
    case WFBS_USE_PPT_CIPHER:
        return wfbs_is_ppt_name(a, value);
    case WFBS_USE_ENUMS:
    case WFBS_USE_STRS:
        return is_list_of(value, is_text);
    case WFBS_USE_INTS:
        return is_list_of(value, is_u64);
    case WFBS_USE_PRINCIPALS:
        if (!PyList_CheckExact(value)) {
            return 0;
        }
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(value); i++) {
            if (!is_principal(state, PyList_GET_ITEM(value, i))) {
                return PyErr_Occurred() ? -1 : 0;
            }
        }
        return 1;
    case WFBS_USE_DICT: {
        PyObject *key, *item;
        Py_ssize_t position = 0;
        bool good = PyDict_CheckExact(value);
        while (good && f->flags & WFBS_FLAG_POSITIONAL
               && PyDict_Next(value, &position, &key, &item)) {
            good = is_text(key);
        }
        return good;
    }
    case WFBS_USE_LIST:
        return PyList_CheckExact(value);
    default:
        return 0;
    }
}

/* Whether a typed field states the attribute: its own field, or the one for names that its
 * enumeration lacks. */
static bool
is_typed(const wfbs_attribute *a, const wfbs_received *r)
{
    unsigned name =
        a->field->use == WFBS_USE_ENUM ? a->cls->table->slot_of[WFBS_USE_ENUM_NAME] : WFBS_NO_SLOT;
    return (a->field->kind != WFBS_KIND_NONE && wfbs_slot_position(r->data, r->table, a->index))
           || (name != WFBS_NO_SLOT && wfbs_slot_position(r->data, r->table, name));
}

/* Stores an entry after comparing it with the typed field, if both are present. Only valid values
 * are compared; even then, comparing can raise, for example for a decimal from an old cbor2. */
static int
store_entry(wfbs_attribute *a, PyObject *self, PyObject *value)
{
    wfbs_received *r = wfbs_received_of(a->cls, self);
    bool typed = is_typed(a, r);
    bool null = value == Py_None && a->field->flags & WFBS_FLAG_OR_NULL;
    int good = null || entry_is_good(a, value);
    if (good <= 0) {
        return good ? -1 : refuse_entry(a, "has a wrong type or value");
    }
    if (typed) {
        PyObject *field = wfbs_decode_attribute(a, r);
        if (!field) {
            return -1;
        }
        int same = null ? PyUnicode_CheckExact(field) && PyUnicode_GET_LENGTH(field) == 0
                   : Py_TYPE(field) == Py_TYPE(value)
                       ? PyObject_RichCompareBool(field, value, Py_EQ)
                       : 0;
        Py_DECREF(field);
        if (same <= 0) {
            return same ? -1 : refuse_entry(a, "contradicts the typed field");
        }
    }
    Py_XSETREF(*wfbs_slot_of(self, a->offset), Py_NewRef(value));
    return 0;
}

/* Adds roles from a details map to those of the typed tables. */
static int
store_roles(wfbs_attribute *a, PyObject *self, PyObject *value)
{
    wfbs_received *r = wfbs_received_of(a->cls, self);
    PyObject *typed = wfbs_decode_attribute(a, r);
    PyObject *label = typed ? PyUnicode_FromString(a->cls->type->label) : NULL;
    PyObject *merged =
        label ? wfbs_call_helper(a->cls->state, "merge_roles", typed, value, label) : NULL;
    Py_XDECREF(typed);
    Py_XDECREF(label);
    if (!merged) {
        return -1;
    }
    Py_XSETREF(*wfbs_slot_of(self, a->offset), merged);
    return 0;
}

/* All x_* entries together. */
static int
store_custom(wfbs_attribute *a, PyObject *self, PyObject *details)
{
    PyObject *custom = PyDict_New();
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (custom && PyDict_Next(details, &position, &key, &value)) {
        PyObject *match = PyObject_CallOneArg(a->cls->state->custom_match, key);
        if (!match || (match != Py_None && PyDict_SetItem(custom, key, value) < 0)) {
            Py_CLEAR(custom);
        }
        Py_XDECREF(match);
    }
    if (!custom) {
        return -1;
    }
    Py_XSETREF(*wfbs_slot_of(self, a->offset), custom);
    return 0;
}

/* Whether the attribute of slot `slot` is true in Python's sense or, with `any`, is not None: 1, 0,
 * or -1 with an exception. */
static int
is_set(wfbs_class *c, PyObject *self, unsigned slot, bool any)
{
    PyObject *value = wfbs_received_get(self, &c->attributes[slot]);
    int set = !value ? -1 : value == Py_None ? 0 : any ? 1 : PyObject_IsTrue(value);
    Py_XDECREF(value);
    return set;
}

/* Raises ProtocolError if the attribute of slot `cause` is set (as defined by `any`), but that of
 * slot `needed` is None. 0, or -1 with an exception. */
static int
check_needs(wfbs_class *c, PyObject *self, unsigned cause, bool any, unsigned needed)
{
    int set = is_set(c, self, cause, any);
    int there = set == 1 ? is_set(c, self, needed, true) : set;
    if (set == 1 && !there) {
        wfbs_raise_protocol(c->state, "%s.%s: is required with %s", c->type->label,
                            c->table->fields[needed].attribute, c->table->fields[cause].attribute);
        return -1;
    }
    return set < 0 || there < 0 ? -1 : 0;
}

/* Raises ProtocolError if the revoked ID (slot `revoked`) is 0, or is present together with a
 * request (slot `request`). 0, or -1 with an exception. */
static int
check_revoked(wfbs_class *c, PyObject *self, unsigned revoked, unsigned request)
{
    int there = is_set(c, self, revoked, true), value = is_set(c, self, revoked, false);
    int asked = is_set(c, self, request, false);
    if (there == 1 && (value == 0 || asked == 1)) {
        wfbs_raise_protocol(c->state, "%s.%s: %s", c->type->label,
                            c->table->fields[revoked].attribute,
                            wfbs_error_text(WFBS_ERROR_REVOCATION));
        return -1;
    }
    return there < 0 || value < 0 || asked < 0 ? -1 : 0;
}

/* The rules about several fields, after the metadata has been read. If there is metadata, verify.c
 * doesn't check them. 0, or -1 with ProtocolError. */
static int
check_rules(wfbs_class *c, PyObject *self)
{
    const wfbs_table *t = c->table;
    if (t->slot_of[WFBS_USE_ENUM_NAME] != WFBS_NO_SLOT) {
        int set = is_set(c, self, t->slot_of[WFBS_USE_ENUM], true);
        if (!set) {
            wfbs_raise_protocol(c->state, "%s.method: required field is missing", c->type->label);
        }
        return set == 1 ? 0 : -1;
    }
    switch ((wfbs_rule)t->rule) {
    case WFBS_RULE_PAYLOAD: {
        unsigned algo = t->slot_of[WFBS_USE_ENC_ALGO];
        int failed = check_needs(c, self, t->slot_of[WFBS_USE_ENC_KEY], true, algo);
        for (unsigned use = WFBS_USE_ENC_SERIALIZER; !failed && use <= WFBS_USE_PPT_CIPHER; use++) {
            failed = check_needs(c, self, t->slot_of[use], true, algo);
        }
        return failed;
    }
    case WFBS_RULE_NEEDS:
        return check_needs(c, self, t->rule_slots[0], false, t->rule_slots[1]);
    case WFBS_RULE_REVOKE:
        return check_revoked(c, self, t->rule_slots[0], t->rule_slots[1]);
    default:
        return 0;
    }
}

/* The codec of args and kwargs may be named by number and in the details. 0, or -1 with
 * ProtocolError if these differ. */
static int
check_codec(wfbs_class *c, const wfbs_received *r, PyObject *details)
{
    static const char *const plain = "cbor"; /* the meaning of 0 */
    const wfbs_attribute *a = &c->attributes[c->table->slot_of[WFBS_USE_ENC_SERIALIZER]];
    uint8_t number = wfbs_received_u8(c, r, WFBS_USE_ENC_SERIALIZER);
    if (number == WFBS_CODEC_NAMED) {
        return 0;
    }
    PyObject *name;
    int found = wfbs_details_find_codec(details, &name);
    if (found <= 0) {
        return found;
    }
    const char *known = number ? wfbs_enums[a->field->sub].names[number] : plain;
    bool same =
        PyUnicode_CheckExact(name) && *known && PyUnicode_CompareWithASCIIString(name, known) == 0;
    Py_DECREF(name);
    return same ? 0 : refuse_entry(a, "contradicts the typed field");
}

/* Every attribute's entry of the details. */
static int
apply_details(wfbs_class *c, PyObject *self, PyObject *details)
{
    const wfbs_received *r = wfbs_received_of(c, self);
    unsigned payload = c->table->slot_of[WFBS_USE_PAYLOAD];
    bool transparent = payload != WFBS_NO_SLOT && wfbs_slot_position(r->data, r->table, payload);
    if (payload != WFBS_NO_SLOT && !transparent && check_codec(c, r, details) < 0) {
        return -1;
    }
    for (unsigned i = 0; i < c->table->field_count; i++) {
        wfbs_attribute *a = &c->attributes[i];
        unsigned use = a->field->use;
        if (use == WFBS_USE_CUSTOM) {
            if (store_custom(a, self, details) < 0) {
                return -1;
            }
            continue;
        }
        if (!(a->field->flags & WFBS_FLAG_DETAIL) || (!transparent && wfbs_use_is_enc(use))) {
            continue; /* without a payload, Message.parse ignores enc_*, too */
        }
        PyObject *value = PyDict_GetItemWithError(details, a->detail);
        if (!value) {
            if (PyErr_Occurred()) {
                return -1;
            }
            continue;
        }
        if ((use == WFBS_USE_ROLES ? store_roles(a, self, value) : store_entry(a, self, value))
            < 0) {
            return -1;
        }
    }
    return check_rules(c, self);
}

int
wfbs_metadata_apply(wfbs_class *c, PyObject *self)
{
    wfbs_received *r = wfbs_received_of(c, self);
    PyObject *details = wfbs_details_read(c, r);
    if (!details) {
        return -1;
    }
    int failed;
    if (wfbs_details_are_extra(c, r->dialect)) {
        wfbs_attribute *extra = &c->attributes[c->table->slot_of[WFBS_USE_DICT]];
        failed = store_entry(extra, self, details) < 0 || check_rules(c, self) < 0 ? -1 : 0;
    }
    else {
        failed = apply_details(c, self, details);
    }
    Py_DECREF(details);
    return failed;
}
