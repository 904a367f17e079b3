# The id of an environment is its name.
terraform import invenioils_environment.this library
