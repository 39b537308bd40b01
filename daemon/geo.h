/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The regions of a configuration as one map: its prefixes, and what databases
 * say of countries, continents and autonomous systems that regions have.
 *
 * What is written in the file goes before the databases, an autonomous system
 * before a country, and a country before its continent.
 *
 * Thread:  the clerk, or main at boot: reads whole files.
 * Memory:  the map is the caller's.
 * Errors:  BR_E_CONFIG, and why at the place of the key: a database that is
 *          missing, damaged or of the wrong kind refuses the whole.
 */
#include "conf/conf.h"
#include "fleet/region.h"

/* *ret is NULL where the configuration has no regions. */
int geo_load(const struct conf *conf, struct conf_errors *errors,
    struct region_map **ret) BR_MUST_CHECK;
