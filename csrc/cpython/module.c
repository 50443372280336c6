/* The extension module autobahn_fbs._cpython: its state and its life. */
#include "module.h"
#include "base/type_name.h"

static struct PyModuleDef wfbs_module;

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
        PyErr_SetString(PyExc_RuntimeError, "autobahn_fbs is being taken down");
        return NULL;
    }
    return state;
}

/* autobahn_fbs._helpers, imported on first need. Python imports it for us: a tool that freezes
 * programs sees an import statement there, and none in C. New reference or NULL. */
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
    /* The import, or another thread, can have been here meanwhile: the first one stays. */
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
    /* Interned: a fresh string would stay behind in the type attribute cache. */
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
    PyObject *text = PyObject_Str(error);
    if (!text) { /* its type will do */
        if (!wfbs_error_is_about_value()) {
            return NULL;
        }
        PyErr_Clear();
    }
    PyObject *description = text ? PyUnicode_FromFormat("%.200s: %.500U", wfbs_type_name(Py_TYPE(error)), text)
                                 : PyUnicode_FromFormat("%.200s", wfbs_type_name(Py_TYPE(error)));
    Py_XDECREF(text);
    return description;
}

/* ---- the codec, for tests and for other modules of the package */

PyDoc_STRVAR(cbor_dumps_doc, "cbor_dumps(obj, /)\n--\n\n"
"What cbor2.dumps(obj) returns (RFC 8949), faster for the common data model.");

static PyObject *
cbor_dumps(PyObject *module, PyObject *object)
{
    wfbs_buffer out = {0};
    PyObject *result = NULL;
    if (wfbs_cbor_encode(&wfbs_state_of(module)->cbor, &out, object) == 0) {
        result = PyBytes_FromStringAndSize((const char *)out.data, (Py_ssize_t)out.size);
    }
    wfbs_buffer_free(&out);
    return result;
}

PyDoc_STRVAR(cbor_loads_doc, "cbor_loads(data, /)\n--\n\n"
"What cbor2.loads(data) returns or raises (RFC 8949), faster for the common data model.\n\n"
"What would cost cbor2 more than linear time is refused with ValueError: SECURITY.rst.");

static PyObject *
cbor_loads(PyObject *module, PyObject *data)
{
    wfbs_input in;
    if (wfbs_input_open(data, PyBUF_SIMPLE, &in) < 0) {
        return NULL;
    }
    PyObject *result = wfbs_cbor_decode(&wfbs_state_of(module)->cbor, in.data, in.size);
    Py_DECREF(in.buffer);
    return result;
}

PyDoc_STRVAR(counters_doc, "counters()\n--\n\n"
"What this process did with its messages so far; see autobahn_fbs.counters().");

static PyObject *
counters(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return wfbs_counters_dict(&wfbs_state_of(module)->counters);
}

static PyMethodDef module_methods[] = {
    {"cbor_dumps", cbor_dumps, METH_O, cbor_dumps_doc},
    {"cbor_loads", cbor_loads, METH_O, cbor_loads_doc},
    {"counters", counters, METH_NOARGS, counters_doc},
    {"flex_dumps", (PyCFunction)(void (*)(void))wfbs_flex_dumps_function,
     METH_FASTCALL | METH_KEYWORDS, wfbs_flex_dumps_doc},
    {"flex_loads", (PyCFunction)(void (*)(void))wfbs_flex_loads_function,
     METH_FASTCALL | METH_KEYWORDS, wfbs_flex_loads_doc},
    {NULL, NULL, 0, NULL},
};

/* ---- state */

/* The names and Autobahn classes behind the role tables. 0 or -1. */
static int
roles_init(wfbs_state *state, PyObject *role_module)
{
    for (unsigned i = 0; i < WFBS_TABLE_COUNT; i++) {
        const wfbs_table *t = &wfbs_tables[i];
        size_t length = strlen(t->name);
        bool features = length > 8 && !strcmp(t->name + length - 8, "Features");
        bool roles = length > 5 && !strcmp(t->name + length - 5, "Roles");
        if (!features && !roles) {
            continue;
        }
        if (features) {
            char name[64];
            PyOS_snprintf(name, sizeof name, "Role%s", t->name);
            state->role_classes[i] = PyObject_GetAttrString(role_module, name);
            if (!state->role_classes[i]) {
                return -1;
            }
        }
        for (unsigned slot = 0; slot < t->slot_count; slot++) {
            state->role_names[i][slot] = PyUnicode_InternFromString(t->fields[slot].name);
            if (!state->role_names[i][slot]) {
                return -1;
            }
        }
    }
    return 0;
}

static int
enums_init(wfbs_state *state)
{
    for (unsigned i = 0; i < WFBS_ENUM_COUNT; i++) {
        const wfbs_enum *e = &wfbs_enums[i];
        if (e->count > Py_ARRAY_LENGTH(state->enum_names[i])) {
            PyErr_Format(PyExc_SystemError, "enum %s has too many values", e->name);
            return -1;
        }
        for (unsigned value = 0; value < e->count; value++) {
            if (e->names[value] && *e->names[value]) {
                state->enum_names[i][value] = PyUnicode_InternFromString(e->names[value]);
                if (!state->enum_names[i][value]) {
                    return -1;
                }
            }
        }
    }
    return 0;
}

/* Makes a type from `spec` and adds it to the module. New reference or NULL. */
static PyTypeObject *
add_type(PyObject *module, PyType_Spec *spec)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    if (type && PyModule_AddType(module, (PyTypeObject *)type) < 0) {
        Py_CLEAR(type);
    }
    return (PyTypeObject *)type;
}

