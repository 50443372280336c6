/* Converts one attribute's Python value to one field's value. If the typed field can't express it,
 * it goes to the metadata. If the wire format can't express it, an error names the attribute. */
#include "convert.h"

#include "../state.h"
#include "../base/type_name.h"

void
wfbs_arena_free(wfbs_arena *arena)
{
    while (arena->count) {
        PyMem_Free(arena->blocks[--arena->count]);
    }
}

void *
wfbs_arena_take(wfbs_arena *arena, size_t count, size_t size)
{
    /* At most one block per attribute, and eight for roles: see the struct. */
    void *block = arena->count < Py_ARRAY_LENGTH(arena->blocks)
                      ? PyMem_Calloc(count ? count : 1, size)
                      : NULL;
    if (!block) {
        PyErr_NoMemory();
        return NULL;
    }
    arena->blocks[arena->count++] = block;
    return block;
}

static wfbs_converted
refuse_type(const wfbs_attribute *a, const char *expected, PyObject *value)
{
    return wfbs_refuse(a, PyExc_TypeError, "expected %s, got %s", expected,
                       wfbs_type_name(Py_TYPE(value)));
}

/* An int in 0 .. 2**64-1 into *out; false with TypeError or ValueError. `what` is a prefix of the
 * text for items of lists, "" for the attribute itself. */
static bool
convert_u64(const wfbs_attribute *a, PyObject *value, const char *what, uint64_t *out)
{
    if (!PyLong_CheckExact(value)) {
        wfbs_refuse(a, PyExc_TypeError, "%sexpected int, got %s", what,
                    wfbs_type_name(Py_TYPE(value)));
        return false;
    }
    *out = PyLong_AsUnsignedLongLong(value);
    if (*out == (uint64_t)-1 && PyErr_Occurred()) {
        PyErr_Clear();
        PyObject *digits = PyObject_Repr(value);
        if (!digits) { /* CPython limits the number of digits that an int may show */
            if (!PyErr_ExceptionMatches(PyExc_ValueError)) {
                return false;
            }
            PyErr_Clear();
        }
        wfbs_refuse(a, PyExc_ValueError, "%sthe wire format holds 0 to 2**64-1, not %V", what,
                    digits, "an int with too many digits to show");
        Py_XDECREF(digits);
        return false;
    }
    return true;
}

/* A str as UTF-8 into *out (borrowed from the str); false with an exception. */
static bool
convert_text(const wfbs_attribute *a, PyObject *value, const char *what, wfbs_span *out)
{
    if (!PyUnicode_Check(value)) {
        wfbs_refuse(a, PyExc_TypeError, "%sexpected str, got %s", what,
                    wfbs_type_name(Py_TYPE(value)));
        return false;
    }
    Py_ssize_t size;
    Py_INCREF(
        value); /* CPython 3.11 can run finalizers when it raises: one may empty the list that contains the str */
    const char *data = PyUnicode_AsUTF8AndSize(value, &size);
    if (!data && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear();
        wfbs_refuse(a, PyExc_ValueError, "%s%R has no UTF-8 encoding", what, value);
    }
    Py_DECREF(value);
    if (!data) {
        return false;
    }
    out->data = (const uint8_t *)data;
    out->size = (size_t)size;
    return true;
}

static wfbs_converted
convert_int(const wfbs_attribute *a, PyObject *value, wfbs_value *out)
{
    static const uint64_t largest[WFBS_KIND_COUNT] = {
        [WFBS_KIND_U8] = UINT8_MAX,   [WFBS_KIND_U16] = UINT16_MAX, [WFBS_KIND_ENUM16] = UINT16_MAX,
        [WFBS_KIND_U32] = UINT32_MAX, [WFBS_KIND_U64] = UINT64_MAX,
    };
    uint64_t number;
    if (!convert_u64(a, value, "", &number)) {
        return WFBS_CONVERT_ERROR;
    }
    if (a->field->check == WFBS_CHECK_ID && number > (UINT64_C(1) << 53)) {
        return wfbs_refuse(a, PyExc_ValueError, "WAMP IDs are 0 to 2**53, not %R", value);
    }
    if (a->field->check == WFBS_CHECK_POSITIVE && !number) {
        return wfbs_refuse(a, PyExc_ValueError, "must be 1 or more");
    }
    if (a->field->check == WFBS_CHECK_REQUEST_TYPE && !wfbs_request_type_is_valid(number)) {
        return wfbs_refuse(a, PyExc_ValueError, "%R is not the type of a request that can fail",
                           value);
    }
    if (number > largest[a->field->kind]) {
        return WFBS_CONVERT_METADATA;
    }
    out->as.scalar = number;
    return WFBS_CONVERT_OK;
}

