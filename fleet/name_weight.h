/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the weight of an SRV record comes to as the weight of a server.
 *
 * RFC 2782: records of one priority share by weight; one of weight 0 has "a
 * very small chance" beside others, and where all have 0 they share evenly.
 * Here a weight of 0 stands for a hundredth of a weight of 1, for which all
 * of the priority are multiplied by 100. The server's own weight multiplies
 * the record's. When the largest of the priority would pass 65535, all are
 * scaled down alike.
 *
 * Thread:  any; pure.
 */
#include "fleet/name.h"

#define NAME_WEIGHT_MAX 65535u

uint32_t name_weight(const struct name_record *records, uint32_t n, uint32_t i,
    uint32_t server_weight);
