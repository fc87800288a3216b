#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/arena.h"
#include "core/base/heap.h"
#include "core/base/list.h"
#include "core/base/map.h"
#include "core/base/slab.h"

struct thing {
    struct map_node in_map;
    struct heap_node in_heap;
    struct list in_list;
    uint64_t number;
};

enum { THINGS = 5000 };

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static struct thing *look_up(const struct map *m, uint64_t hash, uint64_t number)
{
    for (struct map_node *n = map_find(m, hash); n; n = map_find_next(n)) {
        struct thing *t = CONTAINER_OF(n, struct thing, in_map);
        if (t->number == number) {
            return t;
        }
    }
    return NULL;
}

static void a_map_finds_what_is_in_it_also_where_hashes_are_alike(void **state)
{
    (void)state;
    struct map m = {0};
    struct thing *things = calloc(THINGS, sizeof *things);
    assert_non_null(things);
    for (uint64_t i = 0; i < THINGS; i++) {
        things[i].number = i;
        assert_true(map_insert(&m, &things[i].in_map, hash_u64(i / 3))); /* three of a hash */
    }
    assert_int_equal(m.count, THINGS);
    for (uint64_t i = 0; i < THINGS; i += 2) {
        map_remove(&m, &things[i].in_map);
    }
    for (uint64_t i = 0; i < THINGS; i++) {
        struct thing *found = look_up(&m, hash_u64(i / 3), i);
        assert_ptr_equal(found, i % 2 == 0 ? NULL : &things[i]);
    }
    size_t seen = 0;
    struct map_iter it = map_begin(&m);
    while (map_next(&it)) {
        seen++;
    }
    assert_int_equal(seen, THINGS / 2);
    assert_null(map_find(&m, hash_u64(99999)));
    map_done(&m);
    free(things);
}

static void an_empty_map_has_nothing(void **state)
{
    (void)state;
    struct map m = {0};
    struct map_iter it = map_begin(&m);
    assert_null(map_find(&m, 0));
    assert_null(map_next(&it));
    map_done(&m);
}

static void hashes_depend_on_the_seed_and_on_case_as_said(void **state)
{
    (void)state;
    struct hash_seed a = {1, 2}, b = {1, 3};
    assert_true(hash_bytes(a, STR("x")) == hash_bytes(a, STR("x")));
    assert_true(hash_bytes(a, STR("x")) != hash_bytes(b, STR("x")));
    assert_true(hash_bytes(a, STR("x")) != hash_bytes(a, STR("X")));
    assert_true(hash_nocase(a, STR("Ab.C")) == hash_nocase(a, STR("aB.c")));
    assert_true(hash_bytes(a, STR("")) != hash_bytes(a, STR("\0")));
    /* Every length around the block size of the hash differs from its neighbours. */
    static const char text[40];
    for (size_t n = 1; n < sizeof text; n++) {
        assert_true(hash_bytes(a, str_from(text, n)) != hash_bytes(a, str_from(text, n - 1)));
    }
}

static void a_heap_gives_the_smallest_first_through_moves_and_removals(void **state)
{
    (void)state;
    struct heap h = {0};
    struct thing *things = calloc(THINGS, sizeof *things);
    uint64_t seed = 42;
    assert_non_null(things);
    for (size_t i = 0; i < THINGS; i++) {
        assert_true(heap_push(&h, &things[i].in_heap, (int64_t)(next_random(&seed) % 1000)));
    }
    for (size_t i = 0; i < THINGS; i += 3) {
        heap_remove(&h, &things[i].in_heap);
        heap_remove(&h, &things[i].in_heap); /* fine: not in it */
    }
    for (size_t i = 1; i < THINGS; i += 3) {
        heap_move(&h, &things[i].in_heap, (int64_t)(next_random(&seed) % 1000) - 500);
    }
    int64_t last = INT64_MIN;
    size_t count = 0;
    for (struct heap_node *n; (n = heap_min(&h)); count++) {
        assert_true(n->key >= last);
        last = n->key;
        heap_remove(&h, n);
        assert_int_equal(n->place, 0);
    }
    assert_int_equal(count, THINGS - (THINGS + 2) / 3);
    heap_done(&h);
    free(things);
}

static void a_list_keeps_its_order(void **state)
{
    (void)state;
    struct thing things[4] = {0};
    struct list head;
    list_init(&head);
    assert_true(list_empty(&head) && !list_pop(&head));
    for (size_t i = 0; i < 3; i++) {
        things[i].number = i + 1;
        list_append(&head, &things[i].in_list);
    }
    list_prepend(&head, &things[3].in_list);
    list_remove(&things[1].in_list);
    list_remove(&things[1].in_list); /* fine: on no list */
    assert_false(list_linked(&things[1].in_list));
    uint64_t seen = 0;
    LIST_EACH (node, &head) {
        seen = seen * 10 + CONTAINER_OF(node, struct thing, in_list)->number;
        list_remove(node); /* the walk may remove */
    }
    assert_int_equal(seen, 13);
    assert_true(list_empty(&head));
}

static void an_arena_gives_zeroed_aligned_memory_of_any_size(void **state)
{
    (void)state;
    struct arena a = {0};
    for (size_t size = 0; size < 70000; size = size * 2 + 1) {
        char *p = arena_alloc(&a, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(p[i], 0);
            p[i] = (char)0xff;
        }
    }
    struct str copy = arena_copy(&a, STR("a\0b"));
    assert_true(str_eq(copy, STR("a\0b")) && copy.ptr[3] == '\0');
    assert_non_null(arena_copy(&a, STR("")).ptr);
    assert_true(str_eq(arena_format(&a, "%d-%s", 5, "x"), STR("5-x")));
    assert_null(arena_array(&a, SIZE_MAX / 2, 3)); /* would overflow */
    assert_true(a.used > 65535);
    arena_done(&a);
    assert_int_equal(a.used, 0);
}

static void
a_slab_gives_each_object_zeroed_memory_of_its_own_also_where_it_was_given_back(void **state)
{
    (void)state;
    struct slab s = {.size = 100};
    char *objects[THINGS] = {0};
    uint64_t seed = 7;
    for (int step = 0; step < 4 * THINGS; step++) {
        size_t i = next_random(&seed) % THINGS;
        if (objects[i]) {
            for (size_t at = 0; at < 100; at++) {
                assert_int_equal(objects[i][at], (char)(1 + i % 100)); /* nobody else wrote there */
            }
            slab_give(&s, objects[i]);
            objects[i] = NULL;
            continue;
        }
        objects[i] = slab_take(&s);
        assert_non_null(objects[i]);
        assert_int_equal((uintptr_t)objects[i] % sizeof(uint64_t), 0);
        for (size_t at = 0; at < 100; at++) {
            assert_int_equal(objects[i][at], 0);
        }
        memset(objects[i], (int)(1 + i % 100), 100);
    }
    slab_give(&s, NULL);
    slab_done(&s);
    assert_int_equal(s.size, 100);
    assert_null(s.blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_finds_what_is_in_it_also_where_hashes_are_alike),
        cmocka_unit_test(an_empty_map_has_nothing),
        cmocka_unit_test(hashes_depend_on_the_seed_and_on_case_as_said),
        cmocka_unit_test(a_heap_gives_the_smallest_first_through_moves_and_removals),
        cmocka_unit_test(a_list_keeps_its_order),
        cmocka_unit_test(an_arena_gives_zeroed_aligned_memory_of_any_size),
        cmocka_unit_test(
            a_slab_gives_each_object_zeroed_memory_of_its_own_also_where_it_was_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
