/* Declarations that the files of the loader share. */
#ifndef WFBS_LOADER_H
#define WFBS_LOADER_H

#include "fault.h"
#include "reflection.h"
#include "walk.h"

/* A plan under construction: its arrays, not yet const, and the verified file. */
typedef struct {
    const uint8_t *data;
    uint32_t schema; /* position of the root table */
    wfbs_plan_object *objects;
    wfbs_plan_enum *enums;
    wfbs_plan_field *fields;
    wfbs_name *field_names;
    uint16_t *orders;
    wfbs_plan_value *values;
    wfbs_plan *plan;
    wfbs_fault *fault;
} wfbs_loader;

/* Reads the verified file: `object` and `number` refer to wfbs_reflection.
 *
 * The position of a field, 0 if absent; the position of the table or vector that it refers to (of a
 * vector: its first element), 0 if absent; a scalar, or its default if absent; a string, empty if
 * absent. */
uint32_t wfbs_loader_table(const wfbs_loader *l, uint32_t table, unsigned object, unsigned number);
uint32_t wfbs_loader_vector(const wfbs_loader *l, uint32_t table, unsigned object, unsigned number,
                            uint32_t *count);
uint64_t wfbs_loader_scalar(const wfbs_loader *l, uint32_t table, unsigned object, unsigned number);
wfbs_name wfbs_loader_text(const wfbs_loader *l, uint32_t table, unsigned object, unsigned number);
/* The table that element `i` of a vector of tables refers to. */
static inline uint32_t
wfbs_loader_element(const wfbs_loader *l, uint32_t elements, uint32_t i)
{
    return wfbs_follow(l->data, elements + 4 * i);
}
/* The tables of an object and of an enum in the file. */
uint32_t wfbs_loader_object(const wfbs_loader *l, uint32_t index);
uint32_t wfbs_loader_enum(const wfbs_loader *l, uint32_t index);

/* Fill the fault with the place of an object's field, an object, or an enum. All return false. */
bool wfbs_loader_fail_field(wfbs_loader *l, wfbs_fault_code code, uint32_t object, uint32_t field);
bool wfbs_loader_fail_object(wfbs_loader *l, wfbs_fault_code code, uint32_t object);
bool wfbs_loader_fail_enum(wfbs_loader *l, wfbs_fault_code code, uint32_t index);
/* Whether text is a name: letters, digits and underscores; a qualified name also has dots. */
bool wfbs_loader_is_name(wfbs_name name, bool qualified);
bool wfbs_name_is(wfbs_name name, const char *text);
/* Negative, 0 or positive, like strcmp. */
int wfbs_name_compare(wfbs_name a, wfbs_name b);

/* load_enums.c: one enum or union, whose name and place are known. False with the fault filled. */
bool wfbs_loader_compile_enum(wfbs_loader *l, uint32_t index);

/* load_types.c: fills in one field from its table. The structs that it contains have been laid out.
 * `source` is its place in the file. True, perhaps with a refusal; or false with the fault
 * filled. */
bool wfbs_loader_field(wfbs_loader *l, uint32_t object, uint32_t source, uint32_t table,
                       wfbs_plan_field *field, wfbs_refusal *refusal);

#endif
