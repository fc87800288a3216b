/* defaults.h: the values that hold where the configuration is silent, and the configuration of the
 * sandbox. postrider.example.yaml documents the same values; a test compares them. */
#pragma once

#include "config/config.h"

/* A configuration with all defaults; its maker holds it. Null: no memory. */
struct config *config_new(void);

/* The sandbox: SMTP on 127.0.0.1:2525, mail for anybody into Maildirs under `data_folder`
 * (absolute, copied), nothing sent anywhere. Null: no memory. */
struct config *config_sandbox(struct str data_folder, struct str hostname);
