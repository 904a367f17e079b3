# shellcheck shell=bash
# Neutron: the stock Open vSwitch driver and router plugin, with our stand-ins for the agents. It has no extension that nothing
# here asks for: each makes every port dearer, and ports are what the tests wait for most.
config_neutron() {
  cat > $ETC/neutron/neutron.conf <<E
[DEFAULT]
host = $HOST
log_dir = $LOG
state_path = $VAR/neutron
transport_url = $RABBIT
auth_strategy = keystone
core_plugin = ml2
service_plugins = router
api_paste_config = $ETC/neutron/api-paste.ini
bind_host = 127.0.0.1
api_workers = 1
rpc_workers = 1
rpc_state_report_workers = 0
allow_overlapping_ips = true
notify_nova_on_port_status_changes = true
notify_nova_on_port_data_changes = true
dns_domain = osdev.example.
external_dns_driver = designate
dhcp_agents_per_network = 1
agent_down_time = 120
router_distributed = false
max_allowed_address_pair = 50
global_physnet_mtu = 1500
rpc_response_timeout = 60
vlan_transparent = false
[agent]
report_interval = 20
[database]
connection = $(db neutron)
max_pool_size = 10
[designate]
url = http://127.0.0.1:9001/v2
auth_url = http://127.0.0.1:5000/v3
auth_type = password
username = neutron
password = $PW
project_name = service
user_domain_id = default
project_domain_id = default
allow_reverse_dns_lookup = false
[experimental]
[quotas]
default_quota = 1000
quota_network = 200
quota_subnet = 200
quota_port = 1000
quota_router = 100
quota_floatingip = 100
quota_security_group = 100
quota_security_group_rule = 500
$(svcauth nova nova)
$(svcauth placement placement)
$(authtoken neutron)
$(common neutron)
E
  cat > $ETC/neutron/ml2_conf.ini <<E
[ml2]
type_drivers = flat,vlan,vxlan,gre,local
tenant_network_types = vxlan
mechanism_drivers = openvswitch
extension_drivers = port_security,subnet_dns_publish_fixed_ip
overlay_ip_version = 4
path_mtu = 1500
[ml2_type_flat]
flat_networks = *
[ml2_type_vlan]
network_vlan_ranges = physnet1:100:999,public
[ml2_type_vxlan]
vni_ranges = 1000:9999
[ml2_type_gre]
tunnel_id_ranges = 1000:9999
[securitygroup]
enable_security_group = true
enable_ipset = false
firewall_driver = openvswitch
[ovs]
E
}
