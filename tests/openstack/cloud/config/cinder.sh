# shellcheck shell=bash
# Cinder: two backends of sparse files, and backups that copy real bytes.
config_cinder() {
  cat > $ETC/cinder/cinder.conf <<E
[DEFAULT]
host = $HOST
my_ip = 127.0.0.1
log_dir = $LOG
state_path = $VAR/cinder
service_down_time = 300
transport_url = $RABBIT
auth_strategy = keystone
api_paste_config = $ETC/cinder/api-paste.ini
resource_query_filters_file = $ETC/cinder/resource_filters.json
rootwrap_config = $ETC/cinder/rootwrap.conf
osapi_volume_listen = 127.0.0.1
osapi_volume_workers = 1
enabled_backends = file1,file2
default_volume_type = standard
glance_api_servers = http://127.0.0.1:9292
backup_driver = cinder.backup.drivers.posix.PosixBackupDriver
backup_posix_path = $VAR/cinder/backup
backup_file_size = 52428800
backup_compression_algorithm = zstd
backup_workers = 1
image_conversion_dir = $VAR/cinder/conversion
allowed_direct_url_schemes = cinder
enable_force_upload = true
report_interval = 20
service_down_time = 120
backend_stats_polling_interval = 30
enable_v2_api = false
os_privileged_user_auth_url = http://127.0.0.1:5000/v3
[file1]
volume_driver = osdevfakes.cinder_file.FileVolumeDriver
volume_backend_name = file1
osdev_dir = $VAR/cinder/volumes
[file2]
volume_driver = osdevfakes.cinder_file.FileVolumeDriver
volume_backend_name = file2
osdev_dir = $VAR/cinder/volumes2
[database]
connection = $(db cinder)
[key_manager]
backend = barbican
[barbican]
barbican_endpoint_type = public
[service_user]
send_service_user_token = true
$(svcauth x cinder | sed '1d')
$(svcauth nova nova)
interface = public
$(authtoken cinder)
$(common cinder)
E
  mkdir -p $VAR/cinder/{backup,volumes,volumes2,conversion}
}
