terraform {
  required_providers {
    invenioils = {
      source = "inveniosoftware/invenioils"
    }
  }
}

# A cloud in one file: for a first look, and for the tests of a module.
provider "invenioils" {
  simulator = {}
}

# OpenStack, as the command line tools sign in: clouds.yaml, OS_CLOUD, or the OS_* variables.
provider "invenioils" {
  alias     = "openstack"
  openstack = { cloud = "library" }
  owner     = "library-team"
}
