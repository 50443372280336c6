/* Finds one value by its path: see path.h. */
#include "path.h"

#include "walk.h"

/* The rest of the path, and the place reached so far. */
typedef struct {
    wfbs_verifier *v;
    const char *next;
    const char *end;
    wfbs_place *place;
    uint32_t object; /* the table or struct at `at` */
    uint64_t at;
    bool in_struct;
} walker;

static bool
fail(walker *w, wfbs_fault_code code, uint64_t at)
{
    w->v->fault->code = code;
    w->v->fault->at = w->v->base + at;
    return false;
}

/* An index in brackets, if there is one. */
static bool
parse_index(walker *w, bool *given, uint32_t *index)
{
    uint64_t number = 0;
    *given = w->next < w->end && *w->next == '[';
    if (!*given) {
        return true;
    }
    const char *start = ++w->next;
    while (w->next < w->end && *w->next >= '0' && *w->next <= '9' && number < UINT32_MAX) {
        number = number * 10 + (uint64_t)(*w->next++ - '0');
    }
    *index = (uint32_t)number;
    if (number >= UINT32_MAX) {
        return fail(w, WFBS_FAULT_INDEX, 0);
    }
    return (w->next > start && w->next < w->end && *w->next++ == ']')
           || fail(w, WFBS_FAULT_PATH, 0);
}

/* Continues with the table or struct at a place. Also true at the end of the path. */
static void
enter(walker *w, uint32_t object, uint64_t at, bool is_struct)
{
    w->object = object;
    w->at = at;
    w->in_struct = is_struct;
}

/* An element of a vector field at `at`. It is verified if it is the last part of the path. */
static bool
step_element(walker *w, const wfbs_plan_field *f, uint64_t at, uint32_t index, bool last)
{
    wfbs_verifier *v = w->v;
    uint64_t start, table;
    if (f->element == WFBS_SHAPE_UNION) {
        return fail(w, WFBS_FAULT_PATH, 0);
    }
    if (f->shape == WFBS_SHAPE_VECTOR) {
        if (!wfbs_verify_follow(v, at, &start)) {
            return false;
        }
        const uint64_t count = wfbs_load_u32(v->data + start);
        /* follow() ensures: start + 4 <= size */
        if (count * f->stride > v->size - start - 4) {
            return fail(w, WFBS_FAULT_VECTOR_RANGE, start);
        }
        if (index >= count) {
            return fail(w, WFBS_FAULT_INDEX, start);
        }
        at = start + 4;
    }
    else if (index >= f->fixed_length) {
        return fail(w, WFBS_FAULT_INDEX, at);
    }
    *w->place = (wfbs_place){WFBS_PLACE_ELEMENT, w->object, w->place->number, index, at};
    at += (uint64_t)index * f->stride;
    if (f->element == WFBS_SHAPE_STRUCT) {
        enter(w, f->index, at, true);
        return !last || wfbs_verify_struct(v, f->index, at);
    }
    if (f->element == WFBS_SHAPE_TABLE) {
        if (!wfbs_verify_follow(v, at, &table)) {
            return false;
        }
        enter(w, f->index, table, false);
        return !last || wfbs_verify_table(v, f->index, table);
    }
    return last ? wfbs_verify_scalar_or_string(v, f, at) : fail(w, WFBS_FAULT_PATH, 0);
}

/* The present member of a union, which must be a table or a struct: continues in it. */
static bool
step_union(walker *w, const wfbs_table_head *head, const wfbs_plan_field *f, uint64_t at)
{
    wfbs_verifier *v = w->v;
    const wfbs_plan *plan = v->rules->plan;
    uint64_t tag_at, target;
    if (!wfbs_verify_slot(v, head, f - 1, &tag_at)) {
        return false;
    }
    const uint32_t number =
        tag_at ? wfbs_plan_find_value(plan, &plan->enums[f->index], v->data[tag_at]) : WFBS_NONE;
    if (number == WFBS_NONE || !v->data[tag_at]) {
        w->place->kind = WFBS_PLACE_ABSENT;
        return true;
    }
    const wfbs_plan_value *member = &plan->values[plan->enums[f->index].values + number];
    if (member->shape != WFBS_SHAPE_TABLE) {
        return fail(w, WFBS_FAULT_PATH, at);
    }
    if (!wfbs_verify_follow(v, at, &target)) {
        return false;
    }
    enter(w, member->index, target, false);
    return true;
}

