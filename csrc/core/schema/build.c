/* Writes a buffer of any schema from back to front: see build.h. */
#include "build.h"

#include "verify.h"

bool
wfbs_build_more(wfbs_builder *b, size_t size)
{
    /* Both parts are at most WFBS_BUILD_MAX before the call, and size_t has at least 32 bits. On 64
     * bits, the sums below are at most 5 * 2^31. On 32 bits, the first test comes before any
     * sum. */
    if (size > WFBS_BUILD_MAX - b->used || size > WFBS_BUILD_MAX - b->held) {
        return false;
    }
    const size_t needed = b->used + b->held + size;
    const size_t doubled = b->capacity < WFBS_BUILD_MAX / 2 ? b->capacity * 2 : b->capacity;
    const size_t wanted = needed < doubled ? doubled : needed;
    return b->grow(b, wanted < 1024 ? 1024 : wanted);
}

/* Writes `size` bytes after zeroed padding, so that their ref is `modulo` above a multiple of
 * `align`. Returns their start. */
static uint8_t *
place(wfbs_builder *b, size_t size, size_t align, size_t modulo)
{
    if (!wfbs_build_reserve(b, size + align)) {
        return NULL;
    }
    const size_t padding = (modulo - (b->used + size)) & (align - 1);
    uint8_t *end = b->memory + b->capacity - b->used;
    memset(end - padding, 0, padding);
    b->used += size + padding;
    b->align = align > b->align ? (uint32_t)align : b->align;
    return end - padding - size;
}

uint8_t *
wfbs_build_string(wfbs_builder *b, size_t size)
{
    if (size > WFBS_BUILD_MAX - 16) {
        return NULL;
    }
    uint8_t *start = place(b, size + 5, 4, 0);
    if (!start) {
        return NULL;
    }
    b->cost += size + 5;
    wfbs_store_u32(start, (uint32_t)size);
    start[4 + size] = 0;
    return start + 4;
}

uint8_t *
wfbs_build_vector(wfbs_builder *b, size_t count, size_t stride, size_t align)
{
    if (count > (WFBS_BUILD_MAX - 1024) / stride) {
        return NULL;
    }
    align = align < 4 ? 4 : align;
    uint8_t *start = place(b, count * stride + 4, align, 4 & (align - 1));
    if (!start) {
        return NULL;
    }
    b->cost += count * stride + 4;
    wfbs_store_u32(start, (uint32_t)count);
    return start + 4;
}

uint8_t *
wfbs_build_struct(wfbs_builder *b, size_t size, size_t align)
{
    b->cost += size + 4;
    return place(b, size, align < 4 ? 4 : align, 0);
}

/* Writes the vtable directly before the table with ref `table`, unless an equal one was written
 * before. Returns its ref. There is room for it. */
static uint32_t
place_vtable(wfbs_builder *b, uint32_t object, const uint8_t *vtable, uint32_t size, uint32_t table)
{
    uint32_t *remembered = &b->vtables[object % WFBS_BUILD_VTABLES];
    if (*remembered) {
        const uint8_t *other = b->memory + b->capacity - *remembered;
        if (wfbs_load_u16(other) == size && memcmp(other, vtable, size) == 0) {
            return *remembered;
        }
    }
    b->used = table + size;
    *remembered = (uint32_t)b->used;
    return *remembered;
}

uint32_t
wfbs_build_table(wfbs_builder *b, const wfbs_plan *plan, uint32_t object, size_t cells_at)
{
    const wfbs_plan_object *of = &plan->objects[object];
    const wfbs_plan_field *fields = wfbs_fields_of(plan, of);
    const uint16_t *order = plan->orders + of->by_align;
    const wfbs_cell *cells = (const wfbs_cell *)(const void *)(b->memory + cells_at);
    size_t size = 4, align = 4;
    uint32_t slots = 0;
    for (uint32_t i = 0; i < of->field_count; i++) {
        if (cells[i].present) {
            size += fields[i].size; /* at most 2^15 fields of 2^16 bytes */
            align = fields[i].align > align ? fields[i].align : align;
            slots = i + 1;
        }
    }
    const uint32_t vtable_size = 4 + 2 * slots; /* at most 65534 */
    if (size > UINT16_MAX || !wfbs_build_reserve(b, size + align + vtable_size)) {
        return 0;
    }
    cells = (const wfbs_cell *)(const void *)(b->memory + cells_at); /* memory may have moved */
    /* The widest fields come first, directly after the 4 bytes, so there are no gaps between
     * fields. */
    uint8_t *table = place(b, size, align, 4 & (align - 1));
    uint8_t *vtable = table - vtable_size;
    const uint32_t ref = (uint32_t)b->used;
    uint32_t offset = 4;
    b->cost += wfbs_table_cost((uint32_t)size, vtable_size, of->field_count);
    b->tables++;
    memset(vtable, 0, vtable_size);
    wfbs_store_u16(vtable, (uint16_t)vtable_size);
    wfbs_store_u16(vtable + 2, (uint16_t)size);
    for (uint32_t i = 0; i < of->field_count; i++) {
        const wfbs_plan_field *f = &fields[order[i]];
        const wfbs_cell *cell = &cells[order[i]];
        if (!cell->present) {
            continue;
        }
        wfbs_store_u16(vtable + f->offset, (uint16_t)offset);
        if (f->shape == WFBS_SHAPE_SCALAR) {
            wfbs_store_bits(table + offset, cell->bits, f->size);
        }
        else if (f->shape == WFBS_SHAPE_STRUCT) {
            memcpy(table + offset, b->memory + cell->bits, f->size);
        }
        else {
            wfbs_store_u32(table + offset, ref - offset - (uint32_t)cell->bits);
        }
        offset += f->size;
    }
    wfbs_store_u32(table, place_vtable(b, object, vtable, vtable_size, ref) - ref);
    return ref;
}

bool
wfbs_build_finish(wfbs_builder *b, uint32_t root, const char *identifier)
{
    uint8_t *start = place(b, identifier ? 8 : 4, b->align, 0);
    if (!start) {
        return false;
    }
    wfbs_store_u32(start, (uint32_t)b->used - root);
    if (identifier) {
        memcpy(start + 4, identifier, 4);
    }
    return true;
}
