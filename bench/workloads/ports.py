# SPDX-License-Identifier: Apache-2.0
"""The ports of a generator's listeners: what a port says is right less often
than in life."""
NOWHERE = 7001
# Of all kinds of services; a generator has two of them beside its own.
FOREIGN = (80, 22, 25, 5432, 1883, 873, 1935, NOWHERE)


def ports_of(home, i):
    """`home`: the port that the generator's protocol has; `i`: its number."""
    ports = [home]
    for port in (FOREIGN * 2)[i % len(FOREIGN):]:
        if port not in ports and len(ports) < 3:
            ports.append(port)
    return ports
