# shellcheck shell=bash
# Nova: two hosts' files; nova-compute's own must not name the API database.
config_nova() {
  for n in '' 2; do cat > $ETC/nova/nova$n.conf <<E
[DEFAULT]
host = $HOST$n
my_ip = 127.0.0.1
log_dir = $LOG
state_path = $VAR/nova$n
# A host that a test has stopped keeps its work for it, on a slow machine too.
service_down_time = 300
transport_url = $RABBIT
compute_driver = $(machines osdev_machines.MachinesDriver osdev.OsdevDriver)
$(machines 'force_config_drive = true')
$(machines 'resume_guests_state_on_host_boot = true')
allow_resize_to_same_host = true
osapi_compute_listen = 127.0.0.1
metadata_listen = 127.0.0.1
instances_path = $VAR/nova$n/instances
rpc_response_timeout = 60
reclaim_instance_interval = 0
sync_power_state_interval = -1
update_resources_interval = 60
running_deleted_instance_action = noop
block_device_allocate_retries = 300
block_device_allocate_retries_interval = 1
report_interval = 20
[wsgi]
api_paste_config = $ETC/nova/api-paste.ini
[api]
auth_strategy = keystone
[api_database]
connection = $(db nova_api)
[database]
connection = $(db nova_cell1)
[conductor]
workers = 1
[scheduler]
workers = 1
discover_hosts_in_cells_interval = 10
[filter_scheduler]
track_instance_changes = false
enabled_filters = ComputeFilter,ComputeCapabilitiesFilter,ImagePropertiesFilter,ServerGroupAntiAffinityFilter,ServerGroupAffinityFilter,DifferentHostFilter,SameHostFilter,AggregateInstanceExtraSpecsFilter
[glance]
region_name = RegionOne
valid_interfaces = public
[cinder]
catalog_info = volumev3::publicURL
os_region_name = RegionOne
$(svcauth cinder_ nova | sed 's/\[cinder_\]//')
[key_manager]
backend = barbican
[barbican]
barbican_endpoint_type = public
[vnc]
enabled = false
[spice]
enabled = false
[libvirt]
virt_type = qemu
[service_user]
send_service_user_token = true
$(svcauth service_user_ nova | sed '1d')
$(svcauth placement placement)
$(svcauth neutron neutron)
service_metadata_proxy = true
metadata_proxy_shared_secret = $PW
$(authtoken nova)
$(common nova)
E
  mkdir -p $VAR/nova$n/instances
  # nova-compute must not see the API database
  sed '/^\[api_database\]/,/^connection/d' $ETC/nova/nova$n.conf > $ETC/nova/nova-compute$n.conf; done
}
