"""The machines' way to the cloud's own APIs.

The catalog names the APIs by a host name (OSDEV_API_NAME). Outside it is
127.0.0.1, by /etc/hosts; inside, the networks' name servers say 203.0.113.1,
an address of the outside world. There, and on the loopback of the namespace
"osdev", where tests stand, this process listens; it connects from the
namespace of the control plane. A machine needs a router with a gateway and an
egress rule to reach it, as in reality.
"""
import asyncio
import os

from osdevfakes import plumbing
from osdevfakes.package_proxy import log
from osdevfakes.package_proxy import pump

ADDR = os.environ.get('OSDEV_PROXY_ADDR', '203.0.113.1')
PORTS = (5000, 8080, 8774, 8776, 8778, 9001, 9292, 9311, 9696, 9876)


def forward(port):
    async def client(r, w):
        try:
            ur, uw = await asyncio.open_connection('127.0.0.1', port)
        except OSError as e:
            log('error', port, repr(e))
            return w.close()
        await asyncio.gather(pump(r, uw), pump(ur, w))
    return client


async def listen(host, port):
    for _ in range(120):
        try:
            return plumbing.listen_in(plumbing.EDGE, host, port)
        except OSError:
            await asyncio.sleep(1)
    raise SystemExit('cannot listen on %s:%d' % (host, port))


async def main():
    servers = []
    for host in (ADDR, '127.0.0.1'):
        for port in PORTS:
            sock = await listen(host, port)
            servers.append(await asyncio.start_server(forward(port),
                                                      sock=sock))
    log('forwards', len(servers), 'ports')
    await asyncio.gather(*(s.serve_forever() for s in servers))


if __name__ == '__main__':
    asyncio.run(main())
