/* A buffer of received bytes for receivers of length-prefixed messages. They add incoming bytes,
 * read the length, cut out a message once it is complete, and keep the rest. With bytes, everything
 * is copied whenever bytes come in. Here, a message is copied once, when it is cut out. Only small
 * pieces are joined at once: a peer that sends its bytes one by one must not make a long list,
 * which takes memory, and is copied whenever bytes come in. */
#include "pieces.h"

#include <string.h>

/* The largest result of joining two pieces: two adjacent ones are larger together. */
enum { JOINED = 16 * 1024 };

typedef struct {
    PyObject_HEAD
    PyObject *list;     /* owned: a list of exact bytes, none of them empty */
    Py_ssize_t skipped; /* bytes of the first piece that are already consumed */
    Py_ssize_t size;    /* total number of remaining bytes */
} pieces;

/* Joins non-empty `bytes` (borrowed) with the last piece, which other Pieces may share. 1 if this
 * was done; 0 if one of them is too large; -1 with MemoryError. */
static int
join(pieces *p, PyObject *bytes)
{
    Py_ssize_t last = PyList_GET_SIZE(p->list) - 1;
    PyObject *before = last < 0 ? NULL : PyList_GET_ITEM(p->list, last);
    Py_ssize_t size = before ? PyBytes_GET_SIZE(before) : JOINED, more = PyBytes_GET_SIZE(bytes);
    if (size >= JOINED || more > JOINED - size) {
        return 0;
    }
    PyObject *both = PyBytes_FromStringAndSize(NULL, size + more);
    if (!both) {
        return -1;
    }
    memcpy(PyBytes_AS_STRING(both), PyBytes_AS_STRING(before), (size_t)size);
    memcpy(PyBytes_AS_STRING(both) + size, PyBytes_AS_STRING(bytes), (size_t)more);
    return PyList_SetItem(p->list, last, both) < 0 ? -1 : 1;
}

/* Adds bytes-like `data` (borrowed). 0, or -1 with an exception. */
static int
append(pieces *p, PyObject *data)
{
    PyObject *bytes = PyBytes_FromObject(data); /* the object itself, if it is exact bytes */
    int failed = !bytes;
    if (bytes && PyBytes_GET_SIZE(bytes)) {
        int joined = join(p, bytes);
        failed = joined < 0 || (!joined && PyList_Append(p->list, bytes) < 0);
        p->size += failed ? 0 : PyBytes_GET_SIZE(bytes);
    }
    Py_XDECREF(bytes);
    return failed ? -1 : 0;
}

static PyObject *
pieces_new(PyTypeObject *type, PyObject *args, PyObject *named)
{
    PyObject *data = NULL;
    if ((named && PyDict_GET_SIZE(named)) || !PyArg_UnpackTuple(args, "Pieces", 0, 1, &data)) {
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "Pieces() takes no names");
    }
    pieces *p = (pieces *)type->tp_alloc(type, 0);
    if (p && (!(p->list = PyList_New(0)) || (data && append(p, data) < 0))) {
        Py_CLEAR(p);
    }
    return (PyObject *)p;
}

static void
pieces_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(((pieces *)self)->list);
    type->tp_free(self);
    Py_DECREF(type);
}

static Py_ssize_t
pieces_length(PyObject *self)
{
    return ((pieces *)self)->size;
}

/* self + data and self += data: both add to self, and return it. */
static PyObject *
pieces_concat(PyObject *self, PyObject *data)
{
    int failed;
    Py_BEGIN_CRITICAL_SECTION(self);
    failed = append((pieces *)self, data);
    Py_END_CRITICAL_SECTION();
    return failed ? NULL : Py_NewRef(self);
}

