# Environment and name; "certificate" unless a name was given.
terraform import invenioils_certificate.this library/certificate
