/* A received message's metadata as a dict, before it is converted. */
#include "details.h"

#include "../../core/cbor_guard.h"

PyObject *
wfbs_details_read(const wfbs_class *c, const wfbs_received *r)
{
    size_t used;
    if (!wfbs_details_are_extra(c, r->dialect)
        && !wfbs_cbor_has_text_keys(c->table, r->data + r->metadata, r->metadata_size)) {
        return wfbs_raise_protocol(c->state,
                                   "%s: metadata has keys that are not strings, at offset %u",
                                   c->type->label, (unsigned)r->metadata);
    }
    PyObject *details =
        wfbs_cbor_decode_first(&c->state->cbor, r->data + r->metadata, r->metadata_size, &used);
    if (!details) {
        if (wfbs_error_is_about_value()) {
            PyErr_Clear();
            wfbs_raise_protocol(c->state, "%s: metadata is not CBOR, at offset %u", c->type->label,
                                (unsigned)r->metadata);
        }
        return NULL;
    }
    PyObject *key, *value;
    Py_ssize_t position = 0;
    const char *wrong = used != r->metadata_size      ? "has bytes after its map"
                        : !PyDict_CheckExact(details) ? "is not a map"
                                                      : NULL;
    while (!wrong && PyDict_Next(details, &position, &key, &value)) {
        if (!PyUnicode_CheckExact(key)) {
            wrong = "has keys that are not strings";
        }
    }
    if (wrong) {
        Py_DECREF(details);
        return wfbs_raise_protocol(c->state, "%s: metadata %s, at offset %u", c->type->label, wrong,
                                   (unsigned)r->metadata);
    }
    return details;
}

int
wfbs_details_find_codec(PyObject *details, PyObject **name)
{
    PyObject *key = PyUnicode_FromString(WFBS_CODEC_KEY);
    if (!key) {
        return -1;
    }
    *name = Py_XNewRef(PyDict_GetItemWithError(details, key));
    Py_DECREF(key);
    return *name ? 1 : PyErr_Occurred() ? -1 : 0;
}

PyObject *
wfbs_details_codec(const wfbs_class *c, const wfbs_received *r)
{
    if (!r->metadata) {
        return Py_NewRef(Py_None);
    }
    PyObject *details = wfbs_details_read(c, r);
    if (!details) {
        return NULL;
    }
    PyObject *name;
    int found = wfbs_details_find_codec(details, &name);
    Py_DECREF(details);
    return found < 0 ? NULL : found ? name : Py_NewRef(Py_None);
}