/* The bytes from `start` to `stop`, 0 <= start <= stop <= size. New reference or NULL. */
static PyObject *
cut(const pieces *p, Py_ssize_t start, Py_ssize_t stop)
{
    Py_ssize_t at = start + p->skipped, wanted = stop - start, i = 0;
    while (wanted && at >= PyBytes_GET_SIZE(PyList_GET_ITEM(p->list, i))) {
        at -= PyBytes_GET_SIZE(PyList_GET_ITEM(p->list, i++));
    }
    if (wanted && !at && wanted == PyBytes_GET_SIZE(PyList_GET_ITEM(p->list, i))) {
        return Py_NewRef(PyList_GET_ITEM(p->list, i));
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, wanted);
    char *to = bytes ? PyBytes_AS_STRING(bytes) : NULL;
    /* `stop` <= size, so the pieces extend to `stop` or beyond. */
    while (bytes && wanted) {
        PyObject *piece = PyList_GET_ITEM(p->list, i++);
        Py_ssize_t there = PyBytes_GET_SIZE(piece) - at;
        Py_ssize_t count = there < wanted ? there : wanted;
        memcpy(to, PyBytes_AS_STRING(piece) + at, (size_t)count);
        to += count;
        wanted -= count;
        at = 0;
    }
    return bytes;
}

/* The rest from `start` on, as new Pieces that share the bytes. New reference or NULL. */
static PyObject *
rest(const pieces *p, PyTypeObject *type, Py_ssize_t start)
{
    const Py_ssize_t count = PyList_GET_SIZE(p->list);
    Py_ssize_t at = start + p->skipped, i = 0;
    while (i < count && at >= PyBytes_GET_SIZE(PyList_GET_ITEM(p->list, i))) {
        at -= PyBytes_GET_SIZE(PyList_GET_ITEM(p->list, i++));
    }
    pieces *left = (pieces *)type->tp_alloc(type, 0);
    if (left && !(left->list = PyList_GetSlice(p->list, i, count))) {
        Py_CLEAR(left);
    }
    /* Counted here: allocating may run finalizers, which may append, also to the last piece. */
    for (i = 0; left && i < PyList_GET_SIZE(left->list); i++) {
        left->size += PyBytes_GET_SIZE(PyList_GET_ITEM(left->list, i));
    }
    if (left && left->size) {
        left->skipped = at; /* less than the first piece, so that `size` stays positive */
        left->size -= at;
    }
    return (PyObject *)left;
}

/* self[a:b] is bytes; self[a:] is Pieces. */
static PyObject *
pieces_subscript(PyObject *self, PyObject *key)
{
    pieces *p = (pieces *)self;
    if (!PySlice_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "Pieces can only be sliced");
        return NULL;
    }
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) {
        return NULL;
    }
    if (step != 1) {
        PyErr_SetString(PyExc_ValueError, "slices of Pieces can't have a step");
        return NULL;
    }
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(self);
    Py_ssize_t count = PySlice_AdjustIndices(p->size, &start, &stop, step);
    result = ((PySliceObject *)key)->stop == Py_None ? rest(p, Py_TYPE(self), p->size - count)
                                                     : cut(p, start, start + count);
    Py_END_CRITICAL_SECTION();
    return result;
}

/* Pieces compare equal to bytes with the same content, because a receiver's tests compare its
 * buffer with bytes. */
static PyObject *
pieces_compare(PyObject *self, PyObject *other, int op)
{
    if (!PyBytes_Check(other) || (op != Py_EQ && op != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *bytes;
    Py_BEGIN_CRITICAL_SECTION(self);
    bytes = cut((pieces *)self, 0, ((pieces *)self)->size);
    Py_END_CRITICAL_SECTION();
    PyObject *result = bytes ? PyObject_RichCompare(bytes, other, op) : NULL;
    Py_XDECREF(bytes);
    return result;
}

static PyType_Slot pieces_slots[] = {
    {Py_tp_doc,
     "Pieces(data=b\"\", /)\n--\n\nReceived bytes that haven't been read yet, in pieces."},
    {Py_tp_new, pieces_new},
    {Py_tp_dealloc, pieces_dealloc},
    {Py_tp_richcompare, pieces_compare},
    {Py_sq_length, pieces_length},
    {Py_mp_length, pieces_length},
    {Py_sq_concat, pieces_concat},
    {Py_mp_subscript, pieces_subscript},
    {0, NULL},
};

PyType_Spec wfbs_pieces_spec = {
    .name = "autobahn_fbs._cpython.Pieces",
    .basicsize = sizeof(pieces),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = pieces_slots,
};
