#!/usr/bin/env python
"""Fills a fresh control plane; what is there already stays as it is.

bootstrap.py identity    services, their users and the catalog: before the other services start
bootstrap.py all         … and flavors, images, networks, volume types, quotas, clouds.yaml
"""
import os
import sys
import time

import openstack
import yaml

PW = os.environ.get('OSDEV_PASSWORD', 'osdev-pw')
BASE = os.environ.get('OSDEV', '/opt/osdev')
AUTH = 'http://127.0.0.1:5000/v3'
# What the catalog calls the APIs. The control plane itself keeps to the address.
NAME = os.environ.get('OSDEV_API_NAME', 'api.osdev.test')
SERVICES = [  # name, type, url
    ('placement', 'placement', 'http://127.0.0.1:8778'),
    ('glance', 'image', 'http://127.0.0.1:9292'),
    ('nova', 'compute', 'http://127.0.0.1:8774/v2.1'),
    ('neutron', 'network', 'http://127.0.0.1:9696'),
    ('cinderv3', 'volumev3', 'http://127.0.0.1:8776/v3/$(project_id)s'),
    ('cinder', 'block-storage', 'http://127.0.0.1:8776/v3/$(project_id)s'),
    ('octavia', 'load-balancer', 'http://127.0.0.1:9876'),
    ('designate', 'dns', 'http://127.0.0.1:9001'),
    ('barbican', 'key-manager', 'http://127.0.0.1:9311'),
    ('swift', 'object-store', 'http://127.0.0.1:8080/v1/AUTH_$(project_id)s'),
]
USERS = ['placement', 'glance', 'nova', 'neutron', 'cinder', 'octavia',
         'designate', 'barbican', 'swift']
ROLES = ['member', 'reader', 'manager', 'service', 'load-balancer_member',
         'load-balancer_observer', 'load-balancer_admin', 'creator',
         'observer', 'audit', 'key-manager:service-admin', 'ResellerAdmin',
         'swiftoperator', 'heat_stack_owner']


def named(url):
    """With the name that resolves inside machines, too."""
    return url.replace('127.0.0.1', NAME)


def conn(user, project, domain='default', **kw):
    return openstack.connect(
        auth_url=AUTH, username=user, password=PW, project_name=project,
        user_domain_id=domain, project_domain_id=domain,
        region_name='RegionOne', identity_api_version='3', **kw)


def identity():
    c = conn('admin', 'admin')
    i = c.identity
    roles = {r.name: r for r in i.roles()}
    for r in ROLES:
        if r not in roles:
            roles[r] = i.create_role(name=r)
    service = i.find_project('service') or i.create_project(
        name='service', domain_id='default')
    for u in USERS:
        user = i.find_user(u) or i.create_user(
            name=u, password=PW, domain_id='default',
            default_project_id=service.id)
        for r in ('admin', 'service'):
            i.assign_project_role_to_user(service, user, roles[r])
    have = {s.name: s for s in i.services()}
    endpoints = list(i.endpoints())
    eps = {e.service_id for e in endpoints}
    for name, typ, url in SERVICES:
        s = have.get(name) or i.create_service(name=name, type=typ)
        if s.id not in eps:
            for iface in ('public', 'internal', 'admin'):
                i.create_endpoint(
                    service_id=s.id, interface=iface, region_id='RegionOne',
                    url=named(url) if iface == 'public' else url)
    for e in endpoints:   # Keystone's own, and those of an older cloud
        if e.interface == 'public' and e.url != named(e.url):
            i.update_endpoint(e, url=named(e.url))
    admin = i.find_user('admin')
    ap = i.find_project('admin')
    for r in ('load-balancer_admin', 'key-manager:service-admin',
              'ResellerAdmin', 'member'):
        i.assign_project_role_to_user(ap, admin, roles[r])
    for name in ('demo', 'alt'):
        p = i.find_project(name) or i.create_project(
            name=name, domain_id='default')
        u = i.find_user(name) or i.create_user(
            name=name, password=PW, domain_id='default',
            default_project_id=p.id)
        for r in ('member', 'reader', 'load-balancer_member', 'creator'):
            i.assign_project_role_to_user(p, u, roles[r])


def retry(f, tries=60):
    for n in range(tries):
        try:
            return f()
        except Exception as e:
            last = e
            time.sleep(1)
    raise last


def images(c):
    """`cirros` never boots. `debian-12` boots with OSDEV_MACHINES=1; else it is as empty as the other one."""
    empty = b'\0' * 1048576
    tar = os.path.join(BASE, 'debian-12.tar')
    boots = bool(os.environ.get('OSDEV_MACHINES'))
    # A newer root file system, or the other mode, replaces the image.
    made = str(int(os.path.getmtime(tar))) if boots else 'empty'
    for image in list(c.image.images(name='debian-12')):
        if (image.properties.get('osdev_made') or 'empty') != made or image.status != 'active':
            c.image.delete_image(image)
    for image in list(c.image.images(name='cirros')):
        if image.status != 'active':
            c.image.delete_image(image)
    if not c.image.find_image('cirros'):
        c.image.create_image(name='cirros', disk_format='raw', container_format='bare', visibility='public',
                             data=empty, min_disk=0, min_ram=0)
    if not c.image.find_image('debian-12'):
        about = dict(disk_format='raw', container_format='bare', visibility='public',
                     os_distro='debian', os_version='12', osdev_made=made)
        if boots:   # by file name: the upload streams
            c.create_image('debian-12', filename=tar, wait=True, allow_duplicates=True, **about)
        else:
            c.image.create_image(name='debian-12', data=empty, min_disk=0, min_ram=0, **about)


