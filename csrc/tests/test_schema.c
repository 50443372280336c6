/* Unit tests of loading a schema, and of verifying and walking buffers by it, without Python.
 *
 * Every buffer under test is a heap block of exactly its size: see check.h. */
#include "../core/schema/build.h"
#include "../core/schema/load.h"
#include "../core/schema/path.h"
#include "../core/schema/reflection.h"
#include "../core/schema/walk.h"
#include "check.h"
#include "schema_file.h"

/* Those of messages. */
static const wfbs_limits usual_limits = {0x7FFFFFFF, 65536, 8, 1000000};

/* ---- a good schema */

#define NO_INDEX .index = -1
#define OF(kind) {.base = WFBS_BASE_##kind, NO_INDEX}
#define VECTOR_OF(kind, number) {WFBS_BASE_VECTOR, WFBS_BASE_##kind, 0, (number)}
#define AT(number) .id = (number), .offset = 4 + 2 * (number)

enum { COLOR, SHAPE };                                                        /* enums, by name */
enum { LEAF, NODE, POINT };                                                   /* objects, by name */
enum { NAME, NUMBER, SIZE };                                                  /* fields of Leaf */
enum { CHILD, FLAG, INNER, LEAVES, POINTS, SHAPE_TYPE, SHAPE_VALUE, COLORS }; /* of Node */

/* Fields in the order of their names, as files have them. */
static const schema_text GOOD = {
    .object_count = 3,
    .enum_count = 2,
    .root = "t.Node",
    .identifier = "TEST",
    .objects =
        {
            {.name = "t.Leaf",
             .count = 3,
             .align = 1,
             .fields = {{"name", OF(STRING), AT(NAME), .required = true},
                        {"number", OF(INT), AT(NUMBER), .integer = 5},
                        {"size", OF(ULONG), AT(SIZE), .attribute = "wampid", .value = "0"}}},
            {.name = "t.Node",
             .count = 8,
             .align = 1,
             .fields = {{"child", {.base = WFBS_BASE_OBJ, .index = NODE}, AT(CHILD)},
                        {"colors", VECTOR_OF(UBYTE, COLOR), AT(COLORS)},
                        {"flag", OF(BOOL), AT(FLAG)},
                        {"inner", VECTOR_OF(UBYTE, -1), AT(INNER), .attribute = "nested_flatbuffer",
                         .value = "Node"},
                        {"leaves", VECTOR_OF(OBJ, LEAF), AT(LEAVES)},
                        {"points", VECTOR_OF(OBJ, POINT), AT(POINTS)},
                        {"shape", {.base = WFBS_BASE_UNION, .index = SHAPE}, AT(SHAPE_VALUE)},
                        {"shape_type", {.base = WFBS_BASE_UTYPE, .index = SHAPE}, AT(SHAPE_TYPE)}}},
            {.name = "t.Point",
             .is_struct = true,
             .count = 3,
             .align = 4,
             .size = 12,
             .fields = {{"on", OF(BOOL), .id = 2, .offset = 8},
                        {"x", OF(SHORT), .id = 0, .offset = 0},
                        {"y", OF(FLOAT), .id = 1, .offset = 4}}},
        },
    .enums =
        {
            {"t.Color", WFBS_BASE_UBYTE, .count = 2,
             .values = {{"Red", 0, OF(NONE)}, {"Blue", 7, OF(NONE)}}},
            {"t.Shape", WFBS_BASE_UTYPE, .is_union = true, .count = 3,
             .values = {{"NONE", 0, OF(NONE)},
                        {"Leaf", 1, {.base = WFBS_BASE_OBJ, .index = LEAF}},
                        {"Text", 2, OF(STRING)}}},
        },
};

/* A schema that is loaded. */
typedef struct {
    uint8_t *file;
    size_t size;
    void *memory;
    wfbs_plan plan;
    wfbs_fault fault;
    bool good;
} loaded;