/* A field of the current table. `number` has been found. */
static bool
step_table(walker *w, uint32_t number, bool indexed, uint32_t index, bool last)
{
    wfbs_verifier *v = w->v;
    const wfbs_plan *plan = v->rules->plan;
    const wfbs_plan_field *f = wfbs_fields_of(plan, &plan->objects[w->object]) + number;
    wfbs_table_head head;
    uint64_t at, table;
    if (!wfbs_verify_head(v, w->at, &head) || !wfbs_verify_slot(v, &head, f, &at)) {
        return wfbs_fault_step(v->fault, w->object, number);
    }
    *w->place = (wfbs_place){WFBS_PLACE_FIELD, w->object, number, 0, w->at};
    if (last && !indexed) { /* a union's type is verified with the union */
        const uint32_t tag = (f->flags & WFBS_FIELD_TAG) != 0;
        return wfbs_verify_field(v, w->object, &head, number + tag);
    }
    if (!at) {
        w->place->kind = WFBS_PLACE_ABSENT;
        return true;
    }
    bool good;
    if (indexed) {
        good = f->shape == WFBS_SHAPE_VECTOR ? step_element(w, f, at, index, last)
                                             : fail(w, WFBS_FAULT_PATH, at);
    }
    else if (f->shape == WFBS_SHAPE_TABLE) {
        good = wfbs_verify_follow(v, at, &table);
        enter(w, f->index, good ? table : 0, false);
    }
    else if (f->shape == WFBS_SHAPE_STRUCT) {
        enter(w, f->index, at, true);
        good = true;
    }
    else {
        good = f->shape == WFBS_SHAPE_UNION ? step_union(w, &head, f, at)
                                            : fail(w, WFBS_FAULT_PATH, at);
    }
    return good || wfbs_fault_step(v->fault, w->place->object, number);
}

/* A member of the current struct, which is within the buffer. */
static bool
step_struct(walker *w, uint32_t number, bool indexed, uint32_t index, bool last)
{
    const wfbs_plan *plan = w->v->rules->plan;
    const wfbs_plan_field *f = wfbs_fields_of(plan, &plan->objects[w->object]) + number;
    *w->place = (wfbs_place){WFBS_PLACE_MEMBER, w->object, number, 0, w->at};
    if (last && !indexed) {
        return wfbs_verify_struct(w->v, w->object, w->at);
    }
    if (indexed) {
        return f->shape == WFBS_SHAPE_ARRAY ? step_element(w, f, w->at + f->offset, index, last)
                                            : fail(w, WFBS_FAULT_PATH, w->at);
    }
    if (f->shape != WFBS_SHAPE_STRUCT) {
        return fail(w, WFBS_FAULT_PATH, w->at);
    }
    enter(w, f->index, w->at + f->offset, true);
    return true;
}

bool
wfbs_typed_find(wfbs_verifier *v, uint32_t object, uint32_t root, const char *path, size_t size,
                wfbs_place *place)
{
    const wfbs_plan *plan = v->rules->plan;
    walker w = {v, path, path + size, place, object, root, false};
    for (bool last = false; !last;) {
        const char *start = w.next;
        bool indexed;
        uint32_t index = 0;
        while (w.next < w.end && *w.next != '.' && *w.next != '[') {
            w.next++;
        }
        const wfbs_plan_object *of = &plan->objects[w.object];
        const uint32_t number = wfbs_plan_find_field(plan, of, start, (size_t)(w.next - start));
        if (number == WFBS_NONE
            || (wfbs_fields_of(plan, of)[number].flags & WFBS_FIELD_DEPRECATED)) {
            return fail(&w, WFBS_FAULT_PATH, 0);
        }
        if (!parse_index(&w, &indexed, &index)) {
            return false;
        }
        last = w.next == w.end;
        if (!last && *w.next++ != '.') {
            return fail(&w, WFBS_FAULT_PATH, 0);
        }
        if (!(w.in_struct ? step_struct(&w, number, indexed, index, last)
                          : step_table(&w, number, indexed, index, last))) {
            return false;
        }
        if (place->kind == WFBS_PLACE_ABSENT) {
            break;
        }
    }
    return true;
}
