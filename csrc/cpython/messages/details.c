/* A received message's metadata as a dict, before anything is made of it. */
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

PyObject *
wfbs_details_codec(const wfbs_class *c, const wfbs_received *r)
{
    PyObject *details = r->metadata ? wfbs_details_read(c, r) : PyDict_New();
    if (!details) {
        return NULL;
    }
    PyObject *name = PyDict_GetItemString(details, WFBS_CODEC_KEY);
    name = Py_NewRef(name ? name : Py_None);
    Py_DECREF(details);
    return name;
}
