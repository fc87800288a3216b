/* inbox.h: how loops speak with each other. Every loop has an inbox; a parcel posted to it is
 * opened on that loop, in the order of posting per sender. A parcel is embedded in the request it
 * carries and belongs to the receiver until it sends it back. In a simulation all loops may be one.
 */
#pragma once

struct parcel {
    struct parcel *next;                 /* the implementer's, while posted */
    void (*open)(struct parcel *parcel); /* runs on the receiving loop */
};

struct inbox {
    void (*post)(struct inbox *inbox, struct parcel *parcel); /* from any loop; never fails */
};
