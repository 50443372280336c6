/* Encodes and decodes scalars, texts and structs of words. */
#include "typed.h"

#include <math.h>

/* ---- integers and floats to bits */

static const struct {
    const char *range;
    int64_t low;
    uint64_t high;
} ranges[WFBS_BASE_COUNT] = {
    [WFBS_BASE_UTYPE] = {"0 to 255", 0, UINT8_MAX},
    [WFBS_BASE_BYTE] = {"-128 to 127", INT8_MIN, INT8_MAX},
    [WFBS_BASE_UBYTE] = {"0 to 255", 0, UINT8_MAX},
    [WFBS_BASE_SHORT] = {"-32768 to 32767", INT16_MIN, INT16_MAX},
    [WFBS_BASE_USHORT] = {"0 to 65535", 0, UINT16_MAX},
    [WFBS_BASE_INT] = {"-2**31 to 2**31-1", INT32_MIN, INT32_MAX},
    [WFBS_BASE_UINT] = {"0 to 2**32-1", 0, UINT32_MAX},
    [WFBS_BASE_LONG] = {"-2**63 to 2**63-1", INT64_MIN, INT64_MAX},
    [WFBS_BASE_ULONG] = {"0 to 2**64-1", 0, UINT64_MAX},
};

/* An int, exact or derived, within the range of a base type. */
static bool
integer_bits(wfbs_encoding *e, unsigned base, PyObject *value, uint64_t *bits)
{
    int overflow;
    const long long small = PyLong_AsLongLongAndOverflow(value, &overflow);
    bool good = false;
    if (overflow > 0 && base == WFBS_BASE_ULONG) {
        *bits = PyLong_AsUnsignedLongLong(value);
        good = !PyErr_Occurred();
        PyErr_Clear();
    }
    else if (!overflow) {
        *bits = (uint64_t)small;
        good = small >= ranges[base].low && (small < 0 || (uint64_t)small <= ranges[base].high);
    }
    if (good) {
        return true;
    }
    if (overflow) {
        return wfbs_refuse_value(e->fault, "%s expected, got a larger number", ranges[base].range);
    }
    return wfbs_refuse_value(e->fault, "%s expected, got %lld", ranges[base].range, small);
}

/* The bits of a float from those of a double that is not a number. Keeps its payload. */
static uint32_t
narrow_nan(uint64_t wide)
{
    const uint32_t payload = (uint32_t)(wide >> 29) & 0x7FFFFF;
    return (uint32_t)(wide >> 63) << 31 | 0x7F800000 | (payload ? payload : 0x400000);
}

