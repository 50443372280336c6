/* FlexBuffers as tokens. See flex_tokens.h. The order of all checks is the same as in
 * csrc/cpython/codecs/flex_decode.c, so that the first error is the same. */
#include "flex_tokens.h"

#include "text.h"

/* The count is bounded by the budget, so it can't overflow. */
static inline void
put(wfbs_flex_tokens *w, int64_t n)
{
    if (w->count < w->room) {
        w->out[w->count] = n;
    }
    w->count++;
}

/* Positions and sizes are those of an object in memory: below 2^63. */
static inline void
put_span(wfbs_flex_tokens *w, int64_t kind, const wfbs_flex_span *span)
{
    put(w, kind);
    put(w, (int64_t)span->at);
    put(w, (int64_t)span->size);
}

/* The functions below return true, or false with the reader's error set. */
static bool walk_value(wfbs_flex_tokens *w, const wfbs_flex_ref *ref, unsigned depth);

/* `width` as for wfbs_flex_places: the width of a string's length, 0 for a key. */
static bool
walk_text(wfbs_flex_tokens *w, const wfbs_flex_span *span, unsigned width)
{
    wfbs_flex_reader *r = w->reader;
    size_t place;
    const wfbs_flex_visit visit = wfbs_flex_visit_text(r, span, width, &place);

    if (visit == WFBS_FLEX_BROKE) {
        return false;
    }
    if (visit != WFBS_FLEX_KNOWN && !wfbs_utf8_is_valid(r->data + span->at, (size_t)span->size)) {
        return WFBS_FLEX_FAIL(r, WFBS_FLEX_ERROR_UTF8, span->at);
    }
    put_span(w, visit == WFBS_FLEX_KNOWN ? WFBS_TOKEN_TEXT_AGAIN : WFBS_TOKEN_TEXT, span);
    return true;
}

static bool
walk_key(wfbs_flex_tokens *w, const wfbs_flex_ref *ref, wfbs_flex_span *key)
{
    uint64_t target;

    return wfbs_flex_target(w->reader, ref, &target)
           && wfbs_flex_key_at(w->reader, target, ref->limit, key) && walk_text(w, key, 0);
}

static bool
walk_string(wfbs_flex_tokens *w, const wfbs_flex_ref *ref)
{
    wfbs_flex_span span;
    uint64_t target;

    return wfbs_flex_aligned_target(w->reader, ref, &target)
           && wfbs_flex_bytes_at(w->reader, ref, target, &span) && walk_text(w, &span, ref->width);
}

static bool
walk_blob(wfbs_flex_tokens *w, const wfbs_flex_ref *ref)
{
    wfbs_flex_span span;
    uint64_t target;

    if (!wfbs_flex_aligned_target(w->reader, ref, &target)
        || !wfbs_flex_bytes_at(w->reader, ref, target, &span)
        || !wfbs_flex_charge(w->reader, span.size + WFBS_FLEX_VISIT_COST, target)) {
        return false;
    }
    put_span(w, WFBS_TOKEN_BLOB, &span);
    return true;
}

/* A number (not of an indirect type) in the `width` bytes at `at`, which are within the data. */
static bool
walk_number(wfbs_flex_tokens *w, uint8_t type, uint64_t at, unsigned width)
{
    const uint8_t *p = w->reader->data + at;

    if (type == WFBS_FLEX_FLOAT) {
        if (width < 4) {
            return WFBS_FLEX_FAIL(w->reader, WFBS_FLEX_ERROR_FLOAT_WIDTH, at);
        }
        put(w, width == 4 ? WFBS_TOKEN_FLOAT : WFBS_TOKEN_DOUBLE);
        put(w, (int64_t)at);
    }
    else if (type == WFBS_FLEX_INT) {
        put(w, WFBS_TOKEN_INT);
        put(w, wfbs_flex_load_signed(p, width));
    }
    else if (width < 8) {
        put(w, WFBS_TOKEN_INT);
        put(w, (int64_t)wfbs_flex_load_unsigned(p, width));
    }
    else {
        put(w, WFBS_TOKEN_UINT);
        put(w, wfbs_flex_load_signed(p, width));
    }
    return true;
}

static bool
walk_indirect(wfbs_flex_tokens *w, const wfbs_flex_ref *ref)
{
    const uint8_t type = (uint8_t)(ref->type - WFBS_FLEX_INDIRECT_INT + WFBS_FLEX_INT);
    uint64_t at;

    return wfbs_flex_indirect(w->reader, ref, &at) && walk_number(w, type, at, ref->width);
}