bool
wfbs_equals_bool(PyObject *value)
{
    bool number = PyLong_CheckExact(value) || PyFloat_CheckExact(value);
    return number
           && (PyObject_RichCompareBool(value, Py_True, Py_EQ) == 1
               || PyObject_RichCompareBool(value, Py_False, Py_EQ) == 1);
}

static wfbs_converted
convert_bool(const wfbs_attribute *a, PyObject *value, wfbs_value *out)
{
    if (value != Py_True && value != Py_False) {
        if (a->field->check == WFBS_CHECK_LOOSE_BOOL && wfbs_equals_bool(value)) {
            return WFBS_CONVERT_METADATA; /* keeps its type */
        }
        return refuse_type(a, "bool", value);
    }
    out->as.scalar = value == Py_True;
    return WFBS_CONVERT_OK;
}

/* The value of the enum with the name `text`, or -1. */
static int
enum_value(const wfbs_enum *e, wfbs_span text)
{
    for (unsigned i = 0; i < e->count; i++) {
        const char *name = e->names[i];
        if (name && *name && strlen(name) == text.size && !memcmp(name, text.data, text.size)) {
            return (int)i;
        }
    }
    return -1;
}

/* Whether `value` is a name that Autobahn accepts as custom (x_...): 1, 0, -1. */
static int
is_custom_name(const wfbs_attribute *a, PyObject *value)
{
    PyObject *match = PyObject_CallOneArg(a->cls->state->custom_match, value);
    int custom = match ? match != Py_None : -1;
    Py_XDECREF(match);
    return custom;
}

int
wfbs_is_ppt_name(const wfbs_attribute *a, PyObject *value)
{
    wfbs_span text;
    if (!PyUnicode_CheckExact(value)) {
        return 0;
    }
    if (!convert_text(a, value, "", &text)) {
        return -1;
    }
    return enum_value(&wfbs_enums[a->field->sub], text) >= 0 || is_custom_name(a, value);
}

static wfbs_converted
convert_enum(const wfbs_attribute *a, PyObject *value, wfbs_value *out)
{
    wfbs_span text;
    if (!convert_text(a, value, "", &text)) {
        return WFBS_CONVERT_ERROR;
    }
    int number = enum_value(&wfbs_enums[a->field->sub], text);
    if (number < 0 && a->field->flags & WFBS_FLAG_OPEN) {
        return WFBS_CONVERT_METADATA;
    }
    bool custom_allowed = a->field->use == WFBS_USE_ENC_ALGO
                          || a->field->use == WFBS_USE_ENC_SERIALIZER
                          || a->field->use == WFBS_USE_PPT_CIPHER;
    if (number < 0 && custom_allowed) {
        int custom = is_custom_name(a, value);
        if (custom) {
            return custom < 0 ? WFBS_CONVERT_ERROR : WFBS_CONVERT_METADATA;
        }
    }
    if (number < 0 || (a->field->check == WFBS_CHECK_NONZERO && !number)) {
        return wfbs_refuse(a, PyExc_ValueError, "%R is not a value that WAMP defines", value);
    }
    out->as.scalar = (uint64_t)number;
    return WFBS_CONVERT_OK;
}

/* Allocates an element of `size` bytes for each item of a list; out->size is their number. NULL
 * with an exception. */
static void *
take_items(const wfbs_attribute *a, PyObject *value, wfbs_arena *arena, size_t size,
           wfbs_value *out)
{
    if (!PyList_Check(value)) {
        (void)refuse_type(a, "list", value);
        return NULL;
    }
    out->size = (size_t)PyList_GET_SIZE(value);
    return wfbs_arena_take(arena, out->size, size);
}

static wfbs_converted
convert_enums(const wfbs_attribute *a, PyObject *value, wfbs_arena *arena, wfbs_value *out)
{
    uint8_t *items = take_items(a, value, arena, 1, out);
    if (!items) {
        return WFBS_CONVERT_ERROR;
    }
    wfbs_converted result = WFBS_CONVERT_OK;
    for (size_t i = 0; i < out->size; i++) {
        wfbs_span text;
        if (!convert_text(a, PyList_GET_ITEM(value, (Py_ssize_t)i), "item: ", &text)) {
            return WFBS_CONVERT_ERROR;
        }
        int number = enum_value(&wfbs_enums[a->field->sub], text);
        if (number < 0) {
            result =
                WFBS_CONVERT_METADATA; /* one unknown name moves the whole list to the metadata */
        }
        items[i] = (uint8_t)number;
    }
    out->as.bytes = items;
    return result;
}

