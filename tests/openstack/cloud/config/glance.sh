# shellcheck shell=bash
# Glance: a file store. The brackets round the import methods matter: without them every POST of an image fails.
config_glance() {
  cat > $ETC/glance/glance-api.conf <<E
[DEFAULT]
log_dir = $LOG
log_file = glance-api.log
enabled_backends = file:file
enabled_import_methods = [glance-direct,web-download,copy-image]
worker_self_reference_url = http://127.0.0.1:9292
bind_host = 127.0.0.1
node_staging_uri = file://$VAR/glance/staging
[database]
connection = $(db glance)
[glance_store]
default_backend = file
[file]
filesystem_store_datadir = $VAR/glance/images
[os_glance_tasks_store]
filesystem_store_datadir = $VAR/glance/tasks
[os_glance_staging_store]
filesystem_store_datadir = $VAR/glance/staging
[image_format]
disk_formats = ami,ari,aki,vhd,vhdx,vmdk,raw,qcow2,vdi,ploop,iso
[paste_deploy]
flavor = keystone
config_file = $ETC/glance/glance-api-paste.ini
$(authtoken glance)
$(common glance)
E
  mkdir -p $VAR/glance/{images,tasks,staging}
}