static bool
float_bits(wfbs_encoding *e, unsigned base, PyObject *value, uint64_t *bits)
{
    double wide;
    if (PyFloat_Check(value)) {
        wide = PyFloat_AS_DOUBLE(value);
    }
    else if (PyLong_Check(value) && !PyBool_Check(value)) {
        wide = PyLong_AsDouble(value);
        if (wide == -1.0 && PyErr_Occurred()) {
            PyErr_Clear(); /* OverflowError */
            return wfbs_refuse_value(e->fault, "too large for a double");
        }
    }
    else {
        return wfbs_refuse_type(e->fault, "float", value);
    }
    memcpy(bits, &wide, sizeof *bits);
    if (base == WFBS_BASE_DOUBLE) {
        return true;
    }
    if (isnan(wide)) {
        *bits = narrow_nan(*bits);
        return true;
    }
    /* 2^128 - 2^103 and above round to 2^128. */
    if (isfinite(wide) && fabs(wide) >= 3.4028235677973366e38) {
        char *text = PyOS_double_to_string(wide, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
        if (text) {
            wfbs_refuse_value(e->fault, "too large for a float: %s", text);
            PyMem_Free(text);
        }
        return false;
    }
    const float narrow = (float)wide;
    uint32_t narrow_bits;
    memcpy(&narrow_bits, &narrow, sizeof narrow_bits);
    *bits = narrow_bits;
    return true;
}

/* The 32-bit float as an object. */
static PyObject *
float_object(uint32_t bits)
{
    float narrow;
    double wide;
    memcpy(&narrow, &bits, sizeof narrow);
    if (isnan(narrow)) { /* a conversion would make a signalling NaN quiet */
        const uint64_t wide_bits = (uint64_t)(bits >> 31) << 63 | UINT64_C(0x7FF) << 52
                                   | (uint64_t)(bits & 0x7FFFFF) << 29;
        memcpy(&wide, &wide_bits, sizeof wide);
    }
    else {
        wide = (double)narrow;
    }
    return PyFloat_FromDouble(wide);
}

/* ---- enums */

/* The index of a str among the names of an enum. */
static uint32_t
find_name(wfbs_schema *schema, uint32_t index, PyObject *name)
{
    const wfbs_plan_enum *type = &schema->plan.enums[index];
    PyObject **names = schema->enums[index].names;
    for (uint32_t i = 0; names && i < type->value_count; i++) {
        if (names[i] == name) {
            return i;
        }
    }
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(name, &size);
    if (!text) {
        PyErr_Clear(); /* a surrogate, which no name contains */
        return WFBS_NONE;
    }
    return wfbs_plan_find_name(&schema->plan, type, text, (size_t)size);
}

/* The names of bits, separated by spaces, in flatc's format. */
static bool
flags_of_names(wfbs_encoding *e, uint32_t index, PyObject *text, uint64_t *bits)
{
    const wfbs_plan *plan = &e->schema->plan;
    const wfbs_plan_enum *type = &plan->enums[index];
    Py_ssize_t size;
    const char *p = PyUnicode_AsUTF8AndSize(text, &size);
    *bits = 0;
    if (!p) {
        PyErr_Clear(); /* a surrogate */
        return wfbs_enum_refuse(e, index, "no_value", text);
    }
    const char *end = p + size;
    while (p < end) {
        const char *space = memchr(p, ' ', (size_t)(end - p));
        const char *stop = space ? space : end;
        const uint32_t found = wfbs_plan_find_name(plan, type, p, (size_t)(stop - p));
        if (found == WFBS_NONE) {
            PyObject *name = PyUnicode_DecodeUTF8(p, stop - p, NULL);
            if (name) {
                wfbs_enum_refuse(e, index, "no_value", name);
                Py_DECREF(name);
            }
            return false;
        }
        *bits |= plan->values[type->values + found].value;
        p = stop + (space != NULL);
    }
    return true;
}

/* The bits of a scalar with an enum. */
static bool
enum_bits(wfbs_encoding *e, const wfbs_plan_field *field, PyObject *value, uint64_t *bits)
{
    const wfbs_plan *plan = &e->schema->plan;
    const wfbs_plan_enum *type = &plan->enums[field->index];
    uint32_t found;
    if (PyUnicode_Check(value)) {
        if (type->is_flags) {
            return flags_of_names(e, field->index, value, bits);
        }
        found = find_name(e->schema, field->index, value);
        if (found == WFBS_NONE) {
            return wfbs_enum_refuse(e, field->index, "no_value", value);
        }
        *bits = plan->values[type->values + found].value;
        return true;
    }
    if (!PyLong_Check(value) || PyBool_Check(value)) {
        return wfbs_refuse_type(e->fault, "int, or name of a value,", value);
    }
    if (!integer_bits(e, field->scalar, value, bits)) {
        return false;
    }
    const bool known = type->is_flags ? !(*bits & ~type->all_bits)
                                      : wfbs_plan_find_value(plan, type, *bits) != WFBS_NONE;
    return known
           || wfbs_refuse_value(e->fault, "%.*s has no value %lld", (int)type->name.size,
                                type->name.data, (long long)*bits);
}

bool
wfbs_tag_of(wfbs_encoding *e, uint32_t index, PyObject *value, uint32_t *number)
{
    const wfbs_plan_enum *type = &e->schema->plan.enums[index];
    if (PyUnicode_Check(value)) {
        *number = find_name(e->schema, index, value);
    }
    else if (PyLong_Check(value) && !PyBool_Check(value)) {
        const unsigned long tag = PyLong_AsUnsignedLong(value);
        *number = PyErr_Occurred() ? WFBS_NONE : wfbs_plan_find_value(&e->schema->plan, type, tag);
        PyErr_Clear();
    }
    else {
        return wfbs_refuse_type(e->fault, "name of a union's member", value);
    }
    return *number != WFBS_NONE || wfbs_enum_refuse(e, index, "no_member", value);
}

/* ---- scalars */

bool
wfbs_scalar_bits(wfbs_encoding *e, const wfbs_plan_field *field, PyObject *value, uint64_t *bits)
{
    if (field->index != WFBS_NONE) {
        return enum_bits(e, field, value, bits);
    }
    if (wfbs_base_is_float(field->scalar)) {
        return float_bits(e, field->scalar, value, bits);
    }
    if (field->scalar == WFBS_BASE_BOOL) {
        *bits = value == Py_True;
        return PyBool_Check(value) || wfbs_refuse_type(e->fault, "bool", value);
    }
    bool good;
    if (PyLong_Check(value) && !PyBool_Check(value)) {
        good = integer_bits(e, field->scalar, value, bits);
    }
    else if (!PyBool_Check(value) && !PyFloat_Check(value) && PyIndex_Check(value)) {
        PyObject *index = PyNumber_Index(value);
        if (!index) {
            return false;
        }
        good = integer_bits(e, field->scalar, index, bits);
        Py_DECREF(index);
    }
    else {
        return wfbs_refuse_type(e->fault, "int", value);
    }
    if (good && !wfbs_demand_integer((wfbs_demand)field->demand, *bits)) {
        return wfbs_refuse_value(e->fault, "1 to 2**53 expected for %s, got %llu",
                                 wfbs_demand_name((wfbs_demand)field->demand),
                                 (unsigned long long)*bits);
    }
    return good;
}

/* The text for an enum's bits: a name, or names separated by spaces; a number if there is no
 * name. */
static PyObject *
flags_text(wfbs_schema *schema, uint32_t index, uint64_t bits)
{
    const wfbs_plan_enum *type = &schema->plan.enums[index];
    PyObject *names = PyList_New(0);
    if (!names) {
        return NULL;
    }
    for (uint32_t i = 0; i < type->value_count; i++) {
        const uint64_t value = schema->plan.values[type->values + i].value;
        if (value && (bits & value) == value
            && PyList_Append(names, schema->enums[index].names[i]) < 0) {
            Py_DECREF(names);
            return NULL;
        }
    }
    PyObject *space = PyUnicode_FromString(" ");
    PyObject *text = space ? PyUnicode_Join(space, names) : NULL;
    Py_XDECREF(space);
    Py_DECREF(names);
    return text;
}

static PyObject *
enum_object(wfbs_schema *schema, const wfbs_plan_field *field, uint64_t bits, wfbs_enum_form form)
{
    const wfbs_plan_enum *type = &schema->plan.enums[field->index];
    const wfbs_enum_objects *objects = &schema->enums[field->index];
    const uint32_t found = wfbs_plan_find_value(&schema->plan, type, bits);
    if (found != WFBS_NONE) {
        return Py_NewRef(form == WFBS_ENUM_NAMES ? objects->names[found] : objects->values[found]);
    }
    if (type->is_flags && !(bits & ~type->all_bits) && (bits || form == WFBS_ENUM_MEMBERS)) {
        if (form == WFBS_ENUM_NAMES) {
            return flags_text(schema, field->index, bits);
        }
        PyObject *number = PyLong_FromUnsignedLongLong(bits);
        PyObject *member = number ? PyObject_CallOneArg(objects->type, number) : NULL;
        Py_XDECREF(number);
        return member;
    }
    return wfbs_base_is_signed(field->scalar) ? PyLong_FromLongLong((long long)bits)
                                              : PyLong_FromUnsignedLongLong(bits);
}

PyObject *
wfbs_scalar_object(wfbs_schema *schema, const wfbs_plan_field *field, uint64_t bits,
                   wfbs_enum_form form)
{
    const uint64_t value = wfbs_walk_extend(bits, field->scalar);
    if (field->index != WFBS_NONE && form != WFBS_ENUM_NUMBERS) {
        return enum_object(schema, field, value, form);
    }
    switch (field->scalar) {
    case WFBS_BASE_BOOL:
        return PyBool_FromLong(value != 0);
    case WFBS_BASE_FLOAT:
        return float_object((uint32_t)bits);
    case WFBS_BASE_DOUBLE: {
        double wide;
        memcpy(&wide, &bits, sizeof wide);
        return PyFloat_FromDouble(wide);
    }
    case WFBS_BASE_UINT:
    case WFBS_BASE_ULONG:
        return PyLong_FromUnsignedLongLong(value);
    case WFBS_BASE_LONG:
        return PyLong_FromLongLong((long long)value);
    default:
        return PyLong_FromLong((long)(int32_t)value);
    }
}
