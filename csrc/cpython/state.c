/* The module's state: look-up, clean-up, and errors. */
#include "state.h"

#include "base/printable.h"
#include "base/type_name.h"

wfbs_state *
wfbs_state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

wfbs_state *
wfbs_state_by_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &wfbs_module); /* borrowed */
    return module ? wfbs_state_alive(wfbs_state_of(module)) : NULL;
}

wfbs_state *
wfbs_state_alive(wfbs_state *state)
{
    if (state && !state->protocol_error) {
        PyErr_SetString(PyExc_RuntimeError,
                        "autobahn_fbs is being torn down, because the interpreter ends");
        return NULL;
    }
    return state;
}

/* autobahn_fbs._helpers, imported on first use. Python code imports it for us, because tools that
 * freeze programs detect import statements only in Python. New reference or NULL. */
static PyObject *
helpers_of(wfbs_state *state)
{
    PyObject *helpers;
    Py_BEGIN_CRITICAL_SECTION(state->module);
    helpers = Py_XNewRef(state->helpers);
    Py_END_CRITICAL_SECTION();
    if (helpers) {
        return helpers;
    }
    PyObject *backend = PyImport_ImportModule("autobahn_fbs._backend");
    if (!backend) {
        return NULL;
    }
    helpers = PyObject_CallMethod(backend, "helpers", NULL);
    Py_DECREF(backend);
    if (!helpers) {
        return NULL;
    }
    /* The import, or another thread, may have set it in the meantime: the first one is kept. */
    Py_BEGIN_CRITICAL_SECTION(state->module);
    if (!state->helpers) {
        state->helpers = Py_NewRef(helpers);
    }
    Py_END_CRITICAL_SECTION();
    return helpers;
}

PyObject *
wfbs_call_helper(wfbs_state *state, const char *name, PyObject *a, PyObject *b, PyObject *c)
{
    PyObject *helpers = helpers_of(state);
    /* Interned: a fresh string would remain in the type attribute cache. */
    PyObject *attribute = helpers ? PyUnicode_InternFromString(name) : NULL;
    PyObject *function = attribute ? PyObject_GetAttr(helpers, attribute) : NULL;
    Py_XDECREF(attribute);
    Py_XDECREF(helpers);
    if (!function) {
        return NULL;
    }
    PyObject *result = PyObject_CallFunctionObjArgs(function, a, b, c, NULL);
    Py_DECREF(function);
    return result;
}

PyObject *
wfbs_raise_protocol(wfbs_state *state, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    PyErr_FormatV(state->protocol_error, format, arguments);
    va_end(arguments);
    return NULL;
}

PyObject *
wfbs_raise_verify(wfbs_state *state, const wfbs_error *error)
{
    const char *name = error->table ? error->table : "Message";
    for (unsigned i = 0; i < WFBS_MESSAGE_COUNT; i++) {
        if (!strcmp(wfbs_tables[wfbs_messages[i].table].name, name)) {
            name = wfbs_messages[i].label;
        }
    }
    return wfbs_raise_protocol(state, "%s%s%s: %s, at offset %llu", name, error->field ? "." : "",
                               error->field ? error->field : "", wfbs_error_text(error->code),
                               (unsigned long long)error->offset);
}

bool
wfbs_error_is_about_value(void)
{
    return PyErr_ExceptionMatches(PyExc_Exception) && !PyErr_ExceptionMatches(PyExc_MemoryError);
}

PyObject *
wfbs_error_description(PyObject *error)
{
    PyObject *whole = PyObject_Str(error);
    PyObject *text = whole ? wfbs_printable(PyUnicode_Substring(whole, 0, 500)) : NULL;
    Py_XDECREF(whole);
    if (!text) { /* its type is enough */
        if (!wfbs_error_is_about_value()) {
            return NULL;
        }
        PyErr_Clear();
    }
    PyObject *description =
        text ? PyUnicode_FromFormat("%.200s: %U", wfbs_type_name(Py_TYPE(error)), text)
             : PyUnicode_FromFormat("%.200s", wfbs_type_name(Py_TYPE(error)));
    Py_XDECREF(text);
    return description;
}