static bool
walk_vector(wfbs_flex_tokens *w, const wfbs_flex_ref *ref, unsigned depth)
{
    wfbs_flex_vector vector;

    if (!wfbs_flex_vector_of(w->reader, ref, &vector)) {
        return false;
    }
    put(w, WFBS_TOKEN_VECTOR);
    put(w, (int64_t)vector.count);
    for (uint64_t i = 0; i < vector.count; i++) {
        const wfbs_flex_ref item = wfbs_flex_item(w->reader, &vector, i);
        if (!walk_value(w, &item, depth)) {
            return false;
        }
    }
    return true;
}

static bool
same_text(const wfbs_flex_reader *r, const wfbs_flex_span *a, const wfbs_flex_span *b)
{
    return a->size == b->size && memcmp(r->data + a->at, r->data + b->at, (size_t)a->size) == 0;
}

static bool
walk_map(wfbs_flex_tokens *w, const wfbs_flex_ref *ref, unsigned depth)
{
    wfbs_flex_span key, last = {0, 0};
    bool twice = false;
    wfbs_flex_map map;

    if (!wfbs_flex_map_of(w->reader, ref, &map)) {
        return false;
    }
    put(w, WFBS_TOKEN_MAP);
    put(w, (int64_t)map.values.count);
    put(w, (int64_t)map.keys.at);
    for (uint64_t i = 0; i < map.values.count; i++) {
        const wfbs_flex_ref name = wfbs_flex_item(w->reader, &map.keys, i);
        const wfbs_flex_ref item = wfbs_flex_item(w->reader, &map.values, i);
        if (!walk_key(w, &name, &key) || !walk_value(w, &item, depth)) {
            return false;
        }
        twice = twice || (i > 0 && same_text(w->reader, &key, &last));
        last = key;
    }
    /* Checked last, like in the decoder, where a dict finds all equal keys. */
    return !twice || WFBS_FLEX_FAIL(w->reader, WFBS_FLEX_ERROR_DUPLICATE, map.keys.at);
}

/* A value nested in `depth` containers. */
static bool
walk_value(wfbs_flex_tokens *w, const wfbs_flex_ref *ref, unsigned depth)
{
    wfbs_flex_span key;

    switch (ref->type) {
    case WFBS_FLEX_NULL:
        put(w, WFBS_TOKEN_NULL);
        return true;
    case WFBS_FLEX_BOOL:
        put(w, wfbs_flex_load_unsigned(w->reader->data + ref->at, ref->slot_width)
                   ? WFBS_TOKEN_TRUE
                   : WFBS_TOKEN_FALSE);
        return true;
    case WFBS_FLEX_INT:
    case WFBS_FLEX_UINT:
    case WFBS_FLEX_FLOAT:
        return walk_number(w, ref->type, ref->at, ref->slot_width);
    case WFBS_FLEX_KEY:
        return walk_key(w, ref, &key);
    case WFBS_FLEX_STRING:
        return walk_string(w, ref);
    case WFBS_FLEX_BLOB:
        return walk_blob(w, ref);
    case WFBS_FLEX_INDIRECT_INT:
    case WFBS_FLEX_INDIRECT_UINT:
    case WFBS_FLEX_INDIRECT_FLOAT:
        return walk_indirect(w, ref);
    default:
        break;
    }
    const wfbs_flex_shape shape = wfbs_flex_shape_of(ref->type);
    if (shape == WFBS_FLEX_IS_SCALAR) {
        return WFBS_FLEX_FAIL(w->reader, WFBS_FLEX_ERROR_TYPE, ref->at);
    }
    if (depth >= WFBS_FLEX_MAX_DEPTH) { /* this bounds the C stack */
        return WFBS_FLEX_FAIL(w->reader, WFBS_FLEX_ERROR_DEPTH, ref->at);
    }
    return shape == WFBS_FLEX_IS_MAP ? walk_map(w, ref, depth + 1) : walk_vector(w, ref, depth + 1);
}

bool
wfbs_flex_put_value(wfbs_flex_tokens *w, const wfbs_flex_ref *ref)
{
    return walk_value(w, ref, 0);
}

bool
wfbs_flex_put_keys(wfbs_flex_tokens *w, const wfbs_flex_map *map)
{
    wfbs_flex_span key;

    for (uint64_t i = 0; i < map->keys.count; i++) {
        const wfbs_flex_ref name = wfbs_flex_item(w->reader, &map->keys, i);
        if (!walk_key(w, &name, &key)) {
            return false;
        }
    }
    return true;
}

bool
wfbs_flex_verify(wfbs_flex_reader *r)
{
    wfbs_flex_tokens none = {.reader = r};
    wfbs_flex_ref root;

    return wfbs_flex_root(r, &root) && wfbs_flex_put_value(&none, &root);
}