static loaded
load_bytes(uint8_t *file, size_t size)
{
    loaded l = {.file = file, .size = size};
    const size_t room = wfbs_plan_measure(file, size, &l.fault);
    l.memory = room ? malloc(room) : NULL;
    l.good = room && wfbs_plan_load(file, size, false, l.memory, &l.plan, &l.fault);
    return l;
}

static loaded
load(const schema_text *text)
{
    size_t size;
    uint8_t *file = schema_file(text, &size);
    return load_bytes(file, size);
}

static void
unload(loaded *l)
{
    free(l->memory);
    free(l->file);
}

/* A copy of the good one, to be changed; the same each time. */
static schema_text *
fresh(void)
{
    static schema_text copy;
    memcpy(&copy, &GOOD, sizeof copy);
    return &copy;
}

/* Whether a file is refused with this code at this path. */
static bool
is_refused(const schema_text *text, wfbs_fault_code code, const char *path)
{
    char found[256];
    loaded l = load(text);
    wfbs_fault_path(&l.fault, &wfbs_reflection, WFBS_REFLECTION_SCHEMA, found, sizeof found);
    const bool as_expected = !l.good && l.fault.code == code && strcmp(found, path) == 0;
    if (!as_expected) {
        printf("%s at %s in place of %s at %s\n",
               l.good ? "nothing" : wfbs_fault_name(l.fault.code), found, wfbs_fault_name(code),
               path);
    }
    CHECK(l.fault.at < l.size);
    unload(&l);
    return as_expected;
}

