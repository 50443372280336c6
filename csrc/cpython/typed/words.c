/* uint128_t, uint160_t and uint256_t of WAMP's wamp.fbs: structs of words that represent one
 * number. The field's attribute makes it a UUID, an address or a hash. */
#include "typed.h"

#include "../base/type_name.h"

/* Converts big-endian bytes of the number to those of the struct, or back. */
static void
turn(const wfbs_schema *schema, uint8_t *to, const uint8_t *from, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        to[i] = from[schema->plan.words_in_memory_order ? i : size - 1 - i];
    }
}

/* Big-endian bytes of an int, as from to_bytes. 1, or -1 with the fault filled or an exception. */
static int
bytes_of_int(wfbs_encoding *e, PyObject *value, unsigned size, uint8_t *big)
{
    PyObject *bytes = PyObject_CallMethod(value, "to_bytes", "Is", size, "big");
    if (!bytes) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            int overflow;
            PyErr_Clear();
            const long long small = PyLong_AsLongLongAndOverflow(value, &overflow);
            PyErr_Clear();
            if (overflow) {
                wfbs_refuse_value(e->fault, "0 to 2**%u-1 expected, got a larger number", 8 * size);
            }
            else {
                wfbs_refuse_value(e->fault, "0 to 2**%u-1 expected, got %lld", 8 * size, small);
            }
        }
        return -1;
    }
    int result = -1;
    if (PyBytes_Check(bytes) && PyBytes_GET_SIZE(bytes) == (Py_ssize_t)size) {
        memcpy(big, PyBytes_AS_STRING(bytes), size);
        result = 1;
    }
    else {
        wfbs_refuse_type(e->fault, "int", value);
    }
    Py_DECREF(bytes);
    return result;
}

static int
digit_of(char c)
{
    const char lower = (char)(c | 0x20);
    return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Big-endian bytes from hexadecimal text that has passed the attribute's check. */
static int
bytes_of_text(wfbs_encoding *e, wfbs_demand demand, PyObject *value, unsigned size, uint8_t *big)
{
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(value, &length);
    unsigned digits = 0;
    memset(big, 0, size);
    if (!text) {
        PyErr_Clear();
        length = 0;
    }
    const bool prefixed = length > 2 && text[0] == '0' && text[1] == 'x';
    for (Py_ssize_t i = prefixed ? 2 : 0; i < length; i++) {
        const int digit = digit_of(text[i]);
        if (text[i] == '-' && demand == WFBS_DEMAND_UUID) {
            continue;
        }
        if (digit < 0 || digits == 2 * size) {
            digits = 0;
            break;
        }
        big[digits / 2] |= (uint8_t)(digit << (digits % 2 ? 0 : 4));
        digits++;
    }
    const bool suits = !wfbs_demand_suits_text(demand)
                       || wfbs_demand_text(demand, (const uint8_t *)text, (size_t)length);
    if (digits == 2 * size && (prefixed || demand == WFBS_DEMAND_UUID) && suits) {
        return 1;
    }
    PyObject *expected = PyUnicode_FromFormat(demand == WFBS_DEMAND_UUID
                                                  ? "canonical text of a uuid expected"
                                                  : "0x and %u hexadecimal digits expected for %s",
                                              2 * size, wfbs_demand_name(demand));
    if (expected) {
        PyObject *arguments[] = {expected, value};
        wfbs_refuse_named(e, "wrong_text", arguments, 2);
        Py_DECREF(expected);
    }
    return -1;
}

int
wfbs_words_bytes(wfbs_encoding *e, const wfbs_plan_field *field, const wfbs_plan_object *object,
                 PyObject *value, uint8_t *to)
{
    const unsigned size = object->words;
    const wfbs_demand demand = (wfbs_demand)field->demand;
    uint8_t big[32] = {0};
    int got = 0;
    if (PyLong_Check(value) && !PyBool_Check(value)) {
        got = bytes_of_int(e, value, size, big);
    }
    else if (demand == WFBS_DEMAND_UUID && e->schema->typed->uuid
             && Py_TYPE(value) == (PyTypeObject *)e->schema->typed->uuid) {
        PyObject *number = PyObject_GetAttr(value, e->schema->typed->str_int);
        got = number ? bytes_of_int(e, number, size, big) : -1;
        Py_XDECREF(number);
    }
    else if (demand != WFBS_DEMAND_NONE && PyUnicode_Check(value)) {
        got = bytes_of_text(e, demand, value, size, big);
    }
    else if (demand != WFBS_DEMAND_NONE && PyObject_CheckBuffer(value)) {
        Py_buffer view;
        if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0) {
            return -1;
        }
        got = view.len == (Py_ssize_t)size ? 1 : -1;
        if (got > 0) {
            memcpy(big, view.buf, size);
        }
        else {
            wfbs_refuse_value(e->fault, "%u bytes expected for %s, got %zd", size,
                              wfbs_demand_name(demand), view.len);
        }
        PyBuffer_Release(&view);
    }
    if (got > 0) {
        turn(e->schema, to, big, size);
    }
    return got;
}

/* uuid.UUID from 16 bytes. */
static PyObject *
uuid_object(wfbs_typed *t, const uint8_t *big)
{
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)big, 16);
    PyObject *names = bytes ? PyTuple_Pack(1, t->str_bytes) : NULL;
    PyObject *uuid = names ? PyObject_Vectorcall(t->uuid, &bytes, 0, names) : NULL;
    Py_XDECREF(names);
    Py_XDECREF(bytes);
    return uuid;
}

/* Hexadecimal text from bytes; with dashes as in a UUID, or after 0x. */
static PyObject *
hexadecimal(const uint8_t *big, unsigned size, bool is_uuid)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 + 64 + 4];
    unsigned used = 0;
    if (!is_uuid) {
        text[used++] = '0';
        text[used++] = 'x';
    }
    for (unsigned i = 0; i < size; i++) {
        if (is_uuid && (i == 4 || i == 6 || i == 8 || i == 10)) {
            text[used++] = '-';
        }
        text[used++] = digits[big[i] >> 4];
        text[used++] = digits[big[i] & 15];
    }
    return PyUnicode_FromStringAndSize(text, used);
}

/* An int from big-endian bytes. */
static PyObject *
int_object(const uint8_t *big, unsigned size)
{
    return PyObject_CallMethod((PyObject *)&PyLong_Type, "from_bytes", "y#s", (const char *)big,
                               (Py_ssize_t)size, "big");
}

PyObject *
wfbs_words_object(wfbs_schema *schema, const wfbs_plan_field *field, const wfbs_plan_object *object,
                  const uint8_t *from, bool plain)
{
    uint8_t big[32] = {0};
    if (!object->words || field->demand == WFBS_DEMAND_NONE) {
        return Py_NewRef(Py_NotImplemented);
    }
    turn(schema, big, from, object->words);
    switch (field->demand) {
    case WFBS_DEMAND_UUID:
        return plain ? hexadecimal(big, 16, true) : uuid_object(schema->typed, big);
    case WFBS_DEMAND_ETHVAL:
        return int_object(big, object->words);
    default:
        return plain ? hexadecimal(big, object->words, false)
                     : PyBytes_FromStringAndSize((const char *)big, object->words);
    }
}
