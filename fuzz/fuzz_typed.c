/* Fuzz target: a buffer of one of the tests' schemas. The first two bytes select schema and table.
 * An accepted buffer is read completely; from a refused one, each of its fields is requested by
 * name. */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "../csrc/core/schema/load.h"
#include "../csrc/core/schema/path.h"
#include "typed_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SCHEMAS = 64 };
static wfbs_plan plans[SCHEMAS];
static unsigned plan_count;

/* Loads a schema, which stays. */
static void
load(const char *name)
{
    FILE *file = fopen(name, "rb");
    wfbs_fault fault;
    uint8_t *data = malloc(1 << 20);
    const size_t size = file && data ? fread(data, 1, 1 << 20, file) : 0;
    const size_t room = wfbs_plan_measure(data, size, &fault);
    void *memory = room ? malloc(room) : NULL;
    if (!memory || !wfbs_plan_load(data, size, false, memory, &plans[plan_count], &fault)) {
        fprintf(stderr, "not a schema: %s\n", name);
        abort();
    }
    plan_count++;
    fclose(file);
}

static void
load_all(void)
{
    const char *pattern = getenv("FUZZ_SCHEMAS");
    glob_t found;
    if (glob(pattern ? pattern : "tests/typed/schemas/*.bfbs", 0, NULL, &found) != 0) {
        fprintf(stderr, "no schemas\n");
        abort();
    }
    for (size_t i = 0; i < found.gl_pathc && plan_count < SCHEMAS; i++) {
        load(found.gl_pathv[i]);
    }
    globfree(&found);
}

/* Requests each field of a table by its name: verification along a path. */
static void
find_all(const wfbs_typed_rules *rules, uint32_t object, const uint8_t *data, size_t size)
{
    const wfbs_plan_object *of = &rules->plan->objects[object];
    for (uint32_t i = 0; i < of->field_count; i++) {
        const wfbs_name name = rules->plan->field_names[of->fields + i];
        wfbs_verifier v;
        wfbs_fault fault;
        wfbs_place place;
        uint32_t root;
        char path[300];
        const int length =
            snprintf(path, sizeof path, "%.*s%s", (int)name.size, name.data, i % 2 ? "[0]" : "");
        if (wfbs_typed_open(&v, rules, data, size, NULL, &fault, &root)) {
            wfbs_typed_find(&v, object, root, path, (size_t)length, &place);
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wfbs_fault fault;
    uint32_t root;
    char text[512];
    if (!plan_count) {
        load_all();
    }
    if (size < 2) {
        return 0;
    }
    const wfbs_plan *plan = &plans[data[0] % plan_count];
    const uint32_t object = plan->object_count ? data[1] % plan->object_count : 0;
    if (!plan->object_count || plan->objects[object].is_struct || plan->objects[object].refused) {
        return 0;
    }
    size -= 2;
    uint8_t *copy = malloc(
        size ? size : 1); /* exactly its size, so that a sanitizer detects a read past its end */
    if (!copy) {
        abort();
    }
    if (size) {
        memcpy(copy, data + 2, size);
    }
    const wfbs_typed_rules rules = {plan, &wfbs_default_limits, (data[0] & 0x80) != 0};
    if (wfbs_typed_verify(&rules, object, copy, size, NULL, &fault, &root)) {
        walk_table(plan, object, copy, root);
    }
    else {
        wfbs_fault_path(&fault, plan, object, text, sizeof text);
        wfbs_fault_reason(&fault, text, sizeof text);
        find_all(&rules, object, copy, size);
    }
    free(copy);
    return 0;
}