static wfbs_converted
convert_ints(const wfbs_attribute *a, PyObject *value, wfbs_arena *arena, wfbs_value *out)
{
    uint64_t *items = take_items(a, value, arena, sizeof *items, out);
    if (!items) {
        return WFBS_CONVERT_ERROR;
    }
    for (size_t i = 0; i < out->size; i++) {
        if (!convert_u64(a, PyList_GET_ITEM(value, (Py_ssize_t)i), "item: ", &items[i])) {
            return WFBS_CONVERT_ERROR;
        }
    }
    out->as.integers = items;
    return WFBS_CONVERT_OK;
}

static wfbs_converted
convert_strs(const wfbs_attribute *a, PyObject *value, wfbs_arena *arena, wfbs_value *out)
{
    wfbs_span *items = take_items(a, value, arena, sizeof *items, out);
    if (!items) {
        return WFBS_CONVERT_ERROR;
    }
    for (size_t i = 0; i < out->size; i++) {
        if (!convert_text(a, PyList_GET_ITEM(value, (Py_ssize_t)i), "item: ", &items[i])) {
            return WFBS_CONVERT_ERROR;
        }
    }
    out->as.strings = items;
    return WFBS_CONVERT_OK;
}

/* The value of a hop for `name`: borrowed, NULL if there is none. Compares texts, because a look-up
 * can call a key's __eq__, which might change the value being converted. */
static PyObject *
hop_item(PyObject *hop, PyObject *name)
{
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(hop, &position, &key, &value)) {
        if (key == name || (PyUnicode_Check(key) && !PyUnicode_Compare(key, name))) {
            return value;
        }
    }
    return NULL;
}

/* One hop: session, authid or None, authrole, and nothing else. */
static wfbs_converted
convert_principal(const wfbs_attribute *a, PyObject *hop, wfbs_value *values, uint32_t *present)
{
    const wfbs_state *state = a->cls->state;
    if (!PyDict_Check(hop)) {
        return wfbs_refuse(a, PyExc_TypeError, "item: expected dict, got %s",
                           wfbs_type_name(Py_TYPE(hop)));
    }
    PyObject *session = hop_item(hop, state->str_session);
    PyObject *authid = hop_item(hop, state->str_authid);
    PyObject *authrole = hop_item(hop, state->str_authrole);
    if (!session || !authid || !authrole) {
        return wfbs_refuse(a, PyExc_ValueError,
                           "item: session, authid and authrole must be present");
    }
    wfbs_span text;
    if (!convert_u64(a, session, "session: ", &values[WFBS_SLOT_Principal_session].as.scalar)) {
        return WFBS_CONVERT_ERROR;
    }
    *present = UINT32_C(1) << WFBS_SLOT_Principal_session;
    if (authid != Py_None) {
        if (!convert_text(a, authid, "authid: ", &text)) {
            return WFBS_CONVERT_ERROR;
        }
        values[WFBS_SLOT_Principal_authid].as.bytes = text.data;
        values[WFBS_SLOT_Principal_authid].size = text.size;
        *present |= UINT32_C(1) << WFBS_SLOT_Principal_authid;
    }
    if (!convert_text(a, authrole, "authrole: ", &text)) {
        return WFBS_CONVERT_ERROR;
    }
    values[WFBS_SLOT_Principal_authrole].as.bytes = text.data;
    values[WFBS_SLOT_Principal_authrole].size = text.size;
    *present |= UINT32_C(1) << WFBS_SLOT_Principal_authrole;
    return PyDict_GET_SIZE(hop) == 3 ? WFBS_CONVERT_OK : WFBS_CONVERT_METADATA;
}

