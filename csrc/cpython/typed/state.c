/* The module's state for typed payloads. */
#include "typed.h"

/* The name of the capsule through which types find this state in their module. */
#define CAPSULE "autobahn_fbs.typed"

/* Every reference in it. */
#define WFBS_TYPED_OBJECTS(each) \
    each(t->schema_type);        \
    each(t->codec_type);         \
    each(t->meta_type);          \
    each(t->table_type);         \
    each(t->union_type);         \
    each(t->lazy_type);          \
    each(t->catalog_type);       \
    each(t->invalid_payload);    \
    each(t->uuid);               \
    each(t->helpers);            \
    each(t->str_bytes);          \
    each(t->str_int);            \
    each(t->str_to_dict);        \
    each(t->str_codec);

/* The attribute of an imported module. New reference or NULL. */
static PyObject *
import_name(const char *module, const char *name)
{
    PyObject *imported = PyImport_ImportModule(module);
    PyObject *found = imported ? PyObject_GetAttrString(imported, name) : NULL;
    Py_XDECREF(imported);
    return found;
}

static PyTypeObject *
make_type(PyObject *module, PyType_Spec *spec, PyObject *base)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, base);
}

int
wfbs_typed_init(wfbs_typed *t, PyObject *module)
{
    const struct {
        PyTypeObject **type;
        PyType_Spec *spec;
    } types[] = {
        {&t->schema_type, &wfbs_typed_schema_spec},   {&t->codec_type, &wfbs_typed_codec_spec},
        {&t->table_type, &wfbs_typed_table_spec},     {&t->lazy_type, &wfbs_typed_lazy_spec},
        {&t->catalog_type, &wfbs_typed_catalog_spec},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        *types[i].type = make_type(module, types[i].spec, NULL);
        if (!*types[i].type || PyModule_AddType(module, *types[i].type) < 0) {
            return -1;
        }
    }
    PyObject *capsule = PyCapsule_New(t, CAPSULE, NULL);
    const int failed = capsule ? PyModule_AddObjectRef(module, "_typed", capsule) : -1;
    Py_XDECREF(capsule);
    return !failed && (t->union_type = wfbs_union_type(module))
                   && PyModule_AddType(module, t->union_type) == 0
                   && (t->meta_type =
                           make_type(module, &wfbs_typed_meta_spec, (PyObject *)&PyType_Type))
                   && (t->invalid_payload =
                           import_name("autobahn.wamp.exception", "InvalidPayload"))
                   && (t->uuid = import_name("uuid", "UUID"))
                   && (t->str_bytes = PyUnicode_InternFromString("bytes"))
                   && (t->str_int = PyUnicode_InternFromString("int"))
                   && (t->str_to_dict = PyUnicode_InternFromString("to_dict"))
                   && (t->str_codec = PyUnicode_InternFromString("_codec"))
               ? 0
               : -1;
}

int
wfbs_typed_traverse(wfbs_typed *t, visitproc visit, void *arg)
{
    WFBS_TYPED_OBJECTS(Py_VISIT)
    return 0;
}

void
wfbs_typed_clear(wfbs_typed *t)
{
    WFBS_TYPED_OBJECTS(Py_CLEAR)
#ifndef Py_GIL_DISABLED
    PyMem_Free(t->scratch);
    t->scratch = NULL;
#endif
}

wfbs_typed *
wfbs_typed_of(PyTypeObject *type)
{
    PyObject *module = NULL;
    for (; type && !module; type = type->tp_base) {
        if (PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) {
            module = PyType_GetModule(type); /* borrowed */
            if (!module) {
                PyErr_Clear(); /* a class defined in Python */
            }
        }
    }
    PyObject *capsule = module ? PyObject_GetAttrString(module, "_typed") : NULL;
    wfbs_typed *t = capsule ? PyCapsule_GetPointer(capsule, CAPSULE) : NULL;
    Py_XDECREF(capsule);
    if (!t && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_SystemError, "a type without its module");
    }
    return t;
}

PyObject *
wfbs_typed_help(wfbs_typed *t, const char *name, PyObject *const *args, size_t count)
{
    if (!t->helpers) {
        PyObject *backend = PyImport_ImportModule("autobahn_fbs._backend");
        PyObject *helpers = backend ? PyObject_CallMethod(backend, "typed_helpers", NULL) : NULL;
        Py_XDECREF(backend);
        if (!helpers) {
            return NULL;
        }
        Py_XSETREF(t->helpers, helpers); /* another thread may have imported it meanwhile */
    }
    PyObject *function = PyObject_GetAttrString(t->helpers, name);
    PyObject *result = function ? PyObject_Vectorcall(function, args, count, NULL) : NULL;
    Py_XDECREF(function);
    return result;
}
