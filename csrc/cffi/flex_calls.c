/* FlexBuffers for the cffi binding. See flex_calls.h. */
#include "flex_calls.h"

#include <stdlib.h>
#include <string.h>

static void
report(const wfbs_flex_reader *r, wfbs_flex_fault *fault)
{
    *fault = (wfbs_flex_fault){(int)r->error, r->error_at};
}

int64_t
wfbs_cffi_flex_read(const uint8_t *data, size_t size, const wfbs_flex_ref *ref, int whole,
                    int64_t *out, int64_t room, wfbs_flex_fault *fault)
{
    /* At most 2 slots of 16 bytes for each 32 bytes of an object in memory: can't wrap. */
    const unsigned bits = wfbs_flex_seen_bits(size);
    const size_t count = ((size_t)1 << bits) + WFBS_FLEX_SEEN;
    uint64_t *lent = NULL;
    wfbs_flex_reader r;
    wfbs_flex_tokens w = {.reader = &r, .out = out, .room = room};
    wfbs_flex_ref root;

    wfbs_flex_open(&r, data, size);
    if (whole && bits > WFBS_FLEX_SEEN_BITS) {
        lent = calloc(count, 2 * sizeof *lent);
        if (!lent) {
            return -1;
        }
        wfbs_flex_lend(&r, bits, lent, lent + count);
    }
    if (ref) {
        (void)wfbs_flex_put_value(&w, ref);
    }
    else if (wfbs_flex_root(&r, &root)) {
        (void)wfbs_flex_put_value(&w, &root);
    }
    free(lent);
    report(&r, fault);
    return w.count;
}

int64_t
wfbs_cffi_flex_keys(const uint8_t *data, size_t size, const wfbs_flex_map *map, int64_t *out,
                    int64_t room, wfbs_flex_fault *fault)
{
    wfbs_flex_reader r;
    wfbs_flex_tokens w = {.reader = &r, .out = out, .room = room};

    wfbs_flex_open(&r, data, size);
    (void)wfbs_flex_put_keys(&w, map);
    report(&r, fault);
    return w.count;
}

void
wfbs_cffi_flex_root(const uint8_t *data, size_t size, wfbs_flex_ref *out, wfbs_flex_fault *fault)
{
    wfbs_flex_reader r;

    wfbs_flex_open(&r, data, size);
    (void)wfbs_flex_root(&r, out);
    report(&r, fault);
}

int
wfbs_cffi_flex_container(const uint8_t *data, size_t size, const wfbs_flex_ref *ref,
                         wfbs_flex_map *out, wfbs_flex_fault *fault)
{
    const wfbs_flex_shape shape = wfbs_flex_shape_of(ref->type);
    wfbs_flex_reader r;

    wfbs_flex_open(&r, data, size);
    if (shape == WFBS_FLEX_IS_MAP) {
        (void)wfbs_flex_map_of(&r, ref, out);
    }
    else if (shape == WFBS_FLEX_IS_VECTOR) {
        (void)wfbs_flex_vector_of(&r, ref, &out->values);
    }
    report(&r, fault);
    return (int)shape;
}

void
wfbs_cffi_flex_item(const uint8_t *data, size_t size, const wfbs_flex_map *map, uint64_t i,
                    wfbs_flex_ref *out)
{
    wfbs_flex_reader r;

    wfbs_flex_open(&r, data, size);
    *out = wfbs_flex_item(&r, &map->values, i);
}

uint64_t
wfbs_cffi_flex_find(const uint8_t *data, size_t size, const wfbs_flex_map *map, const uint8_t *text,
                    size_t text_size, wfbs_flex_fault *fault)
{
    uint64_t found = map->keys.count;
    wfbs_flex_reader r;

    wfbs_flex_open(&r, data, size);
    (void)wfbs_flex_find(&r, map, text, text_size, &found);
    report(&r, fault);
    return found;
}

int64_t
wfbs_cffi_flex_write(int64_t *slots, int64_t count, int type, int compact, int64_t keys,
                     int keys_width, int64_t at, uint8_t *out)
{
    wfbs_flex_slot *const parts = (wfbs_flex_slot *)(void *)slots;
    wfbs_flex_parts v = {parts, (size_t)count, keys < 0 ? WFBS_FLEX_NO_KEYS : (uint64_t)keys,
                         (uint8_t)keys_width, (uint8_t)type};
    size_t size = 0;

    _Static_assert(sizeof *parts == 2 * sizeof *slots, "a slot takes the place of its numbers");
    for (size_t i = 0; i < v.count; i++) {
        const int64_t packed = slots[2 * i + 1];
        const wfbs_flex_slot slot = {
            .bits = (uint64_t)slots[2 * i], .type = (uint8_t)(packed >> 2), .width = packed & 3};
        memcpy(&slots[2 * i], &slot, sizeof slot);
    }
    if (type == WFBS_FLEX_NULL) {
        return (int64_t)wfbs_flex_write_end(parts, (uint64_t)at, out);
    }
    if (compact && type == WFBS_FLEX_VECTOR) {
        v.type = wfbs_flex_vector_type(parts, v.count);
    }
    if (compact && (v.type == WFBS_FLEX_VECTOR || v.type == WFBS_FLEX_MAP)) {
        uint8_t log;
        size = wfbs_flex_indirect_size(parts, v.count, (uint64_t)at, &log);
        if (size) {
            wfbs_flex_write_indirect(parts, v.count, (uint64_t)at, log, out);
        }
    }
    const uint64_t begin = (uint64_t)at + size;
    const uint8_t width = wfbs_flex_width(&v, begin);
    const wfbs_flex_slot slot = wfbs_flex_write(&v, begin, width, out + size);
    size += wfbs_flex_size(&v, begin, width);
    slots[0] = (int64_t)slot.bits;
    slots[1] = slot.type << 2 | slot.width;
    return (int64_t)size;
}