static wfbs_converted
convert_principals(const wfbs_attribute *a, PyObject *value, wfbs_arena *arena, wfbs_value *out)
{
    enum { FIELDS = WFBS_SLOT_Principal_authrole + 1 };
    bool list = PyList_Check(value);
    if (!list && !PyTuple_Check(value)) {
        return refuse_type(a, "list", value);
    }
    size_t count = (size_t)(list ? PyList_GET_SIZE(value) : PyTuple_GET_SIZE(value));
    wfbs_record *records = wfbs_arena_take(arena, count, sizeof *records);
    wfbs_value *values = records ? wfbs_arena_take(arena, count, FIELDS * sizeof *values) : NULL;
    if (!values) {
        return WFBS_CONVERT_ERROR;
    }
    bool typed = a->field->kind == WFBS_KIND_VECTOR_TABLE;
    wfbs_converted result = typed ? WFBS_CONVERT_OK : WFBS_CONVERT_METADATA;
    for (size_t i = 0; i < count; i++) {
        PyObject *hop =
            list ? PyList_GET_ITEM(value, (Py_ssize_t)i) : PyTuple_GET_ITEM(value, (Py_ssize_t)i);
        records[i].table = typed ? &wfbs_tables[a->field->sub] : NULL;
        records[i].values = &values[FIELDS * i];
        wfbs_converted one = convert_principal(a, hop, &values[FIELDS * i], &records[i].present);
        if (one == WFBS_CONVERT_ERROR) {
            return one;
        }
        result = one == WFBS_CONVERT_METADATA ? one : result;
    }
    out->as.records = records;
    out->size = count;
    return result;
}

/* One role's features. Reads attributes of a Python object. */
static bool
convert_role(const wfbs_attribute *a, unsigned index, PyObject *role, wfbs_value *values,
             wfbs_record *record)
{
    const wfbs_state *state = a->cls->state;
    const wfbs_table *t = &wfbs_tables[index];
    int known = PyObject_IsInstance(role, state->names.role_classes[index]);
    if (known <= 0) {
        if (!known) {
            wfbs_refuse(a, PyExc_TypeError, "expected %s, got %s",
                        wfbs_type_name((PyTypeObject *)state->names.role_classes[index]),
                        wfbs_type_name(Py_TYPE(role)));
        }
        return false;
    }
    record->table = t;
    record->values = values;
    record->present = 0;
    for (unsigned slot = 0; slot < t->slot_count; slot++) {
        if (t->fields[slot].use != WFBS_USE_BOOL) {
            continue;
        }
        PyObject *feature = PyObject_GetAttr(role, state->names.role_names[index][slot]);
        if (!feature) {
            return false;
        }
        Py_DECREF(feature); /* from here on, only its identity with a singleton matters */
        if (feature == Py_True || feature == Py_False) {
            values[slot].as.scalar = feature == Py_True;
            record->present |= UINT32_C(1) << slot;
        }
        else if (feature != Py_None) {
            wfbs_refuse(a, PyExc_TypeError, "feature %s: expected bool or None",
                        t->fields[slot].attribute);
            return false;
        }
    }
    return true;
}

static wfbs_converted
convert_roles(const wfbs_attribute *a, PyObject *value, wfbs_arena *arena, wfbs_value *out)
{
    const wfbs_state *state = a->cls->state;
    unsigned index = a->field->sub;
    const wfbs_table *t = &wfbs_tables[index];
    if (!PyDict_Check(value)) {
        return refuse_type(a, "dict", value);
    }
    if (!PyDict_GET_SIZE(value)) {
        return wfbs_refuse(a, PyExc_ValueError, "at least one role must be announced");
    }
    size_t roles = t->slot_count;
    wfbs_record *records = wfbs_arena_take(arena, 1 + roles, sizeof *records);
    wfbs_value *values =
        records ? wfbs_arena_take(arena, roles * (1 + WFBS_MAX_FIELDS), sizeof *values) : NULL;
    if (!values) {
        return WFBS_CONVERT_ERROR;
    }
    records[0].table = t;
    records[0].values = values;
    Py_ssize_t found = 0;
    for (unsigned slot = 0; slot < roles; slot++) {
        PyObject *role = PyDict_GetItemWithError(value, state->names.role_names[index][slot]);
        if (!role) {
            if (PyErr_Occurred()) {
                return WFBS_CONVERT_ERROR;
            }
            continue;
        }
        Py_INCREF(role); /* reading its features can run Python code */
        bool good =
            convert_role(a, t->fields[slot].sub, role,
                         &values[roles + (size_t)slot * WFBS_MAX_FIELDS], &records[1 + slot]);
        Py_DECREF(role);
        if (!good) {
            return WFBS_CONVERT_ERROR;
        }
        values[slot].as.records = &records[1 + slot];
        values[slot].size = 1;
        records[0].present |= UINT32_C(1) << slot;
        found++;
    }
    if (found != PyDict_GET_SIZE(value)) {
        return wfbs_refuse(a, PyExc_ValueError, "%R has roles that %s can't announce", value,
                           a->cls->type->label);
    }
    out->as.records = records;
    out->size = 1;
    return WFBS_CONVERT_OK;
}

