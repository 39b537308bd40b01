/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/verdict.h"

enum board_health verdict_next(struct verdict *verdict,
    enum board_health health, bool success, uint32_t rise, uint32_t fall)
{
	enum board_health wanted = success ? BOARD_UP : BOARD_DOWN;
	bool at_once = verdict->fresh || health == BOARD_UNKNOWN;

	verdict->fresh = false;
	if (health == wanted) {
		verdict->against = 0;
		return health;
	}
	verdict->against++;
	if (!at_once && verdict->against < (success ? rise : fall))
		return health;
	verdict->against = 0;
	return wanted;
}
