/* Errors as text. */
#include "fault.h"

#include <stdio.h>
#include <string.h>

#include "wamp_attributes.h"

bool
wfbs_fault_step(wfbs_fault *fault, uint32_t object, uint32_t field)
{
    if (fault->count < sizeof fault->steps / sizeof *fault->steps) {
        fault->steps[fault->count++] = (wfbs_step){object, field, fault->element};
    }
    fault->element = WFBS_NONE;
    return false;
}

const char *
wfbs_fault_name(wfbs_fault_code code)
{
    static const char *const names[] = {
#define WFBS_FAULT_NAME(code, text) #code,
        WFBS_FAULTS(WFBS_FAULT_NAME)
#undef WFBS_FAULT_NAME
    };
    return code < WFBS_FAULT_COUNT ? names[code] : "VALUE";
}

/* Appends to a text of `used` bytes; keeps the zero byte at the end. */
static size_t
append(char *to, size_t room, size_t used, const char *text, size_t size)
{
    const size_t left = room - 1 - used; /* used < room always */
    const size_t taken = size < left ? size : left;
    memcpy(to + used, text, taken);
    to[used + taken] = 0;
    return used + taken;
}

void
wfbs_fault_path(const wfbs_fault *fault, const wfbs_plan *plan, uint32_t root, char *to,
                size_t room)
{
    size_t used = 0;
    to[0] = 0;
    if (root < plan->object_count) {
        used = append(to, room, used, plan->objects[root].name.data, plan->objects[root].name.size);
    }
    for (uint32_t i = fault->count; i-- > 0;) {
        const wfbs_step *step = &fault->steps[i];
        const wfbs_plan_object *object = &plan->objects[step->object];
        const wfbs_name name = plan->field_names[object->fields + step->field];
        used = append(to, room, used, ".", 1);
        used = append(to, room, used, name.data, name.size);
        if (step->element != WFBS_NONE) {
            char number[16];
            const int digits =
                snprintf(number, sizeof number, "[%lu]", (unsigned long)step->element);
            used = append(to, room, used, number, (size_t)digits);
        }
    }
}

void
wfbs_fault_reason(const wfbs_fault *fault, char *to, size_t room)
{
    static const char *const texts[] = {
#define WFBS_FAULT_TEXT(code, text) text,
        WFBS_FAULTS(WFBS_FAULT_TEXT)
#undef WFBS_FAULT_TEXT
    };
    if (fault->text[0]) {
        (void)snprintf(to, room, "%s", fault->text);
    }
    else if (fault->code == WFBS_FAULT_DEMAND) {
        wfbs_demand_reason(fault->demand, fault->got, to, room);
    }
    else {
        (void)snprintf(to, room, "%s", texts[fault->code < WFBS_FAULT_COUNT ? fault->code : 0]);
    }
}