/* A dict for the metadata. If Message.parse checks the keys, they must be str; those of
 * WELCOME.custom must be x_* names. */
static wfbs_converted
convert_dict(const wfbs_attribute *a, PyObject *value)
{
    if (!PyDict_Check(value)) {
        return refuse_type(a, "dict", value);
    }
    bool custom = a->field->use == WFBS_USE_CUSTOM;
    PyObject *key, *item;
    Py_ssize_t position = 0;
    while ((custom || a->field->flags & WFBS_FLAG_POSITIONAL)
           && PyDict_Next(value, &position, &key, &item)) {
        if (!PyUnicode_CheckExact(key)) {
            return wfbs_refuse(a, PyExc_TypeError, "key: expected str, got %s",
                               wfbs_type_name(Py_TYPE(key)));
        }
        int good = custom ? is_custom_name(a, key) : 1;
        if (good <= 0) {
            return good ? WFBS_CONVERT_ERROR
                        : wfbs_refuse(a, PyExc_ValueError, "key %R is not a custom x_* name", key);
        }
    }
    return WFBS_CONVERT_METADATA;
}

/* bytes; or a memoryview, which upstream's reader returns, copied. */
static wfbs_converted
convert_payload(const wfbs_attribute *a, PyObject *value, wfbs_arena *arena, wfbs_value *out)
{
    if (PyBytes_Check(value)) {
        out->as.bytes = (const uint8_t *)PyBytes_AS_STRING(value);
        out->size = (size_t)PyBytes_GET_SIZE(value);
        return WFBS_CONVERT_OK;
    }
    if (!PyMemoryView_Check(value)) {
        return refuse_type(a, "bytes", value);
    }
    Py_buffer view;
    if (PyObject_GetBuffer(value, &view, PyBUF_FULL_RO) < 0) {
        return wfbs_refuse_encoding(a); /* it was released */
    }
    void *copy = wfbs_arena_take(arena, (size_t)view.len, 1);
    wfbs_converted result = WFBS_CONVERT_ERROR;
    if (copy && PyBuffer_ToContiguous(copy, &view, view.len, 'C') == 0) {
        out->as.bytes = copy;
        out->size = (size_t)view.len;
        result = WFBS_CONVERT_OK;
    }
    PyBuffer_Release(&view);
    return result;
}

wfbs_converted
wfbs_convert(wfbs_attribute *a, PyObject *value, wfbs_arena *arena, wfbs_value *out)
{
    wfbs_span text;
    switch ((wfbs_use)a->field->use) {
    case WFBS_USE_INT:
        if (a->field->kind == WFBS_KIND_NONE) {
            uint64_t ignored;
            return convert_u64(a, value, "", &ignored) ? WFBS_CONVERT_METADATA : WFBS_CONVERT_ERROR;
        }
        return convert_int(a, value, out);
    case WFBS_USE_BOOL:
        return convert_bool(a, value, out);
    case WFBS_USE_STR:
    case WFBS_USE_ENC_KEY:
        if (!convert_text(a, value, "", &text)) {
            return WFBS_CONVERT_ERROR;
        }
        out->as.bytes = text.data;
        out->size = text.size;
        return a->field->kind == WFBS_KIND_NONE ? WFBS_CONVERT_METADATA : WFBS_CONVERT_OK;
    case WFBS_USE_ENUM:
    case WFBS_USE_ENC_ALGO:
    case WFBS_USE_ENC_SERIALIZER:
    case WFBS_USE_PPT_CIPHER:
        return convert_enum(a, value, out);
    case WFBS_USE_ENUMS:
        return convert_enums(a, value, arena, out);
    case WFBS_USE_INTS:
        return convert_ints(a, value, arena, out);
    case WFBS_USE_STRS:
        return convert_strs(a, value, arena, out);
    case WFBS_USE_PAYLOAD:
        return convert_payload(a, value, arena, out);
    case WFBS_USE_PRINCIPALS:
        return convert_principals(a, value, arena, out);
    case WFBS_USE_ROLES:
        return convert_roles(a, value, arena, out);
    case WFBS_USE_DICT:
    case WFBS_USE_CUSTOM:
        return convert_dict(a, value);
    case WFBS_USE_LIST:
        return PyList_Check(value) ? WFBS_CONVERT_METADATA : refuse_type(a, "list", value);
    default:
        return WFBS_CONVERT_OK;
    }
}
