/* notify.h: telling the service manager how it goes (sd_notify(3)'s datagrams; no library needed).
 */
#pragma once

enum notify_state { NOTIFY_READY, NOTIFY_RELOADING, NOTIFY_STOPPING };

/* Takes the manager's address from the environment (NOTIFY_SOCKET), and out of it, so that no other
 * process of ours speaks for us. Where there is none, nobody is told. */
void notify_open(void);
void notify(enum notify_state state);