#define SCHEMA "reflection.Schema"
#define CHECK_REFUSED(change, code, path)                        \
    do {                                                         \
        schema_text *text = fresh();                             \
        change;                                                  \
        CHECK(is_refused(text, WFBS_FAULT_##code, SCHEMA path)); \
    } while (0)
#define FIELD(object, at) text->objects[object].fields[at]

/* ---- the loader */

static void
test_a_good_schema_is_loaded(void)
{
    loaded l = load(&GOOD);
    CHECK(l.good && l.plan.object_count == 3 && l.plan.enum_count == 2 && l.plan.root == NODE);
    CHECK(wfbs_plan_find_object(&l.plan, "t.Point", 7) == POINT);
    CHECK(wfbs_plan_find_object(&l.plan, "t.Poin", 6) == WFBS_NONE);
    const wfbs_plan_object *leaf = &l.plan.objects[LEAF], *point = &l.plan.objects[POINT];
    const wfbs_plan_field *number = wfbs_fields_of(&l.plan, leaf) + NUMBER;
    CHECK(number->default_bits == 5 && number->offset == 6 && number->size == 4);
    CHECK(leaf->required == 1 && leaf->refused == WFBS_USABLE);
    CHECK(wfbs_fields_of(&l.plan, leaf)[SIZE].demand == WFBS_DEMAND_WAMPID);
    CHECK(point->size == 12 && point->align == 4 && point->is_checked);
    CHECK(wfbs_fields_of(&l.plan, &l.plan.objects[NODE])[INNER].nested == NODE);
    CHECK(wfbs_plan_find_value(&l.plan, &l.plan.enums[COLOR], 7) == 1);
    CHECK(wfbs_plan_find_value(&l.plan, &l.plan.enums[COLOR], 6) == WFBS_NONE);
    unload(&l);
}

static void
test_each_rule_of_types_has_its_code_and_place(void)
{
    CHECK_REFUSED(text->objects[LEAF].name = "t..Leaf", SCHEMA_NAME, ".objects[0]");
    CHECK_REFUSED(text->objects[LEAF].name = "t.Other", SCHEMA_ORDER, ".objects[1]");
    CHECK_REFUSED(text->enums[COLOR].name = "9", SCHEMA_NAME, ".enums[0]");
    CHECK_REFUSED(text->enums[COLOR].name = "t.Shape", SCHEMA_ORDER, ".enums[1]");
    CHECK_REFUSED(text->enums[COLOR].values[0].name = "", SCHEMA_NAME, ".enums[0]");
    CHECK_REFUSED(text->enums[COLOR].base = WFBS_BASE_FLOAT, SCHEMA_ENUM, ".enums[0]");
    CHECK_REFUSED(text->enums[COLOR].values[1].value = -1, SCHEMA_ENUM, ".enums[0]");
    CHECK_REFUSED(text->enums[SHAPE].values[2].value = 1, SCHEMA_ENUM, ".enums[1]");
    CHECK_REFUSED(text->enums[SHAPE].values[1].type.index = 3, SCHEMA_INDEX, ".enums[1]");
    CHECK_REFUSED(text->root = "t.Point", SCHEMA_ROOT, ".root_table");
    CHECK_REFUSED(text->root = "t.Other", SCHEMA_ROOT, ".root_table");
    CHECK_REFUSED(text->identifier = "TES", SCHEMA_IDENTIFIER, ".file_ident");
}

static void
test_each_rule_of_fields_has_its_code_and_place(void)
{
    CHECK_REFUSED(FIELD(LEAF, 1).name = "n.", SCHEMA_NAME, ".objects[0].fields[1]");
    CHECK_REFUSED(FIELD(LEAF, 1).name = "a", SCHEMA_ORDER, ".objects[0].fields[1]");
    CHECK_REFUSED(FIELD(LEAF, 1).id = 3, SCHEMA_ID, ".objects[0].fields[1]");
    CHECK_REFUSED(FIELD(LEAF, 1).id = 0, SCHEMA_ID, ".objects[0].fields[1]");
    CHECK_REFUSED(FIELD(LEAF, 1).offset = 4, SCHEMA_OFFSET, ".objects[0].fields[1]");
    CHECK_REFUSED(FIELD(LEAF, 1).type.index = 2, SCHEMA_INDEX, ".objects[0].fields[1]");
    CHECK_REFUSED(FIELD(LEAF, 1).type.index = COLOR, SCHEMA_TYPE, ".objects[0].fields[1]");
    CHECK_REFUSED(FIELD(LEAF, 1).type.base = WFBS_BASE_NONE, SCHEMA_TYPE, ".objects[0].fields[1]");
    CHECK_REFUSED(FIELD(LEAF, 1).type.base = WFBS_BASE_ARRAY, SCHEMA_TYPE, ".objects[0].fields[1]");
    CHECK_REFUSED(FIELD(NODE, 0).type.index = 99, SCHEMA_INDEX, ".objects[1].fields[0]");
    CHECK_REFUSED(FIELD(NODE, 4).type.index = -2, SCHEMA_INDEX, ".objects[1].fields[4]");
    CHECK_REFUSED(FIELD(NODE, 7).type.base = WFBS_BASE_UBYTE, SCHEMA_TYPE, ".objects[1].fields[7]");
    CHECK_REFUSED(FIELD(NODE, 6).type = (type_text)OF(INT), SCHEMA_UNION, ".objects[1]");
}

static void
test_each_rule_of_structs_has_its_code_and_place(void)
{
    const type_text itself = {.base = WFBS_BASE_OBJ, .index = POINT};
    CHECK_REFUSED(text->objects[POINT].align = 3, SCHEMA_LAYOUT, ".objects[2]");
    CHECK_REFUSED(text->objects[POINT].size = 16, SCHEMA_LAYOUT, ".objects[2]");
    CHECK_REFUSED(text->objects[POINT].count = 0, SCHEMA_LAYOUT, ".objects[2]");
    CHECK_REFUSED(FIELD(POINT, 2).offset = 2, SCHEMA_LAYOUT, ".objects[2]");
    CHECK_REFUSED(FIELD(POINT, 2).type = itself, SCHEMA_RECURSION, ".objects[2]");
    CHECK_REFUSED(FIELD(POINT, 2).type = (type_text)OF(STRING), SCHEMA_TYPE,
                  ".objects[2].fields[2]");
}

/* Why an object of a changed schema is refused, while the schema is loaded. */
static wfbs_refusal
refusal_of(const schema_text *text, uint32_t object)
{
    loaded l = load(text);
    CHECK(l.good);
    const unsigned refused = l.good ? l.plan.objects[object].refused : 0;
    unload(&l);
    return (wfbs_refusal)refused;
}

static void
test_what_can_not_be_used_is_refused_and_the_rest_is_not(void)
{
    schema_text *text = fresh();
    FIELD(LEAF, 1).type.base = WFBS_BASE_VECTOR64;
    CHECK(refusal_of(text, LEAF) == WFBS_REFUSED_VECTOR64);
    CHECK(refusal_of(text, NODE) == WFBS_REFUSED_PART);
    CHECK(refusal_of(text, POINT) == WFBS_USABLE);
    text = fresh();
    FIELD(LEAF, 0).offset64 = true;
    CHECK(refusal_of(text, LEAF) == WFBS_REFUSED_OFFSET64);
    text = fresh();
    FIELD(LEAF, 1).type.base = 100; /* of a later FlatBuffers */
    CHECK(refusal_of(text, LEAF) == WFBS_REFUSED_BASE_TYPE);
    text = fresh();
    FIELD(LEAF, 1).attribute = "wampid"; /* an int */
    CHECK(refusal_of(text, LEAF) == WFBS_REFUSED_ATTRIBUTE);
    text = fresh();
    FIELD(NODE, 3).value = "Point";
    CHECK(refusal_of(text, NODE) == WFBS_REFUSED_NESTED && refusal_of(text, LEAF) == WFBS_USABLE);
}

static void
test_a_cut_or_changed_schema_is_refused_or_loaded(void)
{
    size_t size;
    uint8_t *whole = schema_file(&GOOD, &size);
    unsigned good = 0;
    for (size_t cut = 0; cut < size; cut++) {
        loaded l = load_bytes(take_copy(whole, cut), cut);
        CHECK(l.good || l.fault.code != WFBS_FAULT_OK);
        unload(&l);
    }
    for (size_t at = 0; at < size; at++) {
        uint8_t *file = take_copy(whole, size);
        file[at] ^= (uint8_t)(1u << at % 8);
        loaded l = load_bytes(file, size);
        good += l.good;
        unload(&l);
    }
    CHECK(good > 0 && good < size); /* padding, letters of names */
    free(whole);
}

/* ---- buffers */

/* A table by cells. Its ref. */
static uint32_t
put(wfbs_builder *b, const loaded *l, uint32_t object, const wfbs_cell *cells)
{
    const size_t held = b->held, size = l->plan.objects[object].field_count * sizeof *cells;
    size_t at;
    if (!wfbs_build_hold(b, size, &at)) {
        abort();
    }
    memcpy(b->memory + at, cells, size);
    const uint32_t ref = wfbs_build_table(b, &l->plan, object, at);
    b->held = held;
    return ref;
}

/* The ref of bytes as a string, or as a vector. */
static wfbs_cell
put_bytes(wfbs_builder *b, const void *bytes, size_t size, bool is_text)
{
    uint8_t *to = is_text ? wfbs_build_string(b, size) : wfbs_build_vector(b, size, 1, 8);
    memcpy(to, bytes, size);
    return (wfbs_cell){b->used, 1};
}

static wfbs_builder
start(void)
{
    wfbs_builder b = {.grow = schema_grow};
    wfbs_build_start(&b);
    return b;
}

/* The buffer that was built, as an exact heap block. */
static uint8_t *
finish(wfbs_builder *b, uint32_t root, size_t *size)
{
    if (!wfbs_build_finish(b, root, "TEST")) {
        abort();
    }
    *size = b->used;
    uint8_t *data = take_copy(b->memory + b->capacity - b->used, *size);
    free(b->memory);
    return data;
}

/* A Node with everything in it; `inner` (of `inner_size` bytes, or NULL) in its nested buffer. */
static uint8_t *
sample(const loaded *l, const uint8_t *inner, size_t inner_size, size_t *size)
{
    wfbs_builder b = start();
    wfbs_cell leaf[3] = {{0, 0}}, child[8] = {{0, 0}}, node[8] = {{0, 0}};
    leaf[NAME] = put_bytes(&b, "leaf", 4, true);
    leaf[SIZE] = (wfbs_cell){7, 1};
    const uint32_t ref = put(&b, l, LEAF, leaf);
    child[FLAG] = (wfbs_cell){1, 1};
    child[SHAPE_VALUE] = put_bytes(&b, "text", 4, true);
    child[SHAPE_TYPE] = (wfbs_cell){2, 1};
    node[CHILD] = (wfbs_cell){put(&b, l, NODE, child), 1};
    uint8_t *leaves = wfbs_build_vector(&b, 2, 4, 4);
    wfbs_build_link(&b, leaves, 0, ref);
    wfbs_build_link(&b, leaves, 1, ref);
    node[LEAVES] = (wfbs_cell){b.used, 1};
    memset(wfbs_build_vector(&b, 2, 12, 4), 0, 24);
    node[POINTS] = (wfbs_cell){b.used, 1};
    node[COLORS] = put_bytes(&b, "\0\7\6", 3, false);
    if (inner) {
        node[INNER] = put_bytes(&b, inner, inner_size, false);
    }
    node[SHAPE_VALUE] = (wfbs_cell){ref, 1};
    node[SHAPE_TYPE] = (wfbs_cell){1, 1};
    return finish(&b, put(&b, l, NODE, node), size);
}

static wfbs_fault_code
verify(const loaded *l, const wfbs_limits *limits, bool strict, const uint8_t *data, size_t size)
{
    const wfbs_typed_rules rules = {&l->plan, limits, strict};
    wfbs_fault fault;
    uint32_t root;
    const bool good = wfbs_typed_verify(&rules, NODE, data, size, "TEST", &fault, &root);
    CHECK(good == (fault.code == WFBS_FAULT_OK) && fault.at <= size);
    return fault.code;
}

static void
test_a_buffer_that_was_built_is_good_and_limits_hold(void)
{
    loaded l = load(&GOOD);
    size_t inner_size, size;
    uint8_t *inner = sample(&l, NULL, 0, &inner_size);
    uint8_t *data = sample(&l, inner, inner_size, &size);
    wfbs_limits limits = usual_limits;
    CHECK(verify(&l, &limits, false, data, size) == WFBS_FAULT_OK);
    CHECK(verify(&l, &limits, true, data, size) == WFBS_FAULT_ENUM_VALUE); /* a color of 6 */
    limits.max_size = size - 1;
    CHECK(verify(&l, &limits, false, data, size) == WFBS_FAULT_TOO_LONG);
    limits = usual_limits;
    limits.max_tables = 10; /* two nodes with a child, two leaves and a leaf each */
    CHECK(verify(&l, &limits, false, data, size) == WFBS_FAULT_OK);
    limits.max_tables = 9;
    CHECK(verify(&l, &limits, false, data, size) == WFBS_FAULT_TABLES);
    limits = usual_limits;
    limits.budget_minimum = 0;
    limits.budget_factor = 1; /* the leaf counts three times */
    CHECK(verify(&l, &limits, false, data, size) == WFBS_FAULT_BUDGET);
    free(data);
    free(inner);
    unload(&l);
}

static void
test_what_is_built_counts_what_verification_charges(void)
{
    loaded l = load(&GOOD);
    wfbs_builder b = start();
    wfbs_cell node[8] = {{0, 0}};
    node[COLORS] = put_bytes(&b, "\0\7", 2, false);
    node[CHILD] = (wfbs_cell){put(&b, &l, NODE, node), 1};
    node[COLORS] = put_bytes(&b, "\7", 1, false);
    const uint32_t root = put(&b, &l, NODE, node);
    const size_t cost = (size_t)b.cost;
    size_t size;
    CHECK(b.tables == 2);
    uint8_t *data = finish(&b, root, &size);
    wfbs_limits limits = {.max_size = 1000, .budget_minimum = cost, .max_tables = 2};
    CHECK(verify(&l, &limits, false, data, size) == WFBS_FAULT_OK);
    limits.budget_minimum--;
    CHECK(verify(&l, &limits, false, data, size) == WFBS_FAULT_BUDGET);
    free(data);
    unload(&l);
}

static void
test_levels_are_counted_through_nested_buffers(void)
{
    loaded l = load(&GOOD);
    size_t size;
    wfbs_builder b = start();
    const wfbs_cell nothing[8] = {{0, 0}};
    uint8_t *data = finish(&b, put(&b, &l, NODE, nothing), &size);
    for (unsigned level = 2; level <= WFBS_TYPED_MAX_DEPTH + 1; level++) {
        wfbs_cell node[8] = {{0, 0}};
        b = start();
        node[INNER] = put_bytes(&b, data, size, false);
        const uint32_t root = put(&b, &l, NODE, node);
        free(data);
        data = finish(&b, root, &size);
        CHECK(verify(&l, &usual_limits, false, data, size)
              == (level <= WFBS_TYPED_MAX_DEPTH ? WFBS_FAULT_OK : WFBS_FAULT_DEPTH));
    }
    free(data);
    unload(&l);
}

static void
test_every_cut_of_a_buffer_is_refused(void)
{
    loaded l = load(&GOOD);
    size_t inner_size, size;
    uint8_t *inner = sample(&l, NULL, 0, &inner_size);
    uint8_t *data = sample(&l, inner, inner_size, &size);
    unsigned good = 0;
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *part = take_copy(data, cut);
        good += verify(&l, &usual_limits, false, part, cut) == WFBS_FAULT_OK;
        free(part);
    }
    CHECK(good < 4); /* padding at the end */
    free(data);
    free(inner);
    unload(&l);
}

static void
test_a_value_is_found_by_its_path(void)
{
    static const struct {
        const char *path;
        wfbs_fault_code code;
        wfbs_place_kind kind;
    } paths[] = {{"leaves[1].size", WFBS_FAULT_OK, WFBS_PLACE_FIELD},
                 {"leaves[2].size", WFBS_FAULT_INDEX, WFBS_PLACE_FIELD},
                 {"points[1].y", WFBS_FAULT_OK, WFBS_PLACE_MEMBER},
                 {"colors[2]", WFBS_FAULT_OK, WFBS_PLACE_ELEMENT},
                 {"shape.name", WFBS_FAULT_OK, WFBS_PLACE_FIELD},
                 {"child.child.flag", WFBS_FAULT_OK, WFBS_PLACE_ABSENT},
                 {"child.shape.name", WFBS_FAULT_PATH, WFBS_PLACE_FIELD},
                 {"nothing", WFBS_FAULT_PATH, WFBS_PLACE_FIELD},
                 {"colors[", WFBS_FAULT_PATH, WFBS_PLACE_FIELD}};
    loaded l = load(&GOOD);
    size_t size;
    uint8_t *data = sample(&l, NULL, 0, &size);
    const wfbs_typed_rules rules = {&l.plan, &usual_limits, false};
    for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
        wfbs_verifier v;
        wfbs_fault fault;
        wfbs_place place;
        uint32_t root;
        CHECK(wfbs_typed_open(&v, &rules, data, size, NULL, &fault, &root));
        const bool good =
            wfbs_typed_find(&v, NODE, root, paths[i].path, strlen(paths[i].path), &place);
        CHECK(fault.code == paths[i].code && good == (fault.code == WFBS_FAULT_OK));
        CHECK(!good || place.kind == paths[i].kind);
    }
    free(data);
    unload(&l);
}

int
main(void)
{
    test_a_good_schema_is_loaded();
    test_each_rule_of_types_has_its_code_and_place();
    test_each_rule_of_fields_has_its_code_and_place();
    test_each_rule_of_structs_has_its_code_and_place();
    test_what_can_not_be_used_is_refused_and_the_rest_is_not();
    test_a_cut_or_changed_schema_is_refused_or_loaded();
    test_a_buffer_that_was_built_is_good_and_limits_hold();
    test_what_is_built_counts_what_verification_charges();
    test_levels_are_counted_through_nested_buffers();
    test_every_cut_of_a_buffer_is_refused();
    test_a_value_is_found_by_its_path();
    return report("schema");
}
