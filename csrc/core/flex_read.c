/* FlexBuffers: checks containers as a whole, looks up keys in maps, and checks whole buffers. */
#include "flex_read.h"

#include "verify.h"

const char *
wfbs_flex_error_text(wfbs_flex_error error)
{
    static const char *const texts[WFBS_FLEX_ERROR_COUNT] = {
#define WFBS_FLEX_ERROR_TEXT(code, text) text,
        WFBS_FLEX_ERRORS(WFBS_FLEX_ERROR_TEXT)
#undef WFBS_FLEX_ERROR_TEXT
    };
    return error < WFBS_FLEX_ERROR_COUNT ? texts[error] : "unknown error";
}

/* Checks that `count` elements of `size` bytes each fit between `at` and `limit`, and charges for
 * the visit. */
static bool
take_elements(wfbs_flex_reader *r, uint64_t at, uint64_t limit, uint64_t count, unsigned size)
{
    /* at <= limit. Division instead of multiplication, which could wrap; after it the product
     * is at most the size of the bytes. */
    if (count > (limit - at) / size) {
        return WFBS_FLEX_FAIL(r, WFBS_FLEX_ERROR_RANGE, at);
    }
    return wfbs_flex_charge(r, count * size + WFBS_FLEX_VISIT_COST, at);
}

/* The element type of a typed vector of any length. */
static uint8_t
typed_element(uint8_t type)
{
    if (type == WFBS_FLEX_VECTOR_BOOL) {
        return WFBS_FLEX_BOOL;
    }
    if (type == WFBS_FLEX_VECTOR_STRING) {
        return WFBS_FLEX_KEY;
    }
    return (uint8_t)(type - WFBS_FLEX_VECTOR_INT + WFBS_FLEX_INT);
}

bool
wfbs_flex_vector_of(wfbs_flex_reader *r, const wfbs_flex_ref *ref, wfbs_flex_vector *out)
{
    const uint8_t type = ref->type;
    uint64_t at, count;

    if (!wfbs_flex_aligned_target(r, ref, &at)) {
        return false;
    }
    if (type >= WFBS_FLEX_VECTOR_INT2 && type <= WFBS_FLEX_VECTOR_FLOAT4) {
        const unsigned kind = type - WFBS_FLEX_VECTOR_INT2;
        count = kind / 3 + 2;
        *out = (wfbs_flex_vector){at,  at, count, ref->width, (uint8_t)(WFBS_FLEX_INT + kind % 3),
                                  true};
        return take_elements(r, at, ref->limit, count, ref->width);
    }
    if (!wfbs_flex_length(r, ref, at, &count)) {
        return false;
    }
    const bool typed = type != WFBS_FLEX_VECTOR;
    *out = (wfbs_flex_vector){
        at - ref->width, at, count, ref->width, typed ? typed_element(type) : 0, typed};
    return take_elements(r, at, ref->limit, count, typed ? ref->width : ref->width + 1u);
}

bool
wfbs_flex_map_of(wfbs_flex_reader *r, const wfbs_flex_ref *ref, wfbs_flex_map *out)
{
    uint64_t at, count;

    if (!wfbs_flex_aligned_target(r, ref, &at) || !wfbs_flex_length(r, ref, at, &count)) {
        return false;
    }
    /* The words before the values: the position of the keys, the width of their vector, the
     * length. */
    const uint64_t before = UINT64_C(3) * ref->width;
    if (at < before) {
        return WFBS_FLEX_FAIL(r, WFBS_FLEX_ERROR_OFFSET, ref->at);
    }
    const uint64_t start = at - before;
    out->values = (wfbs_flex_vector){start, at, count, ref->width, 0, false};
    if (!take_elements(r, at, ref->limit, count, ref->width + 1u)) {
        return false;
    }
    const uint64_t width = wfbs_flex_load_unsigned(r->data + start + ref->width, ref->width);
    if (!wfbs_flex_width_is_valid(width)) {
        return WFBS_FLEX_FAIL(r, WFBS_FLEX_ERROR_WIDTH, start + ref->width);
    }
    const wfbs_flex_ref keys = {start, start, ref->width, WFBS_FLEX_VECTOR_KEY, (uint8_t)width};
    uint64_t keys_at, keys_count;
    if (!wfbs_flex_aligned_target(r, &keys, &keys_at)
        || !wfbs_flex_length(r, &keys, keys_at, &keys_count)) {
        return false;
    }
    if (keys_count != count) {
        return WFBS_FLEX_FAIL(r, WFBS_FLEX_ERROR_MAP_KEYS, at);
    }
    if (count > (start - keys_at) / width) { /* keys_at <= start, its limit */
        return WFBS_FLEX_FAIL(r, WFBS_FLEX_ERROR_RANGE, keys_at);
    }
    out->keys =
        (wfbs_flex_vector){keys_at - width, keys_at, count, (uint8_t)width, WFBS_FLEX_KEY, true};
    return true; /* keys are charged one by one */
}

/* ---- look-up */

/* Compares the key of element `i` with `text`. Sets *order to < 0, 0 or > 0. */
static bool
compare_key(wfbs_flex_reader *r, const wfbs_flex_vector *keys, uint64_t i, const uint8_t *text,
            size_t size, int *order)
{
    const wfbs_flex_ref ref = wfbs_flex_item(r, keys, i);
    wfbs_flex_span key;
    uint64_t target;

    if (!wfbs_flex_target(r, &ref, &target) || !wfbs_flex_key_at(r, target, ref.limit, &key)
        || !wfbs_flex_charge(r, key.size + WFBS_FLEX_VISIT_COST, target)) {
        return false;
    }
    const size_t shorter = key.size < size ? (size_t)key.size : size;
    *order = memcmp(r->data + key.at, text, shorter);
    if (*order == 0) {
        *order = (key.size > size) - (key.size < size);
    }
    return true;
}

bool
wfbs_flex_find(wfbs_flex_reader *r, const wfbs_flex_map *map, const uint8_t *text, size_t size,
               uint64_t *index)
{
    const uint64_t count = map->keys.count;
    uint64_t low = 0, high = count, found = count;
    int order;

    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (!compare_key(r, &map->keys, middle, text, size, &order)) {
            return false;
        }
        if (order == 0) {
            found = middle;
            break;
        }
        if (order < 0) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    /* Equal keys are neighbours if the keys are in order; otherwise, every key is compared. */
    low = found == count ? 0 : found - (found > 0);
    high = found == count ? count : found + 1 + (found + 1 < count);
    for (uint64_t i = low; i < high; i++) {
        if (i == found) {
            continue;
        }
        if (!compare_key(r, &map->keys, i, text, size, &order)) {
            return false;
        }
        if (order == 0 && found != count) {
            return WFBS_FLEX_FAIL(r, WFBS_FLEX_ERROR_DUPLICATE, map->keys.at + i * map->keys.width);
        }
        if (order == 0) {
            found = i;
        }
    }
    *index = found;
    return true;
}