def everything():
    identity()
    c = conn('admin', 'admin')
    # flavors
    have = {f.name for f in c.compute.flavors()}
    for fid, name, ram, vcpu, disk in (
            ('1', 'm1.tiny', 512, 1, 1), ('2', 'm1.small', 2048, 1, 20),
            ('3', 'm1.medium', 4096, 2, 40), ('4', 'm1.large', 8192, 4, 80),
            ('c1', 'cirros256', 256, 1, 1), ('d0', 'm1.nodisk', 512, 1, 0)):
        if name not in have:
            c.compute.create_flavor(id=fid, name=name, ram=ram, vcpus=vcpu,
                                    disk=disk)
    images(c)
    # networks
    n = c.network
    pub = n.find_network('public') or n.create_network(
        name='public', is_router_external=True, is_shared=False,
        provider_network_type='flat', provider_physical_network='public')
    if not n.find_subnet('public-subnet'):
        n.create_subnet(name='public-subnet', network_id=pub.id, ip_version=4,
                        cidr='203.0.113.0/24', gateway_ip='203.0.113.1',
                        is_dhcp_enabled=False, allocation_pools=[
                            {'start': '203.0.113.10', 'end': '203.0.113.250'}])
    # a small one that is easy to use up: 409 / "No more IP addresses"
    tiny = n.find_network('public-tiny') or n.create_network(
        name='public-tiny', is_router_external=True,
        provider_network_type='flat', provider_physical_network='tiny')
    if not n.find_subnet('public-tiny-subnet'):
        n.create_subnet(name='public-tiny-subnet', network_id=tiny.id,
                        ip_version=4, cidr='198.51.100.0/30',
                        gateway_ip='198.51.100.1', is_dhcp_enabled=False)
    if not n.find_subnet_pool('shared-default-v4'):
        n.create_subnet_pool(name='shared-default-v4', default_prefixlen=26,
                             prefixes=['10.64.0.0/12'], is_shared=True,
                             is_default=True)
    # volume types
    types = {t.name for t in c.block_storage.types()}
    for t, b in (('standard', 'file1'), ('fast', 'file2')):
        if t not in types:
            c.block_storage.create_type(
                name=t, extra_specs={'volume_backend_name': b})
    if 'multiattach' not in types:
        c.block_storage.create_type(
            name='multiattach', extra_specs={
                'volume_backend_name': 'file1', 'multiattach': '<is> True'})
    # room for tests
    for p in ('demo', 'alt', 'admin'):
        pid = c.identity.find_project(p).id
        retry(lambda: c.compute.put(
            '/os-quota-sets/' + pid, json={'quota_set': {
                'instances': 200, 'cores': 400, 'ram': 800000,
                'key_pairs': 200, 'server_groups': 100,
                'server_group_members': 100}}).raise_for_status(), 5)
        retry(lambda: c.block_storage.put(
            '/os-quota-sets/' + pid, json={'quota_set': {
                'volumes': 200, 'snapshots': 200, 'gigabytes': 10000,
                'backups': 200, 'backup_gigabytes': 10000}}
            ).raise_for_status(), 5)
    # the compute node must be in placement and in cell1 before the first boot
    def host():
        assert [h for h in c.compute.hypervisors()], 'no hypervisor yet'
        assert all(s.state == 'up' for s in c.block_storage.services())
        ag = {a.agent_type for a in n.agents() if a.is_alive}
        assert len(ag) >= 4, ag
    retry(host, 90)
    # a user's application credential
    d = conn('demo', 'demo')
    uid = d.current_user_id
    path = os.path.join(BASE, 'var', 'appcred')
    if not os.path.exists(path):
        for a in d.identity.application_credentials(uid):
            d.identity.delete_application_credential(uid, a)
        a = d.identity.create_application_credential(
            uid, name='terraform', unrestricted=True)
        with open(path, 'w') as f:
            f.write('%s\n%s\n' % (a.id, a.secret))
    aid, secret = open(path).read().split()

    def pw(user, project):
        return {'auth': {'auth_url': AUTH, 'username': user, 'password': PW,
                         'project_name': project,
                         'user_domain_name': 'Default',
                         'project_domain_name': 'Default'},
                'region_name': 'RegionOne', 'interface': 'public',
                'identity_api_version': 3}
    clouds = {'clouds': {
        'osdev': pw('demo', 'demo'), 'osdev-alt': pw('alt', 'alt'),
        'osdev-admin': pw('admin', 'admin'),
        'osdev-appcred': {
            'auth_type': 'v3applicationcredential', 'auth': {
                'auth_url': AUTH, 'application_credential_id': aid,
                'application_credential_secret': secret},
            'region_name': 'RegionOne', 'interface': 'public',
            'identity_api_version': 3}}}
    with open(os.path.join(BASE, 'clouds.yaml'), 'w') as f:
        yaml.safe_dump(clouds, f)
    with open(os.path.join(BASE, 'openrc'), 'w') as f:
        for k, v in (('OS_AUTH_URL', AUTH), ('OS_USERNAME', 'demo'),
                     ('OS_PASSWORD', PW), ('OS_PROJECT_NAME', 'demo'),
                     ('OS_USER_DOMAIN_NAME', 'Default'),
                     ('OS_PROJECT_DOMAIN_NAME', 'Default'),
                     ('OS_REGION_NAME', 'RegionOne'),
                     ('OS_INTERFACE', 'public'),
                     ('OS_IDENTITY_API_VERSION', '3')):
            f.write('export %s=%s\n' % (k, v))
        f.write('# application credential: unset the six above, then\n'
                '# export OS_AUTH_TYPE=v3applicationcredential '
                'OS_APPLICATION_CREDENTIAL_ID=%s '
                'OS_APPLICATION_CREDENTIAL_SECRET=%s\n' % (aid, secret))


if __name__ == '__main__':
    {'identity': identity, 'all': everything}[sys.argv[1]]()