/* ---- classes */

void
wfbs_class_register(wfbs_state *state, PyTypeObject *type, wfbs_class *cls)
{
    size_t i = ((uintptr_t)type >> 4) % WFBS_TYPE_SLOTS;
    while (state->by_type[i].type) {
        i = (i + 1) % WFBS_TYPE_SLOTS;
    }
    state->by_type[i].type = type;
    state->by_type[i].cls = cls;
}

wfbs_class *
wfbs_class_find(wfbs_state *state, PyTypeObject *type)
{
    for (; type; type = type->tp_base) {
        size_t i = ((uintptr_t)type >> 4) % WFBS_TYPE_SLOTS;
        while (state->by_type[i].type) {
            if (state->by_type[i].type == type) {
                return state->by_type[i].cls;
            }
            i = (i + 1) % WFBS_TYPE_SLOTS;
        }
    }
    return NULL;
}

/* ---- life */

/* Calls `each` for the references that the state itself owns, except str. */
#define STATE_OBJECTS(each)            \
    each(state->object_serializer);    \
    each(state->transport_serializer); \
    each(state->protocol_error);       \
    each(state->message_class);        \
    each(state->custom_match);         \
    each(state->helpers)

/* Names are exact str, which have no references. */
static int
class_traverse(wfbs_class *c, visitproc visit, void *arg)
{
    Py_VISIT(c->plain);
    Py_VISIT(c->received);
    for (unsigned i = 0; i < WFBS_MAX_FIELDS; i++) {
        Py_VISIT(c->attributes[i].property);
    }
    return 0;
}

static void
class_clear(wfbs_class *c)
{
    Py_CLEAR(c->plain);
    Py_CLEAR(c->received);
    for (unsigned i = 0; i < WFBS_MAX_FIELDS; i++) {
        Py_CLEAR(c->attributes[i].name);
        Py_CLEAR(c->attributes[i].private_name);
        Py_CLEAR(c->attributes[i].detail);
        Py_CLEAR(c->attributes[i].property);
    }
}

int
wfbs_state_traverse(wfbs_state *state, visitproc visit, void *arg)
{
    STATE_OBJECTS(Py_VISIT);
    int stopped = wfbs_names_traverse(&state->names, visit, arg);
    for (unsigned i = 0; !stopped && i < WFBS_MESSAGE_COUNT; i++) {
        stopped = class_traverse(&state->classes[i], visit, arg);
    }
    if (!stopped) {
        stopped = wfbs_flex_traverse(&state->flex, visit, arg);
    }
    if (!stopped) {
        stopped = wfbs_typed_traverse(&state->typed, visit, arg);
    }
    return stopped ? stopped : wfbs_cbor_traverse(&state->cbor, visit, arg);
}

void
wfbs_state_clear(wfbs_state *state)
{
    memset(state->by_type, 0, sizeof state->by_type);
    STATE_OBJECTS(Py_CLEAR);
    Py_CLEAR(state->str_session);
    Py_CLEAR(state->str_authid);
    Py_CLEAR(state->str_authrole);
    Py_CLEAR(state->str_serialize);
    Py_CLEAR(state->str_serialized);
    Py_CLEAR(state->str_from_fbs);
    wfbs_names_clear(&state->names);
    for (unsigned i = 0; i < WFBS_MESSAGE_COUNT; i++) {
        class_clear(&state->classes[i]);
    }
    wfbs_cbor_clear(&state->cbor);
    wfbs_flex_clear(&state->flex);
    wfbs_typed_clear(&state->typed);
}

void
wfbs_state_free(wfbs_state *state)
{
    wfbs_state_clear(state);
    for (unsigned i = 0; i < WFBS_MESSAGE_COUNT; i++) {
        PyMem_Free(state->classes[i].getset);
        state->classes[i].getset = NULL;
    }
    wfbs_buffer_free(&state->payload_scratch);
    wfbs_buffer_free(&state->output_scratch);
}
