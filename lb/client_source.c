/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/client_source.h"

#include <netinet/in.h>
#include <string.h>

/* A PROXY header may give an IPv4 address as IPv6 (RFC 4291, 2.5.5.2). */
static void client_unmap(struct addr *a)
{
	struct in_addr ip;

	if (a->sa.sa_family != AF_INET6 ||
	    !IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
		return;
	memcpy(&ip, a->in6.sin6_addr.s6_addr + 12, sizeof ip);
	memset(a, 0, sizeof *a);
	a->length = sizeof a->in;
	a->in.sin_family = AF_INET;
	a->in.sin_addr = ip;
}

static bool client_is_one_host(const struct addr *a)
{
	uint32_t ip = ntohl(a->in.sin_addr.s_addr);

	if (a->sa.sa_family == AF_INET)
		return ip != INADDR_ANY && ip != INADDR_BROADCAST &&
		       !IN_MULTICAST(ip);
	return !IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr) &&
	       !IN6_IS_ADDR_MULTICAST(&a->in6.sin6_addr) &&
	       !IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr);
}

int client_source(
    const struct flow_client *client, sa_family_t family, struct addr *ret)
{
	struct addr a;

	flow_client_addr(client, &a);
	client_unmap(&a);
	if (a.sa.sa_family != family ||
	    (family != AF_INET && family != AF_INET6) ||
	    !client_is_one_host(&a))
		return BR_E_CLIENT_ADDRESS;
	addr_set_port(&a, 0);
	*ret = a;
	return 0;
}
