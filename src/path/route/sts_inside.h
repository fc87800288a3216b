/* sts_inside.h: what is known of one domain's policy, and how far it is with finding out more. */
#pragma once

#include "core/dns/chain.h"
#include "path/route/addresses.h"
#include "path/route/asker.h"
#include "path/route/sts.h"

/* Of the 10,000 domains of a long list most promise nothing, which is to be remembered in little
 * space: what finding out takes is here, and gone when the entry is at rest. */
struct sts_work {
    struct sts_entry *entry;
    void (*then)(struct sts_entry *entry);
    struct arena arena;
    struct asker asker;
    struct chain chain;
    struct str id; /* the record's */
    struct addresses_query addresses;
    struct https_request request;
    bool fetching;
    struct disk_op op;
    struct disk_file *file;
    struct str path, fresh_path;
    struct str text; /* of the file */
    struct disk_pieces pieces;
};

struct sts_entry {
    struct map_node node;
    struct sts_office *office;
    struct str domain; /* the entry's own memory */
    struct list waiting;
    struct sts_work *work; /* null: nobody waits, and it is not busy */
    bool busy;             /* its work has begun */
    bool loaded;           /* what is on disk is known */

    struct arena memory; /* of `kept` */
    bool has;
    struct sts_kept kept;
    enum sts_trouble trouble; /* of the last fetch */
    struct buf why;           /* likewise, in words */
    struct instant again;     /* no fetch before this */
};

/* Reads what is on disk (sts_disk.c). `then` runs later, or at once where there is no folder. */
void sts_load(struct sts_entry *entry, void (*then)(struct sts_entry *entry));
/* Writes what is kept; nobody waits for it but the entry, which is busy until `then`. */
void sts_save(struct sts_entry *entry, void (*then)(struct sts_entry *entry));
/* Fetches the policy that the record promises (sts_fetch.c): `kept`, or `trouble` and `why`. */
void sts_fetch(struct sts_entry *entry, void (*then)(struct sts_entry *entry));
void sts_fetch_cancel(struct sts_entry *entry);
