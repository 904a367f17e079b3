# Environment and name; the name is the kind unless one was given.
terraform import invenioils_service.database library/database