/* What the state takes from Autobahn. 0 or -1. */
static int
autobahn_init(wfbs_state *state)
{
    PyObject *exception = PyImport_ImportModule("autobahn.wamp.exception");
    PyObject *message = exception ? PyImport_ImportModule("autobahn.wamp.message") : NULL;
    PyObject *role = message ? PyImport_ImportModule("autobahn.wamp.role") : NULL;
    PyObject *pattern = role ? PyObject_GetAttrString(message, "_CUSTOM_ATTRIBUTE") : NULL;
    int result = -1;
    if (pattern && (state->protocol_error = PyObject_GetAttrString(exception, "ProtocolError"))
        && (state->message_class = PyObject_GetAttrString(message, "Message"))
        && (state->custom_match = PyObject_GetAttrString(pattern, "match"))
        && roles_init(state, role) == 0 && wfbs_classes_create(state, message) == 0) {
        result = 0;
    }
    Py_XDECREF(exception);
    Py_XDECREF(message);
    Py_XDECREF(role);
    Py_XDECREF(pattern);
    return result;
}

static int
module_exec(PyObject *module)
{
    wfbs_state *state = wfbs_state_of(module);
    state->module = module;
    if (!(state->str_session = PyUnicode_InternFromString("session"))
        || !(state->str_authid = PyUnicode_InternFromString("authid"))
        || !(state->str_authrole = PyUnicode_InternFromString("authrole"))
        || !(state->str_serialized = PyUnicode_InternFromString("_serialized"))
        || enums_init(state) < 0
        || !(state->object_serializer = add_type(module, &wfbs_object_serializer_spec))
        || !(state->transport_serializer = add_type(module, &wfbs_transport_serializer_spec))
        || wfbs_flex_init(&state->flex, module) < 0 || autobahn_init(state) < 0) {
        /* CPython 3.11 makes no type and no exception when there is no memory for its name. */
        return PyErr_Occurred() ? -1 : (PyErr_NoMemory(), -1);
    }
    PyObject *received = PyDict_New(); /* Autobahn's class name -> the received type */
    for (unsigned i = 0; received && i < WFBS_MESSAGE_COUNT; i++) {
        const wfbs_class *c = &state->classes[i];
        if (PyDict_SetItemString(received, c->table->name, (PyObject *)c->received) < 0) {
            Py_CLEAR(received);
        }
    }
    int failed = PyModule_AddObjectRef(module, "RECEIVED", received);
    Py_XDECREF(received);
    return failed;
}

/* Calls `each` on every owned reference of the state but the buffers. */
#define WFBS_STATE_OBJECTS(each)                                                     \
    each(state->object_serializer);                                                  \
    each(state->transport_serializer);                                               \
    each(state->protocol_error);                                                     \
    each(state->message_class);                                                      \
    each(state->custom_match);                                                       \
    each(state->helpers);                                                            \
    each(state->str_session);                                                        \
    each(state->str_authid);                                                         \
    each(state->str_authrole);                                                       \
    each(state->str_serialized);                                                     \
    for (unsigned i = 0; i < Py_ARRAY_LENGTH(state->base_slots); i++) {              \
        each(state->base_slots[i]);                                                  \
    }                                                                                \
    for (unsigned i = 0; i < WFBS_TABLE_COUNT; i++) {                                \
        each(state->role_classes[i]);                                                \
        for (unsigned k = 0; k < WFBS_MAX_FIELDS; k++) {                             \
            each(state->role_names[i][k]);                                           \
        }                                                                            \
    }                                                                                \
    for (unsigned i = 0; i < WFBS_ENUM_COUNT; i++) {                                 \
        for (unsigned k = 0; k < Py_ARRAY_LENGTH(state->enum_names[i]); k++) {       \
            each(state->enum_names[i][k]);                                           \
        }                                                                            \
    }                                                                                \
    for (unsigned i = 0; i < WFBS_MESSAGE_COUNT; i++) {                              \
        wfbs_class *c = &state->classes[i];                                          \
        each(c->plain);                                                              \
        each(c->received);                                                           \
        for (unsigned k = 0; k < WFBS_MAX_FIELDS; k++) {                             \
            each(c->attributes[k].name);                                             \
            each(c->attributes[k].private_name);                                     \
            each(c->attributes[k].detail);                                           \
            each(c->attributes[k].property);                                           \
        }                                                                            \
    }

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    wfbs_state *state = wfbs_state_of(module);
    WFBS_STATE_OBJECTS(Py_VISIT)
    const int stopped = wfbs_flex_traverse(&state->flex, visit, arg);
    return stopped ? stopped : wfbs_cbor_traverse(&state->cbor, visit, arg);
}

static int
module_clear(PyObject *module)
{
    wfbs_state *state = wfbs_state_of(module);
    memset(state->by_type, 0, sizeof state->by_type);
    WFBS_STATE_OBJECTS(Py_CLEAR)
    wfbs_cbor_clear(&state->cbor);
    wfbs_flex_clear(&state->flex);
    return 0;
}

static void
module_free(void *module)
{
    wfbs_state *state = wfbs_state_of(module);
    module_clear(module);
    for (unsigned i = 0; i < WFBS_MESSAGE_COUNT; i++) {
        PyMem_Free(state->classes[i].getset);
        state->classes[i].getset = NULL;
    }
    wfbs_buffer_free(&state->payload_scratch);
    wfbs_buffer_free(&state->output_scratch);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

PyDoc_STRVAR(module_doc, "The CPython backend of autobahn_fbs: WAMP messages as FlatBuffers, in C.");

static struct PyModuleDef wfbs_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "autobahn_fbs._cpython",
    .m_doc = module_doc,
    .m_size = sizeof(wfbs_state),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC
PyInit__cpython(void)
{
    return PyModuleDef_Init(&wfbs_module);
}
