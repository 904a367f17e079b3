# Environment and name; "ils" unless a name was given.
terraform import invenioils_instance.this library/ils
